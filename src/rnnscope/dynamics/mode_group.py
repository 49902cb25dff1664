"""A group of modes as one real subspace: a single mode, a plane that turns, or eigenvalues that
agree so nearly that their vectors are accidents of rounding while the space they span is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log, pi
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnscope.dynamics.linalg import EPS
from rnnscope.dynamics.spectral_projector import Invariant
from rnnscope.errors import UsageError
from rnnscope.notebook import ShowsItself

Kind = Literal["single", "plane", "repeated", "defective"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ModeGroup(ShowsItself):
    """Modes that are read as one real subspace. float64 on the CPU.

    Attributes:
        kind: "single": one real mode; "plane": one complex pair; "repeated": eigenvalues that
            agree, with as many vectors; "defective": with fewer vectors than eigenvalues, or so
            nearly that single vectors cannot be trusted.
        ranks: the places of its eigenvalues among all of the point, by falling |lambda|.
        eigenvalues: (m,) complex.
        eigenvalue: their mean, over those with imag > 0 where they are complex pairs; well
            determined even where each alone is not.
        vectors: how many independent vectors the eigenvalues have (those with imag > 0, where they
            are complex pairs), as far as can be told.
        basis: R, orthonormal, (N, m).
        dual: L with ``L R = I``, the left subspace, (m, N).
        block: ``L J R``, what one step does within the space, (m, m).
        condition: ``||R L||_2``, how many times a change of J moves the mean eigenvalue.
        separation: a change E of J turns the space by about ``||E|| / separation``; an estimate.
    """

    kind: Kind
    ranks: tuple[int, ...]
    eigenvalues: Tensor
    eigenvalue: complex
    vectors: int
    basis: Tensor
    dual: Tensor
    block: Tensor
    condition: float
    separation: float

    @classmethod
    def of(
        cls,
        space: Invariant,
        *,
        ranks: Sequence[int],
        values: NDArray[np.complex128],
        gap: float,
        limit: float,
    ) -> Self:
        """From an invariant subspace and its eigenvalues; ``gap`` is a distance, not a share."""
        m, upper = len(values), values[values.imag > 0]
        turning = 2 * len(upper) == m and _turns(upper, space.block, gap=gap, limit=limit)
        own = upper if turning else values
        center = complex(own.mean()) if turning else complex(values.real.mean())
        # The mean of a block that is nilpotent to rounding is 0.
        if abs(center) <= 10 * m * EPS * np.linalg.norm(space.block):
            center = 0j
        spread = float(np.abs(own - center).max())
        left = np.linalg.svd(space.block - center * np.eye(m), compute_uv=False)
        vectors = min(len(own), int((left <= max(m * gap, spread)).sum()))
        kind: Kind = "repeated" if vectors == len(own) else "defective"
        if m == 1 or (m == 2 and turning):
            kind, vectors = ("plane" if turning else "single"), 1
        return cls(
            kind=kind,
            ranks=tuple(int(k) for k in ranks),
            eigenvalues=torch.from_numpy(values.copy()),
            eigenvalue=center,
            vectors=vectors,
            basis=torch.from_numpy(np.ascontiguousarray(space.basis)),
            dual=torch.from_numpy(np.ascontiguousarray(space.dual)),
            block=torch.from_numpy(np.ascontiguousarray(space.block)),
            condition=space.norm,
            separation=space.separation,
        )

    @property
    def size(self) -> int:
        """m, the dimension of the space."""
        return self.basis.shape[-1]

    @property
    def projector(self) -> Tensor:
        """``P = R L``: real, ``P P = P``, commutes with J, (N, N)."""
        return self.basis @ self.dual

    @property
    def modulus(self) -> float:
        """What is left of a change in the space after a step, by the mean eigenvalue."""
        return abs(self.eigenvalue)

    @property
    def time_constant(self) -> float:
        """``-1 / ln |lambda|`` in steps: positive for decay, negative for growth, inf at 1."""
        rate = log(self.modulus) if self.modulus > 0 else -inf
        return inf if rate == 0 else -1 / rate

    @property
    def angle(self) -> float:
        """By how much a change in the space turns in a step, radians, from 0 to pi."""
        return float(abs(np.angle(self.eigenvalue)))

    @property
    def period(self) -> float:
        """Steps to turn once; inf where it does not turn."""
        return 2 * pi / self.angle if self.angle > 0 else inf

    @property
    def aspect(self) -> float:
        """Of the ellipse that a plane's states turn on, long axis by short; 1 for a circle.

        Raises:
            UsageError: the group is no plane.
        """
        if self.kind != "plane":
            raise UsageError("Only a plane turns on an ellipse.", expected="plane", got=self.kind)
        r = np.linalg.eig(self.block.numpy())[1][:, 0]
        axes = np.linalg.svd(np.stack([np.real(r), np.imag(r)]), compute_uv=False)
        return float(axes[0] / axes[1])

    @property
    def sentence(self) -> str:
        """What to read it as."""
        head = {
            "single": "One real mode",
            "plane": f"A plane that turns by {self.angle:.3g} rad a step, once in "
            f"{self.period:.3g} steps",
            "repeated": f"{self.size} modes that agree: any vectors of their space will do",
            "defective": f"{self.size} modes that nearly agree with too few vectors "
            f"({self.vectors} for {self._wanted}): read their space, no vector",
        }[self.kind]
        tau = self.time_constant
        if self.modulus == 0:
            motion = "gone after a step" if self.kind != "defective" else "gone after a few steps"
        elif tau == inf:
            motion = "no growth and no decay"
        else:
            motion = f"{'decay' if tau > 0 else 'growth'} by e in {abs(tau):.3g} steps"
        if self.kind != "plane" and self.eigenvalue.imag == 0 and self.eigenvalue.real < 0:
            motion += ", changing sign every step"
        return f"{head}; {motion}; condition {self.condition:.3g}."

    @property
    def _wanted(self) -> int:
        return self.size // 2 if self.eigenvalue.imag else self.size

    def __repr__(self) -> str:
        return f"ModeGroup(ranks {self.ranks}: {self.sentence})"


def _turns(upper: NDArray[np.complex128], block: np.ndarray, *, gap: float, limit: float) -> bool:
    """Whether eigenvalues, those with imag > 0 of the block's, are complex to working accuracy: a
    defective real one also comes out as a ring around itself, in pairs."""
    center = upper.mean()
    if center.imag <= max(gap, 2 * float(np.abs(upper - center).max())):
        return False
    if len(block) > 2:
        return True
    p, q = abs(block[0, 1]), abs(block[1, 0])
    # For a pair a +- ib in standard form, [[a, p], [q, a]] with b^2 = -p q, this is its condition.
    return bool(p + q <= 2 * limit * center.imag)
