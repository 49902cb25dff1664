"""A look for the roots that neither the seeds' own neighbourhoods nor their flow lead to.

Saddles and repellers hold the attractors apart, and nothing flows to them. Newton steps with a
negative shift, ``(mu - A) d = G`` with mu < 0, go against the stable directions as readily as
with the unstable ones, and end in roots of every index. And between two roots there often is one
more: a descent of q from half way finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from rnnscope.dynamics.certificate import Certificate, certify, polish
from rnnscope.dynamics.levenberg_marquardt import minimise_speed
from rnnscope.dynamics.linalg import heavy, norm
from rnnscope.dynamics.options import FixedPointOptions
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.shifted_newton import shifted_newton

SHIFTS = (-0.2, -0.5)
PAIRS = 400
"""Pairs of roots that are looked between, in every round, the closest first."""

ROUNDS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class NewRoots:
    """Roots beside those known before.

    Attributes:
        states: (n, N).
        certificates: one each.
        seeds: the seed each was found from, or the nearest one.
    """

    states: Tensor
    certificates: tuple[Certificate, ...]
    seeds: tuple[int, ...]

    def joined(self, other: NewRoots) -> NewRoots:
        """Both."""
        return NewRoots(
            states=torch.cat([self.states, other.states]),
            certificates=self.certificates + other.certificates,
            seeds=self.seeds + other.seeds,
        )


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
    work = _Found(problem, seeds, known, scale)
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
        work.keep(descent.states, rows.tolist())
    return work.result()


def explore_between(
    problem: Problem,
    seeds: Tensor,
    known: Tensor,
    *,
    scale: float,
    options: FixedPointOptions,
    pairs: int = PAIRS,
) -> NewRoots:
    """Look half way between roots, and between those and what that finds.

    Args:
        seeds: (S, N), under one input.
        known: roots that are known, (n, N).
        pairs: looked between in a round.
    """
    work = _Found(problem, seeds, known, scale)
    done: set[tuple[int, int]] = set()
    for _ in range(ROUNDS):
        roots = work.everything()
        new = [pair for pair in combinations(range(len(roots)), 2) if pair not in done]
        new.sort(key=lambda pair: float(norm(roots[pair[0]] - roots[pair[1]])))
        new = new[:pairs]
        if not new:
            break
        done.update(new)
        a, b = torch.tensor(new).unbind(-1)
        middles = (roots[a] + roots[b]) / 2
        with heavy():
            ends = minimise_speed(
                problem,
                middles,
                max_steps=options.max_steps,
                stationarity=options.stationarity,
                reach=options.far * scale,
            ).states
        nearest = torch.cdist(ends, seeds).argmin(-1).tolist()
        before = len(work.states)
        work.keep(ends, nearest)
        if len(work.states) == before:
            break
    return work.result()


class _Found:
    """Roots found so far, each once."""

    def __init__(self, problem: Problem, seeds: Tensor, known: Tensor, scale: float) -> None:
        self.problem, self.seeds, self.known, self.scale = problem, seeds, known, scale
        self.states: list[Tensor] = []
        self.certificates: list[Certificate] = []
        self.sources: list[int] = []

    def everything(self) -> Tensor:
        return torch.cat([self.known, *(state[None] for state in self.states)])

    def keep(self, ends: Tensor, sources: list[int]) -> None:
        """Keep the ends that are certified roots and not known, with the seed of each."""
        for row, end in zip(sources, ends, strict=True):
            here = self.problem.rows(slice(row, row + 1))
            with heavy():
                if not bool(norm(here.residual(end[None])) <= 10 * here.rounding(end[None])):
                    continue
                known = self.everything()
                if len(known) and norm(known - end).min() <= 1e-6 * self.scale:
                    continue
                h = polish(here, end[None])
                tested = certify(here, h, radius=1e-3 * self.scale)
            if bool(tested.isolated):
                self.states.append(h[0])
                self.certificates.append(tested)
                self.sources.append(row)

    def result(self) -> NewRoots:
        return NewRoots(
            states=torch.stack(self.states) if self.states else self.seeds[:0],
            certificates=tuple(self.certificates),
            seeds=tuple(self.sources),
        )
