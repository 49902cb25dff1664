"""Counterfactual edits (Kaushik, Hovy & Lipton 2020): people changed as few words as they could to
turn a text's sentiment round. The words they changed are where the sentiment stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from scipy import stats

from rnnscope.errors import DataError, UsageError
from rnnscope.fidelity.documents import towards
from rnnscope.notebook import ShowsItself
from rnnscope.scores import Score, WordScores
from rnnscope.statistics import Estimate, correlation, mean

Pair = tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class CounterfactualEdits(ShowsItself):
    """Whether a score finds the words that people changed. Intervals draw whole pairs.

    Args:
        method: the score.
        signed: whether words count by how much they speak for the network's class, or by how
            much they speak at all.
        auc: the chance that a changed word scores above an unchanged one of the same text; 0.5 by
            chance.
        precision: share of changed words among as many top words as were changed.
        mass: share of the text's total score that lies on the changed words. With ``signed`` only
            what speaks for the class counts.
        uniform: what precision and mass are by chance: the share of words that were changed.
        precision_gain, mass_gain: by how much chance is beaten, text by text.
        change: correlation over pairs of the change in the network's logit with the change in the
            scores of the changed words alone; 1 where the words that were not changed keep what
            they say. (With every word's score it is 1 for any score that adds up to the logit.)
        texts: texts looked at.
        left_out: texts in which no word, or every word, was changed.
        sentence: what it says.
    """

    method: str
    signed: bool
    auc: Estimate
    precision: Estimate
    mass: Estimate
    uniform: Estimate
    precision_gain: Estimate
    mass_gain: Estimate
    change: Estimate
    texts: int
    left_out: int
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: None for what is not a number."""
        found: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            found[name] = value.to_dict() if isinstance(value, Estimate) else value
        return found

    def __repr__(self) -> str:
        return (
            f"CounterfactualEdits({self.method}, {self.texts} texts)\n"
            f"  AUC {self.auc}  precision {self.precision}  mass {self.mass}\n"
            f"  by chance 0.500, {self.uniform}; change of the logit {self.change}\n"
            f"  {self.sentence}"
        )


def edited_words(original: Sequence[str], revised: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Which words of each text the other does not share, (words,) true/false each.

    The longest common runs of words are matched first (difflib). A word that was only put in
    leaves no mark in the text that lacks it.
    """
    first, second = np.zeros(len(original), dtype=bool), np.zeros(len(revised), dtype=bool)
    matcher = SequenceMatcher(a=list(original), b=list(revised), autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            first[a:b] = True
            second[c:d] = True
    return first, second


def counterfactual_edits(
    pairs: Iterable[Pair],
    score: Score | Callable[[list[list[str]]], WordScores],
    *,
    signed: bool = False,
    seed: int = 0,
) -> CounterfactualEdits:
    """Hold a score against the words that people changed to turn a text round.

    Args:
        pairs: original and revised text, as words.
        score: a score of the network, or a function from documents to word scores.
        signed: rank words by how much they speak for the network's class of the text, rather than
            by how much they speak for or against it.
        seed: of the draws.

    Raises:
        DataError: no pair, or an empty text.
        UsageError: a pair is not two lists of words.
    """
    originals, revisions = _unzipped(pairs)
    make = score.score if isinstance(score, Score) else score
    scores = [make(originals), make(revisions)]
    marks = [edited_words(a, b) for a, b in zip(originals, revisions, strict=True)]
    rows: list[tuple[float, ...]] = []
    owners: list[int] = []
    left_out = 0
    for side, of_texts in enumerate(scores):
        for k, values in enumerate(towards(of_texts, of_texts.predictions)):
            changed = marks[k][side]
            if len(values) != len(changed):
                raise DataError(
                    "There must be one score for each word.",
                    expected=f"{len(changed)} scores of text {k}",
                    got=str(len(values)),
                )
            if changed.all() or not changed.any():
                left_out += 1
                continue
            rows.append(_of_text(values if signed else np.abs(values), changed))
            owners.append(k)
    table, owner = np.array(rows).reshape(-1, 4), np.array(owners, dtype=int)

    def over(values: np.ndarray) -> Estimate:
        known = np.isfinite(values)
        return mean(values[known], groups=owner[known], seed=seed)

    auc, precision, mass, uniform = table.T
    found = over(auc)
    return CounterfactualEdits(
        method=scores[0].method,
        signed=signed,
        auc=found,
        precision=over(precision),
        mass=over(mass),
        uniform=over(uniform),
        precision_gain=over(precision - uniform),
        mass_gain=over(mass - uniform),
        change=_change(scores, marks, seed),
        texts=len(rows),
        left_out=left_out,
        sentence=_sentence(found, left_out),
    )


def _unzipped(pairs: Iterable[Pair]) -> tuple[list[list[str]], list[list[str]]]:
    originals: list[list[str]] = []
    revisions: list[list[str]] = []
    for k, pair in enumerate(pairs):
        sized = isinstance(pair, Sequence)
        if not sized or len(pair) != 2 or any(isinstance(text, str) for text in pair):
            raise UsageError(
                "A pair is two lists of words.",
                expected="(original words, revised words)",
                got=f"pair {k}: {str(pair)[:60]}",
                fix="cut texts with model.tokenize(text)",
            )
        originals.append(list(pair[0]))
        revisions.append(list(pair[1]))
    if not originals:
        raise DataError("There must be at least one pair.", got="none")
    return originals, revisions


def _of_text(values: np.ndarray, changed: np.ndarray) -> tuple[float, float, float, float]:
    """AUC, precision, mass and the share of changed words of one text."""
    inside, count = int(changed.sum()), len(changed)
    ranks = stats.rankdata(values)
    auc = (ranks[changed].sum() - inside * (inside + 1) / 2) / (inside * (count - inside))
    # Where equal scores straddle the cut, the expectation over their orders.
    cut = np.sort(values)[count - inside]
    above, at = values > cut, values == cut
    expected = changed[above].sum() + changed[at].mean() * (inside - above.sum())
    positive = np.maximum(values, 0)
    total = positive.sum()
    mass = positive[changed].sum() / total if total > 0 else float("nan")
    return auc, expected / inside, mass, inside / count


def _change(
    scores: Sequence[WordScores], marks: Sequence[tuple[np.ndarray, np.ndarray]], seed: int
) -> Estimate:
    """Each pair oriented towards the network's class of the original."""
    labels = scores[0].predictions
    said, logits = [], []
    for side, of_texts in enumerate(scores):
        pushes = towards(of_texts, labels)
        said.append([values[m[side]].sum() for values, m in zip(pushes, marks, strict=True)])
        z = of_texts.logits.double().cpu().numpy()
        others = (z.sum(axis=1) - z[np.arange(len(z)), labels]) / (z.shape[1] - 1)
        logits.append(z[np.arange(len(z)), labels] - others)
    return correlation(np.subtract(said[1], said[0]), np.subtract(logits[1], logits[0]), seed=seed)


def _sentence(auc: Estimate, left_out: int) -> str:
    without = f" {left_out} texts have no changed or no unchanged word." if left_out else ""
    if not auc.known:
        return f"No text has both changed and unchanged words.{without}"
    if not np.isfinite(auc.low):
        return f"One pair gives no interval, so nothing can be said of others.{without}"
    if auc.low > 0.5:
        return f"The score is higher on the words that people changed than on others.{without}"
    if auc.high < 0.5:
        return f"The score is lower on the words that people changed than on others.{without}"
    return f"The score does not tell the words that people changed from others.{without}"
