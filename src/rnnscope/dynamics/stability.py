"""What kind of point a linearization makes of it, from the moduli of its eigenvalues.

|lambda| < 1 decays, |lambda| > 1 grows, and within a tolerance of 1 the linearization does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isinf, log, pi
from typing import Literal, Self

import torch
from torch import Tensor

from rnnscope.errors import DataError, UsageError

MARGIN = 1e-6
"""Closer to 1 than this, a modulus is marginal: a time constant of a million steps."""

Kind = Literal["stable node", "stable spiral", "marginal", "saddle", "repeller", "unstable"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stability:
    """The kind of one point. It speaks of the linearization: how far it holds is another matter.

    Attributes:
        kind: "stable node" or "stable spiral": every mode decays, the slowest straight or turning;
            "marginal": none grows, some neither grow nor decay; "saddle": some grow, not all;
            "repeller": all grow; "unstable": all that are known grow.
        index: modes that grow; at least this many where not ``exact``.
        marginal: known modes within ``tolerance`` of modulus 1.
        width: all modes there are.
        tolerance: what counts as modulus 1.
        exact: whether no growing mode can be among those not known.
        sentence: in words.
    """

    kind: Kind
    index: int
    marginal: int
    width: int
    tolerance: float
    exact: bool
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @classmethod
    def of(cls, eigenvalues: Tensor, *, width: int, tolerance: float = MARGIN) -> Self:
        """From the eigenvalues of largest modulus, falling, (K,), of a matrix ``width`` wide.

        Raises:
            DataError: an eigenvalue that is not finite.
            UsageError: a tolerance that is not from 0 to 1.
        """
        if not 0 <= tolerance < 1:
            raise UsageError(
                "The tolerance is a distance of |lambda| from 1.",
                expected="0 to 1",
                got=repr(tolerance),
            )
        modulus = eigenvalues.abs()
        if not torch.isfinite(modulus).all():
            raise DataError(
                "Stability is read from eigenvalues that are finite.",
                expected="finite numbers",
                got=f"{int((~torch.isfinite(modulus)).sum())} of {len(modulus)} that are not",
            )
        index = int((modulus > 1 + tolerance).sum())
        marginal = int(((modulus - 1).abs() <= tolerance).sum())
        exact = len(eigenvalues) == width or index < len(eigenvalues)
        kind = _kind(eigenvalues, index=index, marginal=marginal, width=width)
        parts = [_head(kind, index, width=width, exact=exact)]
        if index:
            parts.append(f"the fastest growth is {_motion(eigenvalues[0], grows=True)}")
        decaying = eigenvalues[modulus < 1 - tolerance]
        if len(decaying):
            parts.append(f"the slowest decay is {_motion(decaying[0], grows=False)}")
        if marginal:
            some = "1 mode is" if marginal == 1 else f"{marginal} modes are"
            if len(eigenvalues) < width and modulus[-1] >= 1 - tolerance:
                some = f"at least {some}"
            parts.append(f"{some} marginal, within {tolerance:.1g} of modulus 1")
        return cls(
            kind=kind,
            index=index,
            marginal=marginal,
            width=width,
            tolerance=tolerance,
            exact=exact,
            sentence="; ".join(parts) + ".",
        )


def _kind(eigenvalues: Tensor, *, index: int, marginal: int, width: int) -> Kind:
    if index == len(eigenvalues):
        return "repeller" if index == width else "unstable"
    if index:
        return "saddle"
    if marginal:
        return "marginal"
    return "stable spiral" if bool(eigenvalues[0].imag != 0) else "stable node"


def _head(kind: Kind, index: int, *, width: int, exact: bool) -> str:
    number = str(index) if exact else f"at least {index}"
    return {
        "stable node": f"A stable node: all {width} modes decay, the slowest without turning",
        "stable spiral": f"A stable spiral: all {width} modes decay, the slowest turning",
        "marginal": f"Marginal: none of {width} modes grows, and not all decay",
        "saddle": f"A saddle of index {number}: {number} of {width} modes grow",
        "repeller": f"A repeller: all {width} modes grow",
        "unstable": f"Unstable: {number} of {width} modes grow; the others are not known",
    }[kind]


def _motion(value: Tensor, *, grows: bool) -> str:
    modulus, angle = float(value.abs()), float(torch.angle(value).abs())
    rate = abs(log(modulus)) if modulus > 0 else float("inf")
    text = "at once" if isinf(rate) else f"by e in {1 / rate:.3g} steps"
    if value.imag != 0:
        return f"{text}, turning once in {2 * pi / angle:.3g}"
    return f"{text}, changing sign every step" if value.real < 0 else text
