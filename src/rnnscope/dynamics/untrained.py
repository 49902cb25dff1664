"""What a network of the same architecture that has learned nothing shows: the null of a finding.

Either fresh weights, drawn as torch draws them (uniform in ``±1/sqrt(units)``; word vectors normal
with the trained table's spread), or the trained weights with the entries of each matrix in random
order, which keeps their sizes and loses what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.find import find_fixed_points
from rnnscope.dynamics.linearization import linearize
from rnnscope.dynamics.manifold import fit_manifold
from rnnscope.dynamics.separability import word_separability
from rnnscope.dynamics.word_classes import WordClasses
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.models import Direction, Layer, Model
from rnnscope.notebook import ShowsItself
from rnnscope.progress import told
from rnnscope.statistics import finite

How = Literal["fresh", "permuted"]

FIGURES = (
    "visited_variance",
    "visited_participation",
    "points_variance",
    "readout",
    "integration",
    "tangent",
    "time_constant",
    "time_ratio",
    "auc",
    "accuracy",
)

TIMES = ("time_constant", "time_ratio")


@dataclass(frozen=True, kw_only=True, eq=False)
class UntrainedBaseline(ShowsItself):
    """The figures of some networks that have learned nothing, on the same text.

    Attributes:
        figures: by name, one number for each network; nan where a network has no such thing, such
            as the axis of a single root. ``visited_variance`` and ``visited_participation``: first
            axis and participation ratio of the visited states; ``points_variance``: first axis of
            the points; ``readout``, ``integration``, ``tangent``: as in ``Manifold``;
            ``time_constant`` and ``time_ratio``: the slowest mode's median, alone and over the
            next one's; ``auc`` and ``accuracy``: as in ``Separability``.
        counts: each network's points by kind.
    """

    figures: dict[str, tuple[float, ...]]
    counts: tuple[dict[str, int], ...]

    def __len__(self) -> int:
        return len(self.counts)

    def known(self, name: str) -> np.ndarray:
        """The networks' figures of this name, without those that have none."""
        values = np.array(self.figures[name])
        return values[np.isfinite(values)]

    def high(self, name: str) -> float | None:
        """What one network more would stay below with 95 %: the upper prediction bound of a normal
        distribution, of the logarithm for times. The figure itself where only one network has it,
        None where none has.

        The largest of a few would be passed by one network in a few that has learned nothing.
        """
        known = self.known(name)
        if len(known) < 2:
            return float(known[0]) if len(known) else None
        times = name in TIMES
        known = np.log(known) if times else known
        count = len(known)
        quantile = float(student.ppf(0.95, count - 1))
        bound = float(known.mean() + quantile * known.std(ddof=1) * (1 + 1 / count) ** 0.5)
        return float(np.exp(bound)) if times else bound

    def median(self, name: str) -> float | None:
        """The networks' median; None where none has the figure."""
        known = self.known(name)
        return float(np.median(known)) if len(known) else None

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        figures = {name: [finite(v) for v in values] for name, values in self.figures.items()}
        return {"networks": len(self), "figures": figures, "points": list(self.counts)}

    def __repr__(self) -> str:
        return f"UntrainedBaseline of {len(self)} networks"


def untrained_networks(
    model: Model, count: int = 5, *, how: How = "fresh", rng: int = 0
) -> tuple[Model, ...]:
    """Networks of the model's architecture that have learned nothing.

    Args:
        model: left as it is.
        count: how many.
        how: "fresh" weights or the "permuted" trained ones.
        rng: seed.

    Raises:
        UsageError: another ``how``, no model, or a count below 1.
    """
    if not isinstance(model, Model) or isinstance(model, Cell):
        raise UsageError(
            "What is untrained is a model's architecture.",
            expected="a rnnscope Model",
            got=type(model).__name__,
        )
    if how not in ("fresh", "permuted") or count < 1:
        raise UsageError(
            "Untrained networks have fresh or permuted weights, and are counted from 1.",
            expected="how='fresh' or 'permuted', count >= 1",
            got=f"how={how!r}, count={count}",
        )
    return tuple(
        _untrained(model, how, torch.Generator().manual_seed(rng + k)) for k in range(count)
    )


