"""The choices of phrase extraction, named (Murdoch & Szlam 2017)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from rnnscope.errors import UsageError

Test = Literal["ratio", "raw"]
Importance = Literal["mean_ratio", "ratio_of_means", "mean_log", "lower_bound", "sum"]
Runs = Literal["parts", "maximal"]


LONGEST = 1_000
"""The most words of an n-gram."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PhraseOptions:
    """Murdoch & Szlam's choices, named. The paper leaves several open; each default says why.

    Args:
        word_threshold: c, how important every word of a candidate must be for one class. 1.1 is
            the paper's.
        max_length: words in a phrase at most. 5 is the paper's.
        min_count: occurrences in the corpus at least. 5: the mean of fewer says little, and a
            phrase seen once leads every list that is ordered by an estimate.
        test: what is held against c. "ratio" (default): beta_i over the geometric mean of the
            other classes' beta. "raw": beta_i itself, as the paper writes it. Adding one vector to
            every row of the readout changes no probability, but it changes what passes "raw", so
            "ratio" is the default. For two classes with W_0 = -W_1 the ratio is the square of the
            raw score.
        importance: what S_i is; s is the log-ratio of an occurrence, the sum over its words.
            "mean_ratio" (default): the mean over occurrences of exp(s_i), unchanged by that vector.
            "ratio_of_means": the paper's, the mean product of beta_i over the (geometric mean of
            the other classes') mean product, which is not.
            "mean_log": exp of the mean of s_i, a geometric mean that no single occurrence rules.
            "lower_bound": exp of the lower end of the 95 % interval of the mean of s_i, so that
            rare phrases do not lead the list; phrases of one document have no interval and are
            left out.
            "sum": for scores without a sign, such as norms of gradients. A word counts by its
            share of the largest norm in its document, which takes the place of log beta in the
            threshold (share > log c) too; log S is the mean over occurrences of the sum of
            shares, and the class is the one the network gives most of the documents that hold
            the phrase (the earlier class where two tie).
        runs: which parts of a run of words above c are candidates. "parts" (default): every part,
            since a part may be the phrase that matters elsewhere. "maximal": the longest parts of
            at most max_length words, those that no longer candidate of that occurrence contains.
        min_importance: S at least; 0 keeps all.
        max_phrases: keep the first so many; all when None.
        split: the part of the corpus to mine ("train", "validation" or "test"), where the parts
            are given as ``mine_phrases(scores, splits=corpus.splits, split=...)``; None, the
            default, mines every document that was scored. Mine what the network was not judged
            on: a list mined and judged on the same text flatters itself.
    """

    word_threshold: float = 1.1
    max_length: int = 5
    min_count: int = 5
    test: Test = "ratio"
    importance: Importance = "mean_ratio"
    runs: Runs = "parts"
    min_importance: float = 0.0
    max_phrases: int | None = None
    split: str | None = None

    @classmethod
    def checked(cls, **options: object) -> PhraseOptions:
        """The options, or a UsageError that names the one at fault."""
        for name in options:
            if name not in cls.__dataclass_fields__:
                raise UsageError(
                    "The option must exist.", expected=", ".join(cls.__dataclass_fields__), got=name
                )
        chosen = cls(**options)  # type: ignore[arg-type]
        least = chosen.min_importance
        rules = (
            (_is_number(chosen.word_threshold, above=0), "word_threshold", "a number above 0"),
            (
                _is_count(chosen.max_length) and chosen.max_length <= LONGEST,
                "max_length",
                f"at least 1 word, at most {LONGEST}",
            ),
            (_is_count(chosen.min_count), "min_count", "at least 1 occurrence"),
            (chosen.test in get_args(Test), "test", _listed(Test)),
            (chosen.importance in get_args(Importance), "importance", _listed(Importance)),
            (chosen.runs in get_args(Runs), "runs", _listed(Runs)),
            (least == 0 or _is_number(least, above=0), "min_importance", "a number from 0"),
            (
                chosen.max_phrases is None or _is_count(chosen.max_phrases),
                "max_phrases",
                "at least 1 phrase, or None",
            ),
            (isinstance(chosen.split, str | None), "split", "the name of a part, or None"),
        )
        for holds, name, expected in rules:
            if not holds:
                raise UsageError(
                    f"The option {name} is out of range.",
                    expected=expected,
                    got=repr(getattr(chosen, name)),
                )
        return chosen

    @property
    def log_threshold(self) -> float:
        """log c."""
        return math.log(self.word_threshold)

    @property
    def signed(self) -> bool:
        """Whether the scores are read as for or against a class."""
        return self.importance != "sum"


def _is_number(value: object, *, above: float) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and above < value < float("inf")
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _listed(choices: object) -> str:
    return " or ".join(map(repr, get_args(choices)))
