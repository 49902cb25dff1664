"""How a small change at one step of a path reaches another: products of Jacobians, not formed.

dh_s = J_s J_{s-1} ... J_{t+1} dh_t,   J_t = dF/dh at (h_{t-1}, x_t)

The product is applied to vectors a step at a time, forward to push a change of an early state to
later ones, backward to ask which change of an early state a later one would notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import ArpackError, LinearOperator, svds
from torch import Tensor

from rnnscope.dynamics.linalg import heavy
from rnnscope.dynamics.paths import StatePath
from rnnscope.errors import DataError, UsageError

SMALL = 32
"""Below this width every direction is pushed: an iteration gains nothing."""


def push_forward(path: StatePath, v: Any, *, first: int = 0, last: int | None = None) -> Tensor:
    """Where changes v of the state before step ``first`` are after each step up to ``last``.

    Args:
        path: T steps.
        v: (N,), or k changes (k, N).
        first, last: the steps first, ..., last - 1 are taken; last is T where None.

    Returns:
        (last - first + 1, N) or (last - first + 1, k, N): v itself first, then after each step.

    Raises:
        DataError: vectors of the wrong width or not finite.
        UsageError: steps that the path does not have.
    """
    first, last = checked_steps(path, first, last)
    now = _vectors(path, v)
    along = now.new_empty(last - first + 1, *now.shape)
    along[0] = now
    with heavy():
        for k, J in enumerate(path.tangents(first, last), 1):
            now = J.push(now[None])[0]
            along[k] = now
    return along


def pull_back(path: StatePath, u: Any, *, first: int = 0, last: int | None = None) -> Tensor:
    """How readings u of the state after step ``last - 1`` depend on each state before it.

    Args:
        path: T steps.
        u: (N,), or k readings (k, N): a readout's contrast, a left eigenvector.
        first, last: the steps first, ..., last - 1 are taken; last is T where None.

    Returns:
        (last - first + 1, N) or (last - first + 1, k, N). Row j is ``d (u . h_last) / d
        h_{first + j}``; the last row is u itself. The dependence on what step t reads is row
        ``t - first + 1`` times ``J_inp`` of step t.

    Raises:
        DataError: vectors of the wrong width or not finite.
        UsageError: steps that the path does not have.
    """
    first, last = checked_steps(path, first, last)
    now = _vectors(path, u)
    along = now.new_empty(last - first + 1, *now.shape)
    along[-1] = now
    with heavy():
        for k, J in enumerate(path.tangents(first, last, back=True), 1):
            now = J.pull(now[None])[0]
            along[-1 - k] = now
    return along


@dataclass(frozen=True, kw_only=True, eq=False)
class FiniteTimeGrowth:
    """The changes of a state that grow most over a stretch of a path.

    Attributes:
        factors: by how much each has grown, falling, (count,).
        before: the unit changes, rows, (count, N).
        after: where each points at the end, unit rows, (count, N).
        steps: how many steps that took.
    """

    factors: Tensor
    before: Tensor
    after: Tensor
    steps: int

    @property
    def exponents(self) -> Tensor:
        """Finite-time Lyapunov exponents, ``ln(factor) / steps``, (count,)."""
        return self.factors.log() / self.steps


def finite_time_growth(
    path: StatePath, *, count: int = 1, first: int = 0, last: int | None = None
) -> FiniteTimeGrowth:
    """The leading singular values and vectors of the product of a stretch's Jacobians.

    Raises:
        UsageError: no step, steps that the path does not have, a count that is not 1 to N.
    """
    first, last = checked_steps(path, first, last)
    width = path.states.shape[-1]
    if first == last or not 1 <= count <= width:
        raise UsageError(
            "Growth is that of some directions over some steps.",
            expected=f"1 to {width} directions, a step or more",
            got=f"{count} directions, {last - first} steps",
        )
    U, factors, Vh = _leading(path, count, first, last) or _all(path, first, last)
    return FiniteTimeGrowth(
        factors=factors[:count],
        before=Vh[:count].clone(),
        after=U.mT[:count].clone(),
        steps=last - first,
    )


def _leading(
    path: StatePath, count: int, first: int, last: int
) -> tuple[Tensor, Tensor, Tensor] | None:
    """By Lanczos iteration on the product and its transpose; None where that does not do."""
    width = path.states.shape[-1]
    if count >= width - 1 or width < SMALL:
        return None

    def push(v: np.ndarray) -> np.ndarray:
        return push_forward(path, v.reshape(width), first=first, last=last)[-1].numpy()

    def pull(u: np.ndarray) -> np.ndarray:
        return pull_back(path, u.reshape(width), first=first, last=last)[0].numpy()

    operator: Any = LinearOperator
    product = operator((width, width), matvec=push, rmatvec=pull, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(width)
    try:
        found: Any = svds(product, k=count, v0=start)
    except ArpackError:  # A product that is 0, or that does not settle.
        return None
    U, factors, Vh = found
    fall = np.argsort(-factors, kind="stable")
    U, factors, Vh = (np.ascontiguousarray(a) for a in (U[:, fall], factors[fall], Vh[fall]))
    return torch.from_numpy(U), torch.from_numpy(factors), torch.from_numpy(Vh)


def _all(path: StatePath, first: int, last: int) -> tuple[Tensor, Tensor, Tensor]:
    """By pushing every direction."""
    product = torch.eye(path.states.shape[-1], dtype=torch.float64)
    with heavy():
        for J in path.tangents(first, last):
            product = J.push(product[None])[0]
        U, factors, Vh = torch.linalg.svd(product.mT)
    return U, factors, Vh


def checked_steps(path: StatePath, first: int, last: int | None) -> tuple[int, int]:
    """First and last of some steps of a path.

    Raises:
        UsageError: the path does not have them.
    """
    last = len(path) if last is None else last
    if not 0 <= first <= last <= len(path):
        raise UsageError(
            "Steps are taken from those of the path, in their order.",
            expected=f"0 <= first <= last <= {len(path)}",
            got=f"first {first}, last {last}",
        )
    return first, last


def _vectors(path: StatePath, vectors: Any) -> Tensor:
    width = path.states.shape[-1]
    array = vectors.detach() if isinstance(vectors, Tensor) else np.asarray(vectors)
    v = torch.as_tensor(array).to("cpu", torch.float64, copy=True)
    if v.ndim not in (1, 2) or v.shape[-1] != width or not torch.isfinite(v).all():
        raise DataError(
            "Changes of a state are finite and as wide as the state.",
            expected=f"({width},) or (k, {width})",
            got=str(tuple(v.shape)),
        )
    return v
