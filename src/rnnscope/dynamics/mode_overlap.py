"""How far a mode at one point is a mode at another: ``|l_a^T r'_b| |l'_b^T r_a|``.

Left and right vectors of different modes are biorthogonal, so the product is 1 for the same mode
and 0 for another, however oblique the modes are, and no scale or sign of the vectors enters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True, eq=False)
class Vectors:
    """Some modes at a point: unit columns r_a (N, K), rows l_a^T with ``l_a^T r_a = 1`` (K, N)."""

    right: Complex
    left: Complex


def mode_overlap(first: Vectors, second: Vectors) -> NDArray[np.float64]:
    """Square root of the product of modes a of one point and b of another, from 0 to 1, (K, K').

    Above 1, where modes are oblique, its inverse stands. Where left vectors are not finite,
    ``|r_a^H r_b|``.
    """
    with np.errstate(all="ignore"):
        there, back = first.left @ second.right, (second.left @ first.right).T
        s = np.sqrt(np.abs(there) * np.abs(back))
        s = np.where(s > 1, 1 / s, s)
    return np.where(np.isfinite(s), s, np.abs(first.right.conj().T @ second.right))
