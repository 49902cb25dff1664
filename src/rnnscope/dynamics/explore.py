"""A look for the roots that neither the seeds' own neighbourhoods nor their flow lead to.

Saddles and repellers hold the attractors apart, and nothing flows to them. Newton steps with a
negative shift, ``(mu - A) d = G`` with mu < 0, go against the stable directions as readily as
with the unstable ones, and end in roots of every index.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnscope.dynamics.certificate import Certificate, certify, polish
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.shifted_newton import shifted_newton

SHIFTS = (-0.2, -0.5)


@dataclass(frozen=True, kw_only=True, eq=False)
class NewRoots:
    """Roots beside those known before.

    Attributes:
        states: (n, N).
        certificates: one each.
        seeds: the seed each was found from.
    """

    states: Tensor
    certificates: tuple[Certificate, ...]
    seeds: tuple[int, ...]


def explore(
    problem: Problem,
    seeds: Tensor,
    rows: Tensor,
    known: Tensor,
    *,
    scale: float,
    options: FixedPointOptions,
) -> NewRoots:
    """Look from some of the seeds.

    Args:
        seeds: (S, N).
        rows: which of them.
        known: roots that are known, (n, N).
    """
    found: list[Tensor] = []
    certificates: list[Certificate] = []
    sources: list[int] = []
    for shift in SHIFTS if len(rows) else ():
        descent = shifted_newton(
            problem.rows(rows),
            seeds[rows],
            max_steps=options.max_steps,
            stationarity=options.stationarity,
            reach=options.far * scale,
            first=shift,
            most_stuck=0,
        )
        for row, end in zip(rows.tolist(), descent.states, strict=True):
            here = problem.rows(slice(row, row + 1))
            with heavy():
                if not bool(norm(here.residual(end[None])) <= 10 * here.rounding(end[None])):
                    continue
                everything = torch.cat([known, *(state[None] for state in found)])
                if len(everything) and norm(everything - end).min() <= 1e-6 * scale:
                    continue
                h = polish(here, end[None])
                tested = certify(here, h, radius=1e-3 * scale)
            if bool(tested.isolated):
                found.append(h[0])
                certificates.append(tested)
                sources.append(row)
    return NewRoots(
        states=torch.stack(found) if found else seeds[:0],
        certificates=tuple(certificates),
        seeds=tuple(sources),
    )
