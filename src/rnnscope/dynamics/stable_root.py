"""A stable root near a state that has nearly come to rest."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rnnscope.dynamics.certificate import Certificate, certify, polish
from rnnscope.dynamics.linalg import eigenvectors, heavy, inverse, norm
from rnnscope.dynamics.problem import Problem
from rnnscope.dynamics.slow_flow import Attractor


@dataclass(frozen=True, kw_only=True, eq=False)
class StableRoot:
    """A certified root to which the network flows, and what tells its states."""

    attractor: Attractor
    certificate: Certificate


def stable_root(problem: Problem, h: Tensor, *, scale: float) -> StableRoot | None:
    """Newton's method from h (1, N); None where it ends in no isolated root that attracts."""
    with heavy():
        h = polish(problem, h, most=12)
        if not bool(norm(problem.residual(h)) <= problem.rounding(h)):
            return None
        tested = certify(problem, h, radius=1e-3 * scale)
        A = problem.jacobian(h)
        if not bool(tested.isolated) or not bool((eigenvectors(A)[0] + 1).abs().max() < 1):
            return None
        attractor = Attractor(state=h[0], inverse=inverse(A)[0], near=1e-4 * scale)
    return StableRoot(attractor=attractor, certificate=tested)
