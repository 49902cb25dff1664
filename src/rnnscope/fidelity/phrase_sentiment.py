"""Do a network's phrase scores follow what people say of the phrases?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from rnnscope.errors import DataError
from rnnscope.fidelity.trees import TreePhrase
from rnnscope.notebook import ShowsItself
from rnnscope.scores import WordScores
from rnnscope.scores import contrast as contrast_of
from rnnscope.statistics import Estimate, correlation, finite

LENGTHS = ((1, 1), (2, 2), (3, 5), (6, 10), (11, 10_000))
"""Words of a phrase, from and to, that are looked at together."""


@dataclass(frozen=True, kw_only=True)
class PhraseCorrelationRow:
    """The phrases of some lengths.

    Args:
        shortest, longest: their words.
        phrases: how many.
        pearson, spearman: correlation with the labels; NaN where either is constant.
    """

    shortest: int
    longest: int
    phrases: int
    pearson: Estimate
    spearman: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class PhraseCorrelation(ShowsItself):
    """Correlation of phrase scores with labels. Intervals draw whole sentences, since the phrases
    of a sentence contain each other.

    Args:
        rows: by length, where there are any.
        overall: all phrases together.
    """

    rows: tuple[PhraseCorrelationRow, ...]
    overall: PhraseCorrelationRow

    def to_frame(self) -> pl.DataFrame:
        """One row for each group of lengths, the last for all."""
        return pl.DataFrame([_flat(row) for row in (*self.rows, self.overall)])

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: None for what is not a number."""
        return {"rows": [_flat(row) for row in self.rows], "overall": _flat(self.overall)}

    def __repr__(self) -> str:
        lines = [f"PhraseCorrelation({self.overall.phrases} phrases)"]
        for row in (*self.rows, self.overall):
            span = f"{row.shortest}" + (f"-{row.longest}" if row.longest > row.shortest else "")
            lines.append(
                f"  {span:>6s} words  {row.phrases:7,d}  Pearson {row.pearson}  "
                f"Spearman {row.spearman}"
            )
        return "\n".join(lines)


def phrase_correlation(
    scores: Callable[[TreePhrase], float] | np.ndarray,
    phrases: Sequence[TreePhrase],
    *,
    lengths: Sequence[tuple[int, int]] = LENGTHS,
    seed: int = 0,
) -> PhraseCorrelation:
    """Correlate a phrase score with people's labels, by length.

    Args:
        scores: (phrases,), or a function that scores one phrase; see ``summed_scores``.
        phrases: from ``tree_phrases``.
        lengths: groups of lengths, from and to.
        seed: of the draws.

    Raises:
        DataError: no phrase, not one score for each, or scores that are not finite.
    """
    if callable(scores) and all(isinstance(phrase, TreePhrase) for phrase in phrases):
        scores = np.array([scores(phrase) for phrase in phrases], dtype=float)
    try:
        values = np.asarray(scores, dtype=float)
    except (TypeError, ValueError):
        values = np.empty((0, 0))
    if not all(isinstance(phrase, TreePhrase) for phrase in phrases):
        raise DataError("Phrases are those of read trees.", got="other things")
    if not len(phrases) or values.shape != (len(phrases),):
        raise DataError(
            "There must be one score for each phrase.",
            expected=f"{len(phrases)} scores, at least one",
            got=f"an array of shape {values.shape}",
        )
    if not np.isfinite(values).all():
        raise DataError("Scores must be finite numbers.", got="some that are not")
    labels = np.array([phrase.label for phrase in phrases], dtype=float)
    words = np.array([phrase.length for phrase in phrases])
    groups = np.array([phrase.sentence for phrase in phrases])

    def row(shortest: int, longest: int) -> PhraseCorrelationRow:
        chosen = (words >= shortest) & (words <= longest)
        x, y, owner = values[chosen], labels[chosen], groups[chosen]
        return PhraseCorrelationRow(
            shortest=shortest,
            longest=min(longest, int(words.max())),
            phrases=int(chosen.sum()),
            pearson=correlation(x, y, seed=seed, groups=owner),
            spearman=correlation(x, y, seed=seed, groups=owner, rank=True),
        )

    rows = [row(*span) for span in lengths if span[0] <= words.max()]
    return PhraseCorrelation(
        rows=tuple(r for r in rows if r.phrases), overall=row(1, int(words.max()))
    )


def summed_scores(
    scores: WordScores, phrases: Sequence[TreePhrase], *, class_index: int | None = None
) -> np.ndarray:
    """A phrase's score as the sum of its words' scores in the sentence it stands in, (phrases,).

    Args:
        scores: of the sentences the phrases are from, in their order.
        phrases: from ``tree_phrases``.
        class_index: the class whose score is summed; with None class 1 minus class 0.

    Raises:
        DataError: a phrase lies outside of the scored sentences.
    """
    values = scores.values.double()
    chosen = contrast_of(values) if class_index is None else values[:, class_index]
    total = np.concatenate([[0.0], np.cumsum(chosen.cpu().numpy())])
    where = np.array([(p.sentence, p.start, p.stop) for p in phrases], dtype=int).reshape(-1, 3)
    lengths = np.diff(scores.offsets)
    outside = (where[:, 0] >= len(scores)) | (where[:, 0] < 0)
    outside |= where[:, 2] > lengths[np.minimum(where[:, 0], len(scores) - 1)]
    if outside.any():
        raise DataError(
            "The scores must be of the sentences that the phrases are from.",
            expected=f"a part of one of {len(scores)} sentences",
            got=str(phrases[int(outside.argmax())]),
        )
    start = scores.offsets[where[:, 0]]
    return total[start + where[:, 2]] - total[start + where[:, 1]]


def _flat(row: PhraseCorrelationRow) -> dict[str, Any]:
    flat: dict[str, Any] = {
        "shortest": row.shortest,
        "longest": row.longest,
        "phrases": row.phrases,
    }
    for name, estimate in (("pearson", row.pearson), ("spearman", row.spearman)):
        flat[name] = finite(estimate.value)
        flat |= {f"{name}_low": finite(estimate.low), f"{name}_high": finite(estimate.high)}
    return flat
