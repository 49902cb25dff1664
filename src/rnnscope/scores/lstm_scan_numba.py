"""The LSTM scan in compiled loops, where numba is installed: float32 on the CPU.

Each gate, the memory and the output are made in one pass over a step, and both scores in one pass
backwards. sigm and tanh are written out, for the compiler to work on many units at once: the
library's own are called one number at a time. Both are within 1.2e-7 of the exact value, relative
as well as absolute: the rounding of float32. In float64 the library's functions are used, in torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from rnnscope.scores.lstm_scan import LSTMScan
from rnnscope.scores.packed import Inputs, Packed

_F = np.float32
_ONE, _TWO = _F(1), _F(2)
_LOG2E, _LN2_HIGH, _LN2_LOW = _F(1.44269504088896341), _F(0.693359375), _F(-2.12194440e-4)
# Added to a float32 below 2^22 it leaves the nearest whole number in the lowest bits.
_WHOLE = _F(12582912.0)
# exp and tanh on short intervals: the polynomials of Cephes (Moshier 1992).
_E = tuple(
    map(_F, (1.9875691e-4, 1.3981999e-3, 8.3334519e-3, 4.1665796e-2, 1.6666667e-1, 5.0000001e-1))
)
_E0, _E1, _E2, _E3, _E4, _E5 = _E
_T = tuple(map(_F, (-5.70498873e-3, 2.06390888e-2, -5.37397156e-2, 1.33314422e-1, -3.33332819e-1)))
_T0, _T1, _T2, _T3, _T4 = _T
_TANH_SMALL, _LARGEST, _TANH_ONE = _F(0.625), _F(87), _F(20)

# No reassociation here: the reduction in exp lives by the order of its terms.
# What is no number must stay one, to be found at the end: no "nnan" either.
_EXACT = {"contract", "nsz"}


def _compiled(*, sums: bool = False) -> Callable[[Any], Any]:
    """numba's decorator, compiled at the first call and kept on disk where one can write."""
    options: dict[str, Any] = {
        "fastmath": _EXACT | {"reassoc"} if sums else _EXACT,
        "error_model": "numpy",
        "nogil": True,
    }

    def decorate(function: Any) -> Any:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # no directory that a cache could be written to
            return njit(**options)(function)

    return decorate


@_compiled()
def _exp(x):  # pragma: no cover - compiled
    t = x * _LOG2E + _WHOLE
    n = t - _WHOLE
    r = x - n * _LN2_HIGH - n * _LN2_LOW
    y = ((((_E0 * r + _E1) * r + _E2) * r + _E3) * r + _E4) * r + _E5
    power = np.int32((np.float32(t).view(np.int32) + np.int32(127)) << np.int32(23))
    return (y * r * r + r + _ONE) * np.float32(power.view(np.float32))


@_compiled()
def sigm(x):  # pragma: no cover - compiled
    """1 / (1 + exp(-x)) of one float32."""
    low = -_LARGEST if x < -_LARGEST else x
    return _ONE / (_ONE + _exp(-(_LARGEST if low > _LARGEST else low)))


@_compiled()
def tanh(x):  # pragma: no cover - compiled
    """tanh of one float32."""
    a = abs(x)
    a = _TANH_ONE if a > _TANH_ONE else a
    z = x * x
    small = ((((_T0 * z + _T1) * z + _T2) * z + _T3) * z + _T4) * z * x + x
    large = _ONE - _TWO / (_exp(a + a) + _ONE)
    large = large if x >= 0 else -large
    return small if a < _TANH_SMALL else large


@_compiled()
def _step(n, pre, table, rows, at, before, now, c, f, o, open_, shown):  # pragma: no cover
    units = c.shape[1]
    for b in range(n):
        row = rows[at + b]
        for u in range(units):
            i = sigm(pre[b, u] + table[row, u])
            keep = sigm(pre[b, units + u] + table[row, units + u])
            g = tanh(pre[b, 2 * units + u] + table[row, 2 * units + u])
            gate = sigm(pre[b, 3 * units + u] + table[row, 3 * units + u])
            memory = keep * c[before + b, u] + i * g
            c[now + b, u] = memory
            f[now + b, u] = keep
            open_[b, u] = gate
            shown[b, u] = gate * tanh(memory)
        if len(o):
            o[now + b] = open_[b]


@_compiled(sums=True)
def _dot(a, b):  # pragma: no cover - compiled
    total = _F(0)
    for u in range(len(a)):
        total += a[u] * b[u]
    return total


