"""A branch of fixed points, and what happens on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnscope.notebook import ShowsItself

KINDS = ("fold", "branch point", "period doubling", "Neimark-Sacker")
_MEANING = {
    "fold": "two fixed points meet and end",
    "branch point": "another branch of fixed points crosses",
    "period doubling": "a cycle of two steps meets the fixed point",
    "Neimark-Sacker": "a closed curve on which the state turns meets the fixed point",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Bifurcation:
    """Where something changes on a branch.

    Attributes:
        kind: one of ``KINDS``.
        s: the input's position there.
        state: (N,).
        eigenvalue: the one that passes the unit circle.
        exact: for a fold, whether its own equations are solved to rounding and it is a simple one;
            else False: it is enclosed by bisection.
        unstable: growing modes before and after it along the branch.
    """

    kind: str
    s: float
    state: Tensor
    eigenvalue: complex
    exact: bool
    unstable: tuple[int, int]

    @property
    def sentence(self) -> str:
        """In words."""
        how = "located to rounding" if self.exact else "enclosed by bisection"
        before, after = self.unstable
        return (
            f"A {self.kind} at s = {self.s:.6g}, {how}: {_MEANING[self.kind]}; "
            f"{before} modes grow before it and {after} after it."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Branch(ShowsItself):
    """A branch of fixed points under the input ``x* + s d``. float64.

    Attributes:
        states: in order along the branch, (P, N).
        s: (P,).
        unstable: modes that grow at each, (P,).
        leading: the eigenvalue of largest modulus at each, (P,) complex.
        residual: ``||F - h||`` at each, (P,).
        bifurcations: by their order on the branch.
        start: row of the state it was followed from, at s = 0.
        ends: why it ends at its first and at its last point.
        closed: whether it is a loop.
        direction: d, (input_size,).
        name: the word that s = 1 holds fixed, or "direction".
    """

    states: Tensor
    s: Tensor
    unstable: Tensor
    leading: Tensor
    residual: Tensor
    bifurcations: tuple[Bifurcation, ...]
    start: int
    ends: tuple[str, str]
    closed: bool
    direction: Tensor
    name: str

    def __len__(self) -> int:
        return len(self.states)

    @property
    def stable(self) -> Tensor:
        """Whether each point attracts, (P,)."""
        return self.unstable == 0

    @property
    def folds(self) -> tuple[Bifurcation, ...]:
        """The folds among the bifurcations."""
        return tuple(one for one in self.bifurcations if one.kind == "fold")

    def at(self, s: float) -> Tensor:
        """Where the branch passes s, by interpolation between its points, (k, N): one row for each
        fixed point of this branch at that input. Newton's method makes them exact."""
        a, b = self.s[:-1], self.s[1:]
        rows = ((a - s) * (b - s) < 0) | (a == s)
        k = rows.nonzero().squeeze(-1)
        part = ((s - a[k]) / (b[k] - a[k]))[:, None]
        found = self.states[k] + torch.nan_to_num(part) * (self.states[k + 1] - self.states[k])
        last = self.states[-1:] if float(self.s[-1]) == s and not self.closed else found[:0]
        return torch.cat([found, last])

    @property
    def sentence(self) -> str:
        """The branch in words."""
        found = Counter(one.kind for one in self.bifurcations)
        events = ", ".join(f"{found[kind]} x {kind}" for kind in KINDS if found[kind])
        stable = float(self.stable.double().mean())
        return (
            f"{'A closed branch' if self.closed else 'A branch'} of fixed points over s from "
            f"{float(self.s.min()):.4g} to {float(self.s.max()):.4g}, {stable:.0%} of its points "
            f"stable; {events or 'nothing happens on it'}."
        )

    def summary(self) -> dict[str, Any]:
        """In figures, JSON-safe."""
        return {
            "points": len(self),
            "towards": self.name,
            "s": [float(self.s.min()), float(self.s.max())],
            "closed": self.closed,
            "ends": list(self.ends),
            "stable_share": float(self.stable.double().mean()),
            "largest_residual": float(self.residual.max()),
            "bifurcations": [
                {"kind": one.kind, "s": one.s, "exact": one.exact, "unstable": list(one.unstable)}
                for one in self.bifurcations
            ],
        }

    def __repr__(self) -> str:
        lines = [f"Branch({len(self)} points): {self.sentence}"]
        return "\n".join([*lines, *(f"  {one.sentence}" for one in self.bifurcations)])
