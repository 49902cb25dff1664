"""Invariant subspaces of a matrix and the projectors onto them, without eigenvectors.

J = Q [[T11, T12], [0, T22]] Q^T,   T11 X - X T22 = T12,   P = Q [[I, X], [0, 0]] Q^T

The real Schur form is ordered so that the chosen eigenvalues stand in T11; then the columns of
``R = Q_1`` span their right subspace, the rows of ``L = Q_1^T + X Q_2^T`` their left one, with
``L R = I`` and ``P = R L``. All of it is as well conditioned as P is small, defective or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.linalg import get_lapack_funcs, schur

_lapack: Any = get_lapack_funcs(("trsen", "trsyl"), dtype=np.float64)
trsen, trsyl = _lapack


@dataclass(frozen=True, kw_only=True, eq=False)
class Invariant:
    """The subspace of m eigenvalues of J.

    Attributes:
        basis: R, orthonormal columns, (N, m).
        dual: L, rows with ``dual @ basis = I``, (m, N).
        block: J within it, ``L J R``, (m, m).
        norm: ``||P||_2``, the condition of the mean of the eigenvalues: 1 where the left and the
            right subspace agree.
        separation: an estimate of sep(T11, T22), the distance to the other eigenvalues as the
            subspace feels it: a change E of J turns it by about ``||E|| / separation``; inf where
            there are no others.
    """

    basis: np.ndarray
    dual: np.ndarray
    block: np.ndarray
    norm: float
    separation: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SchurForm:
    """``J = Q T Q^T``, T quasi-triangular, with its eigenvalues in the order they stand in it."""

    T: np.ndarray
    Q: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, J: np.ndarray) -> Self:
        """Of a real matrix (N, N)."""
        T, Q = schur(J, output="real")[:2]
        nothing = np.zeros(len(J), dtype=np.int32)
        _, _, real, imag, *_ = trsen(nothing, T, Q, job=b"N", wantq=0)
        return cls(T=T, Q=Q, values=real + 1j * imag)

    def invariant(self, chosen: np.ndarray) -> Invariant | None:
        """The subspace of the chosen eigenvalues, (N,) bool, conjugate pairs whole.

        None where they stand too close to others to be told apart from them.

        Source:
            Bai & Demmel 1993 (ordering); Bartels & Stewart 1972 (X)
        """
        m, width = int(chosen.sum()), len(self.T)
        rest = max(1, m * (width - m))
        select = chosen.astype(np.int32)
        T, Q, *_, sep, info = trsen(
            select, self.T, self.Q, job=b"B", lwork=max(width, 2 * rest), liwork=rest
        )
        if info != 0:
            return None
        right, others = Q[:, :m], Q[:, m:]
        block = T[:m, :m]
        if m == width:
            return Invariant(basis=right, dual=right.T, block=block, norm=1.0, separation=np.inf)
        X, scale, info = trsyl(block, T[m:, m:], T[:m, m:], isgn=-1)
        if info != 0 or not np.isfinite(X).all() or scale == 0:
            return None
        X = X / scale
        return Invariant(
            basis=right,
            dual=right.T + X @ others.T,
            block=block,
            norm=float(np.sqrt(1 + np.linalg.norm(X, 2) ** 2)),
            separation=float(sep),
        )
