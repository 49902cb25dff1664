"""Phrases: contiguous runs of words with their importance and statistics over a corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, overload

import numpy as np
import polars as pl
from scipy.special import stdtrit

from rnnscope.errors import NotApplicable, UsageError
from rnnscope.notebook import html_table
from rnnscope.phrases.files import as_path, describe, description_of, new_folder, reading
from rnnscope.phrases.options import PhraseOptions

KIND = "phrases"
SHOWN = 20

EXAMPLES = 3
"""Occurrences kept on either side, for and against a phrase's class."""

EXAMPLE_COLUMNS = {
    "phrase": pl.Int64,
    "side": pl.String,
    "document": pl.Int64,
    "position": pl.Int64,
    "log_ratio": pl.Float64,
    "before": pl.String,
    "after": pl.String,
}

ARRAYS = ("log_importance", "class_counts", "document_counts", "mean", "variance", "standard_error")


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """One phrase.

    Args:
        words: the words, in order.
        class_index, class_name: the class it speaks for, C.
        importance: S, its importance for that class against the others.
        count: occurrences in the corpus it was mined from.
        documents: documents it occurs in.
        precision: the share of those that the network puts in the phrase's class.
        mean: the mean over its occurrences of the log-ratio for that class.
        interval: of that mean, 95 %; see ``Phrases.interval``.
    """

    words: tuple[str, ...]
    class_index: int
    class_name: str
    importance: float
    count: int
    documents: int
    precision: float
    mean: float
    interval: tuple[float, float]

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(self.words)


@dataclass(frozen=True, kw_only=True)
class Example:
    """One occurrence of a phrase.

    Args:
        document: the document, from 0, in the order they were scored (through all shards).
        position: the phrase's first word in it, from 0.
        log_ratio: the phrase's score there for its class.
        words: the phrase.
        before, after: the words around it.
        side: "for" the strongest for the phrase's class, "against" the weakest.
    """

    document: int
    position: int
    log_ratio: float
    words: tuple[str, ...]
    before: str
    after: str
    side: Literal["for", "against"]

    @property
    def text(self) -> str:
        """The phrase in brackets among the words around it."""
        return f"{self.before} [{' '.join(self.words)}] {self.after}".strip()


