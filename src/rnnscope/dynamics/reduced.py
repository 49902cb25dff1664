"""The reduced model: a network run as a dynamical system in k numbers.

Which numbers, a chart says; how they move, the step:

"expansion"  z' = f + A (z - z*) + L J_inp (x - x*)     linear at one point (Maheswaranathan et al.)
"pushes"     z' = f + A (z - z*) + L (F(h*, x) - F(h*, x*))    each word's whole effect there
"switched"   the expansion at the nearest of many points along the manifold
"lifted"     z' = L (F(lift(z), x) - c)                 the network's own step on the chart
"table"      the last as polynomials in z, one for all words and one for each, held to the visited
             range: z' = s(z) + u_word(z)

All but the "switched" and "lifted" ones run without the network: a word is a few numbers. Nothing
is trained: the chart and the visited states come from training text, the rest from the weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from rnnscope.cells import Cell
from rnnscope.dynamics.charts import Chart, balanced_chart, monomials, principal_chart
from rnnscope.dynamics.inputs import hold_input, study_cell
from rnnscope.dynamics.linalg import heavy
from rnnscope.dynamics.piecewise_linear import (
    PiecewiseLinear,
    gathered_points,
    standing_in,
    thinned,
)
from rnnscope.dynamics.reduced_cells import Lifted, Polynomial, terms
from rnnscope.dynamics.sensitivity import answer_gradients
from rnnscope.dynamics.stand_in import StandIn
from rnnscope.dynamics.visited import initial_state, one_system, visited_steps
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.models import Direction, Layer, Model

Step = Literal["expansion", "pushes", "switched", "lifted", "table"]
STEPS = ("expansion", "pushes", "switched", "lifted", "table")

NO_WALL = 1e30
"""Where an expansion has no box: weights are finite numbers."""

SHARED_DEGREE = 3
"""Degree of the part of a table that all words share: there is one of it, so it may bend."""

NODES = 4
"""States at which each word's step is measured, for each term of its polynomial."""


HIGHEST = 12
"""The degree of a polynomial above which it follows rounding, and takes for ever."""


def fit_chart(
    model: Model,
    documents: Iterable[Any],
    size: int,
    *,
    kind: Literal["balanced", "principal"] = "balanced",
    degree: int = 3,
    count: int = 20_000,
    rng: int = 0,
) -> Chart:
    """k coordinates from training text.

    Args:
        model: with one recurrent system and a readout of its last state; not changed.
        documents: the text.
        size: k.
        kind: "balanced": what varies and matters for the answer; "principal": what varies.
        degree: of the polynomial that bends the chart through the visited states; 0 for a flat one.
        count: visited states drawn.
        rng: seed of the draws.

    Raises:
        DataError: no documents.
        NotApplicable: no readout, two directions, or fewer than k such directions.
        UsageError: an unknown kind, or a size that does not fit.
    """
    if kind not in ("balanced", "principal"):
        raise UsageError(
            "The kind of coordinates must be known.",
            expected="'balanced' or 'principal'",
            got=repr(kind),
        )
    if not 0 <= degree <= HIGHEST:
        raise UsageError(
            "A chart is bent by a polynomial of a low degree.",
            expected=f"0 to {HIGHEST}",
            got=str(degree),
        )
    texts = list(documents)
    states = visited_steps(model, texts, count=count, rng=rng).after
    if kind == "balanced":
        chart = balanced_chart(states, answer_gradients(model, texts, rng=rng), size)
    else:
        chart = principal_chart(states, size)
    return chart.curved(states, degree=degree) if degree else chart.ranged(states)


def reduced_model(
    model: Model,
    chart: Chart,
    step: Step = "table",
    *,
    degree: int = 3,
    points: Any = None,
    inputs: Any = None,
) -> StandIn:
    """Run a network in the k numbers of a chart.

    Args:
        model: with one recurrent system and a readout of its last state; not changed.
        chart: the coordinates: of ``fit_chart``, or of a ``slow_chart`` and its likes.
        step: how they move; see above. "expansion" and "pushes" are taken at the chart's center.
        degree: of each word's polynomial u in a "table": 0 for a push that does not depend on
            where the state is, 1 for a push and a decay of its own, 2 and 3 for saturation.
        points: those of "switched": what ``find_fixed_points`` gave, modes or states.
        inputs: the input held fixed, to which a word's effect is compared; None for the one the
            points were found under, or zero.

    Raises:
        NotApplicable: no readout of a last state, two directions; or a step that needs words and
            a network that reads vectors.
        UsageError: an unknown step; "switched" without points; a table on a chart that knows
            no visited states.
    """
    if step not in STEPS:
        raise UsageError(
            "The step of a reduced model must be known.", expected=", ".join(STEPS), got=repr(step)
        )
    model = one_system(model)
    model.require_readout()
    cell = study_cell(model)
    start = chart.project(initial_state(model))
    name = f"{step} in {chart.width} numbers ({chart.name})"
    if step == "lifted":
        return standing_in(model, Lifted(chart=chart, cell=cell), start, name=name)
    if step == "switched":
        if points is None:
            raise UsageError("Expansions are switched between points.", expected="points=")
        at, held = gathered_points(model, points, inputs)
        linear = PiecewiseLinear.at(cell, thinned(at), held.common)
        return standing_in(model, Lifted(chart=chart, cell=linear), start, name=name)
    if model.embedding is None:
        raise NotApplicable(
            "A word's weights are those of a word.",
            expected="a network with an embedding",
            got="one that reads vectors",
            fix="use step='lifted' or 'switched'",
        )
    words = model.embedding.detach()
    with torch.no_grad(), heavy():
        x = hold_input(model, cell, "zero" if inputs is None else inputs).vector
        if step == "table":
            nodes = _nodes(chart, max(SHARED_DEGREE, degree))
            reduced, weights = _table(cell, chart, words, x, nodes, degree)
        else:
            reduced, weights = _expansion(cell, chart, words, x, finite=step == "pushes")
    return _without_the_network(model, cell, chart, reduced, weights, start, name=name)