def _untrained(model: Model, how: How, generator: torch.Generator) -> Model:
    def drawn(weight: Tensor, bound: float | None = None) -> Tensor:
        flat = weight.detach().cpu().reshape(-1)
        if how == "permuted":
            new = flat[torch.randperm(len(flat), generator=generator)]
        elif bound is None:
            noise = torch.randn(len(flat), generator=generator, dtype=flat.dtype)
            new = flat.std(correction=0) * noise
        else:
            noise = torch.rand(len(flat), generator=generator, dtype=flat.dtype)
            new = bound * (2 * noise - 1)
        return new.reshape(weight.shape).to(weight.device)

    def direction(old: Direction) -> Direction:
        bound = old.cell.hidden_size**-0.5
        return replace(old, cell=old.cell.map(lambda w: drawn(w, bound)), initial=None)

    readout = model.readout
    if readout is not None:
        width = readout.weight.shape[-1] ** -0.5
        if readout.one_logit:
            row = drawn(readout.weight[1], width)
            readout = replace(readout, weight=torch.stack([-row, row]))
        else:
            readout = readout.map(lambda w: drawn(w, width))
    return replace(
        model,
        layers=tuple(
            Layer(directions=tuple(direction(d) for d in layer.directions))
            for layer in model.layers
        ),
        embedding=None if model.embedding is None else drawn(model.embedding),
        readout=readout,
        certificate=None,
        record={"source": f"untrained: {how} weights"},
    )


def untrained_baseline(
    networks: Model | Sequence[Model],
    documents: Iterable[Any],
    *,
    words: WordClasses | None = None,
    inputs: Any = "zero",
    count: int = 64,
    rng: int = 0,
) -> UntrainedBaseline:
    """Measure networks that have learned nothing on the text that the trained one was seen on.

    Args:
        networks: from ``untrained_networks``, or your own as they were before training.
        documents: what the trained network's seeds came from.
        words: classes of words, for ``auc`` and ``accuracy``.
        inputs: the input held fixed, as for the trained network.
        count: seeds for each.
        rng: seed.

    Raises:
        UsageError: no networks.
    """
    listed = (networks,) if isinstance(networks, Model) else tuple(networks)
    if not listed:
        raise UsageError("A null needs a network.", expected="one or more", got="none")
    documents = documents if isinstance(documents, Sequence) else _kept(documents)
    rows, counts = [], []
    for network in told(listed, "untrained networks", unit="network"):
        row, kinds = _measure(network, documents, words, inputs, count, rng)
        rows.append(row)
        counts.append(kinds)
    figures = {name: tuple(row.get(name, float("nan")) for row in rows) for name in FIGURES}
    return UntrainedBaseline(figures=figures, counts=tuple(counts))


def _kept(documents: Iterable[Any]) -> Any:
    """Documents that can be read more than once: a corpus as it is, an iterator as a list."""
    return documents if hasattr(documents, "__len__") else list(documents)


def _measure(
    network: Model, documents: Any, words: WordClasses | None, inputs: Any, count: int, rng: int
) -> tuple[dict[str, float], dict[str, int]]:
    points = find_fixed_points(network, documents, inputs, count=count, rng=rng)
    kinds = (points.roots, points.continua, points.ghosts, points.manifold)
    counts = {kind.kind: len(kind) for kind in kinds}
    sigma = torch.linalg.svdvals(points.seeds - points.seeds.mean(0))
    variance = sigma**2
    row: dict[str, float] = {}
    if float(variance.sum()) > 0:
        row["visited_variance"] = float(variance[0] / variance.sum())
        row["visited_participation"] = float(variance.sum() ** 2 / (variance**2).sum())
    # The root of a network that forgets at once may lie where no text leads.
    where = points if len(points.line_states) else points.roots
    if not len(where):
        return row, counts
    modes = linearize(network, where, inputs)
    tau = modes.time_constants
    row["time_constant"] = float(tau[:, 0].median())
    second = second_time_constant(tau, modes.oscillating)
    if second is not None and second > 0:
        row["time_ratio"] = row["time_constant"] / second
    if words is not None:
        told = word_separability(network, modes, words, shuffles=1, draws=2, rng=rng)
        row["auc"], row["accuracy"] = told.auc.value, told.accuracy.value
    if where is points:
        try:
            line = fit_manifold(points, modes, rng=rng)
        except NotApplicable:
            return row, counts
        row["points_variance"] = float(line.variance[0])
        for name, alignment in (
            ("readout", line.readout),
            ("integration", line.modes),
            ("tangent", line.tangents),
        ):
            if alignment is not None:
                row[name] = alignment.median
    return row, counts


def second_time_constant(tau: Tensor, oscillating: Tensor) -> float | None:
    """Median over points of the mode after the slowest, a complex pair counting as one."""
    place = oscillating[:, 0].long() + 1
    if int(place.max()) >= tau.shape[-1]:
        return None
    return float(tau.gather(-1, place[:, None]).median())