@_compiled()
def _forgotten(b, t0, t1, starts, blocks, c, f, x, tail, gain, W, out):  # pragma: no cover
    """gamma of a document's words, over one stretch: what is left of the memory at the end."""
    units = c.shape[1]
    seen, left, change = x.copy(), tail.copy(), np.empty(units, np.float32)
    for t in range(t1 - 1, t0 - 1, -1):
        before, now = blocks[t - t0] + b, blocks[t - t0 + 1] + b
        for u in range(units):
            left[u] *= f[now, u]
            new = tanh(left[u] * c[before, u])
            change[u] = (seen[u] - new) * gain[u]
            seen[u] = new
        for j in range(len(W)):
            out[starts[t] + b, j] = _dot(W[j], change)
    x[:], tail[:] = seen, left


@_compiled()
def _as_it_was(b, t0, t1, starts, blocks, c, o, x, gain, share, W, out):  # pragma: no cover
    """beta of a document's words, over one stretch: the memory after each of them."""
    units = c.shape[1]
    seen, change = x.copy(), np.empty(units, np.float32)
    for t in range(t1 - 1, t0 - 1, -1):
        before, now = blocks[t - t0] + b, blocks[t - t0 + 1] + b
        if len(o):
            for u in range(units):
                gain[u] += o[now, u] * share
        for u in range(units):
            new = tanh(c[before, u])
            change[u] = (seen[u] - new) * gain[u]
            seen[u] = new
        for j in range(len(W)):
            out[starts[t] + b, j] = _dot(W[j], change)
    x[:] = seen


@_compiled()
def _backwards(
    t0, t1, lengths, active, starts, blocks, c, f, o, gain, tail, x, kinds, share, W, out
):  # pragma: no cover - compiled
    for b in range(active[t0]):
        stop = min(lengths[b], t1)
        for k in range(len(kinds)):
            where, to = (b, t0, stop, starts, blocks, c), (W, out[k])
            if kinds[k]:
                _forgotten(*where, f, x[k, b], tail[b], gain[b], *to)
            else:
                _as_it_was(*where, o, x[k, b], gain[b], share[b % len(share)], *to)


@_compiled()
def _later(c, f, o, later):  # pragma: no cover - compiled
    steps, units = f.shape
    tail = np.empty(units, np.float32)
    for j in range(steps):
        tail[:] = c[j]
        for t in range(j, steps):
            for u in range(units):
                tail[u] *= f[t, u]
                later[j, u] += o[t, u] * tanh(tail[u])


class FusedScan(LSTMScan):
    """The same scan, its arithmetic in compiled loops."""

    def _begin(self, packed: Packed, inputs: Inputs) -> None:
        super()._begin(packed, inputs)
        words = len(packed.docs)
        joined = self.V.new_empty(len(self.methods), words, len(self.weight))
        self.scores = list(joined)
        self._joined = joined.numpy()
        if self.driven:
            self._table, self._rows = inputs.source.numpy(), inputs.rows.numpy()
        else:
            self._table = np.zeros((1, 4 * self.units), np.float32)
            self._rows = np.zeros(words, np.int64)
        self._c, self._f, self._o = self.c.numpy(), self.f.numpy(), self.o.numpy()
        # The whole rows, not the part of them that is the output: only what lies in one piece is
        # worked on many units at once.
        shown = self.hx if self.project is None else self.shown
        self._open, self._shown = self.open.numpy(), shown.numpy()

    def _step(self, n: int, at: int, before: int, now: int) -> None:
        if not self.driven:
            rows = self.inputs.rows[at : at + n]
            self.hx[:n, self.width :] = self.inputs.source.index_select(0, rows)
        pre = self.product(self.hx[:n], None).numpy()
        kept = self._c, self._f, self._o, self._open, self._shown
        _step(n, pre, self._table, self._rows, at, before, now, *kept)

    def _turn(self) -> None:
        super()._turn()
        joined = torch.stack(self.x)
        self.x = list(joined)
        share = self.share if self.pooling == "mean" else self.V.new_zeros(1, 1)
        self._read = (
            *(array.numpy() for array in (self.gain, self.tail, joined)),
            np.array(self.methods),
            share.reshape(-1).numpy(),
            self.weight.numpy(),
            self._joined,
        )

    def _backwards(self, t0: int, t1: int) -> None:
        self._settle(t0, t1)
        packed = self.packed
        layout = packed.lengths, packed.active, packed.starts, self.blocks(t0, t1)
        _backwards(t0, t1, *layout, self._c, self._f, self._o, *self._read)

    def _later(self, c: Tensor, f: Tensor, o: Tensor) -> Tensor:
        later = torch.zeros_like(c)
        _later(c.numpy(), f.numpy(), o.numpy(), later.numpy())
        return later