@dataclass(frozen=True, kw_only=True, eq=False)
class Phrases(Sequence[Phrase]):
    """The phrases of a corpus, most important first (ties: more frequent, then alphabetical).

    With s_i the log-ratio of one occurrence: the sum over its words of log beta_i against the mean
    of the other classes'. Scores without a sign have one s, given to the phrase's class and, with
    the sign turned and shared out, to the others.

    Args:
        words: the words of each phrase.
        log_importance: (phrases, classes), log S_i.
        class_counts: (phrases, classes), occurrences by the network's class of their document.
        document_counts: (phrases, classes), documents it occurs in, by the network's class.
        mean: (phrases, classes), of s_i over the occurrences.
        variance: (phrases, classes), of s_i over the occurrences; NaN for one.
        standard_error: (phrases, classes), of that mean, clustered by document: occurrences in one
            document share its gates and its end and are not independent, documents are. NaN for
            one document.
        classes: the names of the classes.
        predicted: (classes,), all documents by the network's class.
        method: the score the phrases were mined from.
        fingerprint: the network's.
        options: how.
        tokenizer: how the corpus' texts are cut into words.
        find: finds the examples when they are first asked for; holds on to the scores till then.
    """

    words: tuple[tuple[str, ...], ...]
    log_importance: np.ndarray
    class_counts: np.ndarray
    document_counts: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    standard_error: np.ndarray
    classes: tuple[str, ...]
    predicted: np.ndarray
    method: str
    fingerprint: str
    options: PhraseOptions
    tokenizer: str = "words"
    find: Callable[[Phrases], pl.DataFrame] | None = field(default=None, repr=False)

    @property
    def counts(self) -> np.ndarray:
        """(phrases,), occurrences."""
        return self.class_counts.sum(axis=1)

    @property
    def class_index(self) -> np.ndarray:
        """(phrases,): C, the class of the largest S_i."""
        return self.log_importance.argmax(axis=1)

    @property
    def importance(self) -> np.ndarray:
        """(phrases,): S, the largest S_i."""
        with np.errstate(over="ignore"):
            return np.exp(self.log_importance.max(axis=1))

    @property
    def interval(self) -> np.ndarray:
        """(phrases, 2): 95 % interval of the mean log-ratio for the phrase's class.

        Student's t on the documents that hold the phrase, with the standard error clustered by
        document. A phrase of one document has none: NaN.
        """
        row = np.arange(len(self))
        middle, error = self.mean[row, self.class_index], self.standard_error[row, self.class_index]
        reach = interval_factor(self.document_counts.sum(axis=1)) * error
        return np.stack([middle - reach, middle + reach], axis=1)

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[Phrase]:
        return iter(self._listed)

    @overload
    def __getitem__(self, index: int) -> Phrase: ...
    @overload
    def __getitem__(self, index: slice) -> list[Phrase]: ...
    def __getitem__(self, index: int | slice) -> Phrase | list[Phrase]:
        return self._listed[index]

    @cached_property
    def _listed(self) -> list[Phrase]:
        labels = self.class_index
        row = np.arange(len(self))
        documents = self.document_counts.sum(axis=1)
        columns = (
            self.words,
            labels.tolist(),
            self.importance.tolist(),
            self.counts.tolist(),
            documents.tolist(),
            (self.document_counts[row, labels] / documents).tolist(),
            self.mean[row, labels].tolist(),
            self.interval.tolist(),
        )
        return [
            Phrase(
                words=words,
                class_index=label,
                class_name=self.classes[label],
                importance=importance,
                count=count,
                documents=held,
                precision=precision,
                mean=mean,
                interval=(low, high),
            )
            for words, label, importance, count, held, precision, mean, (low, high) in zip(
                *columns, strict=True
            )
        ]

    def examples(self, k: int, n: int = EXAMPLES) -> tuple[Example, ...]:
        """Occurrences of phrase k in the text: the n strongest for its class, then the n weakest.

        Ties go to the earlier document and position. An occurrence is given once, so a rare phrase
        has fewer. All phrases' examples are found when the first are asked for.

        Args:
            k: the phrase.
            n: of either kind at most; 3 are kept.

        Raises:
            NotApplicable: the phrases come from a table, which holds no positions.
        """
        if not 1 <= n <= EXAMPLES:
            raise UsageError("So many examples are kept.", expected=f"1 to {EXAMPLES}", got=f"{n}")
        phrase = range(len(self))[k]
        starts = self._example_starts
        rows = self.occurrences[int(starts[phrase]) : int(starts[phrase + 1])].to_dicts()
        chosen = [
            row for side in ("for", "against") for row in [r for r in rows if r["side"] == side][:n]
        ]
        return tuple(
            Example(words=self.words[phrase], **{k: v for k, v in row.items() if k != "phrase"})
            for row in chosen
        )

    @cached_property
    def occurrences(self) -> pl.DataFrame:
        """Every phrase's examples, one row each; see ``examples``."""
        if self.find is None:
            raise NotApplicable(
                "A table counts occurrences and forgets where they are.",
                expected="phrases mined from word scores",
                fix="mine_phrases(scores, ...) keeps examples",
            )
        found = self.find(self)
        object.__setattr__(self, "find", lambda _: found)
        return found

    @cached_property
    def _example_starts(self) -> np.ndarray:
        return np.searchsorted(self.occurrences["phrase"].to_numpy(), np.arange(len(self) + 1))

    def to_frame(self) -> pl.DataFrame:
        """One row a phrase: what a ``Phrase`` holds."""
        labels, interval = self.class_index, self.interval
        row = np.arange(len(self))
        documents = self.document_counts.sum(axis=1)
        return pl.DataFrame(
            {
                "phrase": pl.Series([" ".join(words) for words in self.words], dtype=pl.String),
                "class": pl.Series([self.classes[k] for k in labels], dtype=pl.String),
                "importance": self.importance,
                "count": self.counts.astype(np.int64),
                "documents": documents.astype(np.int64),
                "precision": self.document_counts[row, labels] / documents,
                "mean": self.mean[row, labels],
                "low": interval[:, 0],
                "high": interval[:, 1],
            }
        )

    def save(self, path: str | Path) -> Path:
        """Write the phrases and their examples to a directory: JSON and Parquet."""
        columns = {
            f"{name}_{k}": column
            for name in ARRAYS
            for k, column in enumerate(getattr(self, name).T)
        }
        words = pl.Series("words", [list(w) for w in self.words], dtype=pl.List(pl.String))
        with new_folder(path, KIND) as draft:
            pl.DataFrame([words, *(pl.Series(k, v) for k, v in columns.items())]).write_parquet(
                draft / "phrases.parquet"
            )
            if self.find is not None:
                self.occurrences.write_parquet(draft / "examples.parquet")
            description = {
                "classes": list(self.classes),
                "predicted": self.predicted.tolist(),
                "method": self.method,
                "fingerprint": self.fingerprint,
                "tokenizer": self.tokenizer,
                "options": asdict(self.options),
            }
            describe(draft, KIND, description)
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Phrases:
        """Read saved phrases.

        Raises:
            UsageError: there are none at the path.
            DataError: a file is damaged or missing.
        """
        folder = as_path(path)
        found = description_of(folder, KIND)
        with reading(folder):
            rows = pl.read_parquet(folder / "phrases.parquet")
            classes = tuple(found["classes"])
            arrays = {
                name: np.stack([rows[f"{name}_{k}"].to_numpy() for k in range(len(classes))], 1)
                for name in ARRAYS
            }
            find = None
            if "examples.parquet" in found["files"]:
                examples = pl.read_parquet(folder / "examples.parquet")
                find = lambda _: examples  # noqa: E731
            return cls(
                words=tuple(map(tuple, rows["words"].to_list())),
                classes=classes,
                predicted=np.array(found["predicted"], dtype=np.int64),
                method=found["method"],
                fingerprint=found["fingerprint"],
                options=PhraseOptions.checked(**found["options"]),
                tokenizer=found["tokenizer"],
                find=find,
                **arrays,
            )

    def __eq__(self, other: object) -> bool:
        """The same phrases with the same statistics, from the same network and method."""
        if not isinstance(other, Phrases):
            return NotImplemented
        same = all(
            getattr(self, name) == getattr(other, name)
            for name in ("words", "classes", "method", "fingerprint", "tokenizer")
        )
        return (
            same
            and asdict(self.options) == asdict(other.options)
            and all(
                np.array_equal(getattr(self, name), getattr(other, name), equal_nan=True)
                for name in (*ARRAYS, "predicted")
            )
        )

    def __hash__(self) -> int:
        return hash((self.words, self.method, self.fingerprint))

    def __repr__(self) -> str:
        lines = [f"Phrases({len(self)}, from {self.method})"]
        lines += [
            f"  {p.importance:9.2f}  {p.class_name:10s} {p.count:6d}  {p.text}" for p in self[:10]
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        titles = ("phrase", "class", "S", "mean log-ratio, 95 %", "count", "documents", "precision")
        rows = [
            (
                p.text,
                p.class_name,
                f"{p.importance:.2f}",
                _spread(p),
                f"{p.count:,}",
                f"{p.documents:,}",
                f"{p.precision:.3f}",
            )
            for p in self[:SHOWN]
        ]
        shown = f", the first {SHOWN}" if len(self) > SHOWN else ""
        title = f"{len(self):,} phrases from {self.method}{shown}"
        return html_table(title, rows, head=titles, limit=SHOWN)


def interval_factor(documents: np.ndarray) -> np.ndarray:
    """How many standard errors a 95 % interval reaches to either side; NaN for one document."""
    return np.where(documents > 1, stdtrit(np.maximum(documents - 1, 1), 0.975), np.nan)


def _spread(phrase: Phrase) -> str:
    low, high = phrase.interval
    shown = f"{phrase.mean:+.3f}"
    return shown if np.isnan(low) else f"{shown} [{low:+.3f}, {high:+.3f}]"
