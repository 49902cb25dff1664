"""Networks that add up what they read: exact lines and planes of fixed points."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnscope.cells import LSTM, Vanilla
from rnnscope.data import Vocabulary
from rnnscope.errors import UsageError
from rnnscope.models import Direction, Layer, Model, Readout
from rnnscope.synthetic.attractor import SATURATED, Attractor

PUSH = 0.1
"""What a plain word adds to the memory; a strong one adds three times that."""


def half_line(*, units: int = 4, contraction: float = 0.5) -> Attractor:
    """Exactly the half-line ``h = s (1, ..., 1), s >= 0``, in a relu network.

    ``V = (1 - rho) / n 1 1^T + rho I``: eigenvalue 1 along the line, rho across it. A power of two
    for ``units`` keeps the arithmetic exact.
    """
    ones = torch.ones(units, units, dtype=torch.float64)
    eye = torch.eye(units, dtype=torch.float64)
    cell = Vanilla(
        W=eye[:, :1].clone(),
        V=(1 - contraction) / units * ones + contraction * eye,
        b=torch.zeros(units, dtype=torch.float64),
        nonlinearity="relu",
    )
    eigenvalues = torch.full((units,), contraction, dtype=torch.float64)
    eigenvalues[0] = 1.0
    return Attractor(
        cell=cell,
        sentence="Fixed points form the half-line s (1, ..., 1), s >= 0.",
        continuum=lambda s: s.clamp_min(0) * torch.ones(units, dtype=torch.float64),
        dimension=1,
        continuum_eigenvalues=eigenvalues,
    )


def lstm_integrator(*, units: int = 4, kept: int = 1, inputs: int = 2) -> Attractor:
    """An LSTM whose first ``kept`` cells never forget; the others halve every step.

    At zero input ``c' = c`` and ``h = tanh(c) / 2`` for the kept cells: a curved continuum of
    ``kept`` dimensions. Input k is added to kept cell k, as ``tanh(x_k)``; inputs beyond the kept
    cells do nothing.

    Raises:
        UsageError: more cells are to be kept than there are.
    """
    if not 0 < kept <= units:
        raise UsageError(
            "An integrator keeps at least one of its cells.",
            expected=f"kept from 1 to {units}, the number of units",
            got=str(kept),
        )
    gate = torch.zeros(4, units, inputs, dtype=torch.float64)
    gate[2, :kept] = torch.eye(kept, inputs, dtype=torch.float64)
    bias = torch.zeros(4, units, dtype=torch.float64)
    bias[0] = SATURATED
    bias[1, :kept] = SATURATED
    cell = LSTM(
        W=gate.reshape(4 * units, inputs),
        V=torch.zeros(4 * units, units, dtype=torch.float64),
        b=bias.reshape(-1),
    )

    def continuum(c: Tensor) -> Tensor:
        memory = torch.nn.functional.pad(c, (0, units - kept))
        return torch.cat([torch.tanh(memory) / 2, memory], dim=-1)

    keeps = [1.0] * kept + [0.5] * (units - kept) + [0.0] * units
    return Attractor(
        cell=cell,
        sentence=f"{kept} cells never forget: their fixed points have {kept} dimensions.",
        continuum=continuum,
        dimension=kept,
        continuum_eigenvalues=torch.tensor(keeps, dtype=torch.float64),
        reach=2.0,
    )


def line_model(*, units: int = 4) -> Model:
    """``lstm_integrator`` as a model that reads words: good, bad, very_good, very_bad, the.

    The embedding's first entry is what a word adds to the line; the readout looks along it.
    """
    pushes = {"the": 0.0, "good": PUSH, "bad": -PUSH, "very_good": 3 * PUSH, "very_bad": -3 * PUSH}
    embedding = torch.zeros(len(pushes), 2, dtype=torch.float64)
    embedding[:, 0] = torch.tensor(list(pushes.values()), dtype=torch.float64).atanh()
    weight = torch.zeros(2, units, dtype=torch.float64)
    weight[0, 0], weight[1, 0] = -2.0, 2.0
    return _reader(embedding, tuple(pushes), weight, ("bad", "good"), kept=1)


def simplex_model(*, classes: int = 3, units: int = 6) -> Model:
    """A model that counts words of K classes on an exact continuum of K - 1 dimensions.

    For three classes a plane. A word of a class moves the memory along that class's direction,
    one corner of a regular simplex (three corners at 120 degrees), and the readout looks along
    the same corners: the class with most words wins while the memory is well below 1. Words: the,
    then for each class its name (a, b, c, ...) and very_<name>, which counts three times.

    Raises:
        UsageError: fewer than two classes, more than 26, or fewer units than dimensions.

    Source:
        Aitken et al. 2021
    """
    if not 2 <= classes <= min(26, units + 1):
        raise UsageError(
            "A simplex of K classes has K - 1 dimensions, each kept by one unit.",
            expected=f"2 to {min(26, units + 1)} classes with {units} units",
            got=str(classes),
            fix="use more units",
        )
    corners = simplex(classes)
    names = tuple("abcdefghijklmnopqrstuvwxyz"[:classes])
    words = ("the", *(word for name in names for word in (name, f"very_{name}")))
    pushes = torch.zeros(len(words), classes - 1, dtype=torch.float64)
    pushes[1::2], pushes[2::2] = PUSH * corners, 3 * PUSH * corners
    weight = torch.zeros(classes, units, dtype=torch.float64)
    weight[:, : classes - 1] = 2 * corners
    return _reader(pushes.atanh(), words, weight, names, kept=classes - 1)


def simplex(corners: int) -> Tensor:
    """The corners of a regular simplex around 0, unit vectors, (K, K - 1).

    Every two have the cosine ``-1 / (K - 1)``: 120 degrees for three.
    """
    # Helmert's basis of the vectors whose entries sum to 0.
    rows = torch.ones(corners, corners, dtype=torch.float64).triu(1)[:-1]
    steps = torch.arange(1, corners, dtype=torch.float64)
    rows[torch.arange(corners - 1), torch.arange(corners - 1)] = -(corners - steps)
    basis = rows / torch.linalg.vector_norm(rows, dim=-1, keepdim=True)
    return -basis.mT / (1 - 1 / corners) ** 0.5


def _reader(
    embedding: Tensor,
    words: tuple[str, ...],
    weight: Tensor,
    classes: tuple[str, ...],
    *,
    kept: int,
) -> Model:
    """An LSTM integrator with an embedding before it and a readout after it."""
    units, inputs = weight.shape[-1], embedding.shape[-1]
    cell = lstm_integrator(units=units, kept=kept, inputs=inputs).cell
    return Model(
        layers=(Layer(directions=(Direction(cell=cell),)),),
        embedding=embedding,
        vocabulary=Vocabulary(words=words),
        readout=Readout(weight=weight, bias=weight.new_zeros(len(classes))),
        classes=classes,
    )