def _expansion(
    cell: Cell, chart: Chart, words: Tensor, x: Tensor, *, finite: bool
) -> tuple[Polynomial, Tensor]:
    """``z' = f + A (z - z*) + u_word`` at the chart's center, and u of every word, (V, k)."""
    z = torch.zeros(1, chart.width, dtype=torch.float64)
    h = chart.lift(z)[0]
    tangent = torch.func.jacrev(chart.lift)(z[0])
    A = chart.left @ cell.J_rec(x, h) @ tangent
    still = cell.step(x, h)
    if finite:
        chunks = words.split(4096)
        after = torch.cat([cell.step(some, h.expand(len(some), -1)) for some in chunks])
        pushes = (after - still) @ chart.left.mT
    else:
        pushes = (words - x) @ (chart.left @ cell.J_inp(x, h)).mT
    unit = torch.ones(chart.width, dtype=torch.float64) if chart.unit is None else chart.unit
    free = torch.full((chart.width,), NO_WALL, dtype=torch.float64)
    reduced = Polynomial(
        shared=torch.cat([chart.project(still)[None], A.mT * unit[:, None]]),
        unit=unit,
        low=-free,
        high=free,
        degree=0,
        shared_degree=1,
        output_degree=max(1, chart.degree),
    )
    return reduced, pushes


def _table(
    cell: Cell, chart: Chart, words: Tensor, x: Tensor, nodes: Tensor, degree: int
) -> tuple[Polynomial, Tensor]:
    """The step at the nodes (n, k) as polynomials, by least squares: that under the input held
    fixed, shared by all words, and what each word adds to it, (V, M k)."""
    low = nodes.amin(0) if chart.low is None else chart.low
    high = nodes.amax(0) if chart.high is None else chart.high
    unit = nodes.std(0) if chart.unit is None else chart.unit
    lifted = Lifted(chart=chart, cell=cell)
    still = lifted.step(x.expand(len(nodes), -1), nodes)
    shared_degree = max(SHARED_DEGREE, degree)
    shared = torch.linalg.pinv(monomials(nodes / unit, shared_degree)) @ still
    fit = torch.linalg.pinv(monomials(nodes / unit, degree))
    count = len(nodes)
    weights = []
    for some in words.split(max(1, 32_768 // count)):
        drive = cell.drive(some).repeat_interleave(count, 0)
        after = lifted.activate(drive, nodes.repeat(len(some), 1))["z"]
        weights.append((fit @ (after.unflatten(0, (len(some), count)) - still)).flatten(1))
    reduced = Polynomial(
        shared=shared,
        unit=unit,
        low=low,
        high=high,
        degree=degree,
        shared_degree=shared_degree,
        output_degree=max(1, chart.degree),
    )
    return reduced, torch.cat(weights)


def _nodes(chart: Chart, degree: int) -> Tensor:
    """Coordinates of visited states at which every word's step is measured, (n, k)."""
    if chart.visited is None:
        raise UsageError(
            "A table is measured where the coordinates go.",
            expected="a chart that knows visited states",
            got=repr(chart),
            fix="use chart.curved(states) or chart.ranged(states)",
        )
    z = chart.inside(chart.visited)
    count = min(len(z), NODES * terms(chart.width, degree))
    return z[torch.linspace(0, len(z) - 1, count).round().long()]


def _without_the_network(
    model: Model,
    cell: Cell,
    chart: Chart,
    reduced: Polynomial,
    weights: Tensor,
    start: Tensor,
    *,
    name: str,
) -> StandIn:
    """The model whose words are their few numbers, and whose readout reads the coordinates."""
    readout: Any = model.readout
    # lift(z) as a table of its monomials: the readout sees the output of that state.
    table = torch.zeros(reduced.hidden_size, len(chart.center), dtype=torch.float64)
    table[0] = chart.center
    table[1 : 1 + chart.width] = reduced.unit[:, None] * chart.right.mT
    if chart.bend is not None:
        table = table + chart.bend
    seen = cell.output(table)
    weight = readout.weight.to(torch.float64) @ seen.mT
    replaced = replace(
        model,
        layers=(Layer(directions=(Direction(cell=reduced, initial=start),)),),
        embedding=weights,
        readout=replace(readout, weight=weight),
        certificate=None,
        record={},
    )
    return StandIn(
        model=replaced,
        width=chart.width,
        size=sum(w.numel() for w in replaced.weights().values()),
        name=name,
    )
