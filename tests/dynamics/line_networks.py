"""Small networks that read words: one that adds up valences on a line, and some that do not."""

from __future__ import annotations

import numpy as np
import torch

from rnnscope.cells import GRU, Vanilla
from rnnscope.data import Corpus, Vocabulary
from rnnscope.dynamics import WordClasses
from rnnscope.models import Direction, Layer, Model, Readout


def names(count: int) -> dict[str, tuple[str, ...]]:
    """``count`` words of each kind."""
    kinds = ("positive", "negative", "neutral")
    return {kind: tuple(f"{kind}{k}" for k in range(count)) for kind in kinds}


def classes(count: int, *, shuffled: int | None = None) -> WordClasses:
    """The words by their kind, or positive and negative ones shuffled by a seed."""
    words = names(count)
    if shuffled is not None:
        both = [*words["positive"], *words["negative"]]
        both = [both[k] for k in np.random.default_rng(shuffled).permutation(len(both))]
        words |= {"positive": tuple(both[:count]), "negative": tuple(both[count:])}
    return WordClasses(**words, values={}, classes=("bad", "good"))


def embedding(count: int, width: int, *, noise: float, rng: int) -> torch.Tensor:
    """Word vectors whose first entry is the valence, 1, -1 or 0 and noise, the others random."""
    generator = torch.Generator().manual_seed(rng)
    table = torch.randn(3 * count, width, generator=generator, dtype=torch.float64)
    valence = torch.tensor([1.0, -1.0, 0.0], dtype=torch.float64).repeat_interleave(count)
    table[:, 0] = valence + noise * table[:, 0]
    return table


def line_network(
    *,
    slow: float = 0.995,
    fast: float = 0.5,
    fastest: float = 0.2,
    units: int = 24,
    width: int = 16,
    count: int = 60,
    noise: float = 0.3,
    gain: float = 0.01,
    rng: int = 0,
) -> Model:
    """``h' = tanh(V h + W x)``: V symmetric with one slow eigenvalue, along whose direction q the
    first entry of a word pushes and the readout looks; the other entries push across it."""
    generator = torch.Generator().manual_seed(rng)
    Q = torch.linalg.qr(torch.randn(units, units, generator=generator, dtype=torch.float64)).Q
    values = torch.linspace(fast, fastest, units, dtype=torch.float64)
    values[0] = slow
    across = torch.randn(units - 1, width, generator=generator, dtype=torch.float64)
    across[:, 0] = 0
    W = gain * (Q[:, 1:] @ across) / units**0.5
    W[:, 0] = gain * Q[:, 0]
    cell = Vanilla(W=W, V=Q @ torch.diag(values) @ Q.mT, b=torch.zeros(units, dtype=torch.float64))
    words = names(count)
    return Model(
        layers=(Layer(directions=(Direction(cell=cell),)),),
        embedding=embedding(count, width, noise=noise, rng=rng),
        vocabulary=Vocabulary(words=tuple(w for kind in words.values() for w in kind)),
        readout=Readout.of(20 * Q[None, :, 0]),
        classes=("bad", "good"),
    )


def random_gru(*, units: int = 32, width: int = 24, count: int = 60, rng: int = 0) -> Model:
    """A GRU whose weights were drawn as torch draws them; its words mean nothing to it."""
    generator = torch.Generator().manual_seed(rng)

    def drawn(*shape: int) -> torch.Tensor:
        noise = torch.rand(*shape, generator=generator, dtype=torch.float64)
        return (2 * noise - 1) / units**0.5

    cell = GRU(
        W=drawn(3 * units, width), V=drawn(3 * units, units), b=drawn(3 * units), a=drawn(units)
    )
    words = names(count)
    table = torch.randn(3 * count, width, generator=generator, dtype=torch.float64)
    return Model(
        layers=(Layer(directions=(Direction(cell=cell),)),),
        embedding=table,
        vocabulary=Vocabulary(words=tuple(w for kind in words.values() for w in kind)),
        readout=Readout.of(drawn(1, units)),
        classes=("bad", "good"),
    )


def documents(
    model: Model, count: int = 150, *, longest: int = 60, rng: int = 0
) -> list[list[str]]:
    """Random words of the model's vocabulary."""
    generator = np.random.default_rng(rng)
    words = model.vocabulary.words
    sizes = generator.integers(2, longest, size=count)
    return [[words[k] for k in generator.integers(0, len(words), n)] for n in sizes]


def corpus(model: Model, count: int = 300, *, rng: int = 0) -> Corpus:
    """Random documents with one kind of valence each more often, labelled by their valence."""
    generator = np.random.default_rng(rng)
    kinds = names(len(model.vocabulary.words) // 3)
    rows, labels = [], []
    for _ in range(count):
        label = int(generator.integers(2))
        shares = (0.45, 0.15, 0.4) if label else (0.15, 0.45, 0.4)
        chosen = generator.choice(["positive", "negative", "neutral"], size=20, p=shares)
        rows.append(tuple(str(generator.choice(kinds[kind])) for kind in chosen))
        labels.append(label)
    return Corpus(documents=tuple(rows), labels=np.array(labels), classes=("bad", "good"))
