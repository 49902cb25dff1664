"""The eigenmodes of matrices by a full decomposition: ``J = R Lambda L``, ``L = R^-1``."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.dynamics.linalg import eigenvectors, inverse


def eigenmodes(
    J: Tensor, *, count: int, readout: Tensor | None = None, spare: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalues and the vectors of the first modes of each matrix.

    Args:
        J: (P, N, N) real.
        count: modes whose vectors are kept; one more where that cuts a conjugate pair of any
            matrix.
        readout: (N,), along which the sign of a real r_a is chosen.
        spare: always keep that one more, so that batches can be joined and then cut alike.

    Returns:
        Eigenvalues by falling |lambda| (P, N), unit columns r_a (P, N, count), rows l_a^T of R^-1
        (P, count, N), not finite where R is singular.
    """
    values, R = eigenvectors(J)
    order = by_modulus(values)
    values = values.gather(-1, order)
    R = R.gather(-1, order[:, None, :].expand_as(R))
    count = min(count + 1, values.shape[-1]) if spare else uncut(values, count)
    R = R * signs(values, R, readout)[:, None, :]
    return values, R[..., :count].clone(), inverse(R)[:, :count].clone()


def by_modulus(values: Tensor) -> Tensor:
    """The order of eigenvalues (P, K) by falling |lambda|, ties by falling real part; conjugate
    pairs adjacent, the one with positive imaginary part first, (P, K)."""
    orders = []
    # LAPACK lists a pair side by side, positive first, with moduli equal to the last bit.
    for row in values.tolist():
        keys = [(-abs(v), -v.real, abs(v.imag), k - (v.imag < 0), k) for k, v in enumerate(row)]
        orders.append([key[-1] for key in sorted(keys)])
    return torch.tensor(orders, dtype=torch.long).reshape(values.shape)


def uncut(values: Tensor, count: int) -> int:
    """``count``, or one more where it cuts a conjugate pair of any row of sorted values (P, K)."""
    width = values.shape[-1]
    if count >= width:
        return width
    return count + bool((values[:, count - 1].imag > 0).any())


def signs(values: Tensor, R: Tensor, readout: Tensor | None) -> Tensor:
    """The sign of each column, (P, K): largest component positive; for a real column, along the
    readout where it sees it."""
    largest = R.abs().argmax(-2, keepdim=True)
    along = R.gather(-2, largest).squeeze(-2).real
    if readout is not None:
        seen = (R.real * readout[:, None]).sum(-2)
        sees = (values.imag == 0) & (seen.abs() > 1e-12 * readout.norm())
        along = torch.where(sees, seen, along)
    return torch.where(along < 0, -1.0, 1.0)
