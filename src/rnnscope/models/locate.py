"""Where a recurrent module and our equations part: the first layer, step and gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rnnscope.cells import GRU, Cell, Transformed
from rnnscope.models.layers import Layer, run
from rnnscope.models.undisturbed import undisturbed


def first_difference(part: nn.Module, ours: Sequence[Layer], x: Tensor, limit: float) -> str:
    """In words, the first layer, step and gate at which they differ by more than ``limit``.

    Args:
        part: an ``nn.RNN``, ``nn.GRU``, ``nn.LSTM`` or one of their cells.
        ours: its layers, as we have them.
        x: (T, width), what it read on one document, in the order in which it reads.
    """
    for k, layer in enumerate(ours):
        theirs = _layer_alone(part, k, layer, x)
        lengths = torch.tensor([len(x)])
        for side, direction in enumerate(layer.directions):
            cell = direction.cell
            cell = cell.inner if isinstance(cell, Transformed) else cell
            found = run(direction, cell.drive(x.to(cell.dtype)[None]), lengths)
            both = (cell.output(found.states)[0], theirs[side].to(cell.dtype))
            gap = (both[0] - both[1]).abs().amax(dim=-1)
            if not bool((gap > limit).any()):
                continue
            order = range(len(x) - 1, -1, -1) if direction.reverse else range(len(x))
            step = next(t for t in order if float(gap[t]) > limit)
            before = step + 1 if direction.reverse else step - 1
            state = found.states[0, before] if 0 <= before < len(x) else direction.start
            suffix = "" if isinstance(part, nn.RNNCellBase) else f"_l{k}"
            gate = _gate(part, suffix + "_reverse" * direction.reverse, cell, x[step], state, limit)
            way = " backward" if direction.reverse else ""
            return f"layer {k}{way}, step {step}, {gate}"
        x = torch.cat(theirs, dim=-1)
    return (
        "none of its layers alone, whose weights agree with ours: its own forward does more than "
        f"the equations of nn.{_plain_name(part)}"
    )


def _gate(part: nn.Module, suffix: str, cell: Cell, x: Tensor, state: Tensor, limit: float) -> str:
    """The first gate whose sum before the nonlinearity is another one."""
    names = cell.gate_names
    h = cell.output(state).to(x.dtype)
    theirs = functional.linear(x, _of(part, "weight_ih", suffix), _of(part, "bias_ih", suffix))
    theirs = theirs + functional.linear(
        h, _of(part, "weight_hh", suffix), _of(part, "bias_hh", suffix)
    )
    ours = cell.drive(x.to(cell.dtype)) + cell.output(state) @ cell.V.mT  # type: ignore[attr-defined]
    if isinstance(cell, GRU):
        ours[-len(cell.a) :] += cell.a
    gaps = (ours - theirs).abs().reshape(len(names), -1).amax(dim=-1)
    wrong = [name for name, gap in zip(names, gaps.tolist(), strict=True) if gap > limit]
    return f"gate {wrong[0]!r}" if wrong else "no gate: what follows the gates differs"


def _of(part: nn.Module, name: str, suffix: str) -> Any:
    value = getattr(part, name + suffix, None)
    return None if value is None else value.detach()


def _layer_alone(part: nn.Module, k: int, layer: Layer, x: Tensor) -> list[Tensor]:
    """What torch's own module with one layer's weights puts out, (T, H) a direction."""
    starts = [direction.start for direction in layer.directions]
    with undisturbed(part):
        if isinstance(part, nn.RNNCellBase):
            return [_cell_alone(part, x, starts[0])]
        bare = _bare(_a_stack(part), k, x)
        state = torch.stack(starts)[:, None].to(x.dtype)
        if isinstance(part, nn.LSTM):
            p = part.proj_size or part.hidden_size
            hx = (state[..., :p].contiguous(), state[..., p:].contiguous())
        else:
            hx = state
        return list(bare(x[:, None], hx)[0][:, 0].chunk(len(starts), dim=-1))


def _a_stack(part: nn.Module) -> nn.RNNBase:
    if not isinstance(part, nn.RNNBase):
        raise TypeError(type(part).__name__)
    return part


def _bare(part: nn.RNNBase, k: int, x: Tensor) -> nn.Module:
    options = {"bias": part.bias, "bidirectional": part.bidirectional}
    if isinstance(part, nn.LSTM):
        make, options = nn.LSTM, options | {"proj_size": part.proj_size}
    elif isinstance(part, nn.GRU):
        make = nn.GRU
    else:
        make, options = nn.RNN, options | {"nonlinearity": part.nonlinearity}  # type: ignore
    bare = make(x.shape[-1], part.hidden_size, dtype=x.dtype, **options)
    for name, weight in bare.named_parameters():
        weight.copy_(getattr(part, name.replace("_l0", f"_l{k}")))
    return bare


def _cell_alone(part: nn.RNNCellBase, x: Tensor, start: Tensor) -> Tensor:
    state, outputs = start.to(x.dtype)[None], []
    n = part.hidden_size
    for row in x:
        if isinstance(part, nn.LSTMCell):
            h, c = part(row[None], (state[:, :n], state[:, n:]))
            state = torch.cat([h, c], dim=-1)
        else:
            state = part(row[None], state)
        outputs.append(state[:, :n])
    return torch.cat(outputs)


def _plain_name(part: nn.Module) -> str:
    kinds = (nn.RNN, nn.GRU, nn.LSTM, nn.RNNCell, nn.GRUCell, nn.LSTMCell)
    return next((kind.__name__ for kind in kinds if isinstance(part, kind)), "RNN")
