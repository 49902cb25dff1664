"""What speaks for and against each rule, on documents it was not made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import polars as pl
from scipy.sparse import csc_matrix, csr_matrix

from rnnscope.data import tokenize
from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import LIMIT, ShowsItself, html_table
from rnnscope.notebook import visible as shown
from rnnscope.rules.documents import as_tokens
from rnnscope.rules.rule import Rule
from rnnscope.statistics import Estimate, share

if TYPE_CHECKING:
    from rnnscope.rules.rule_list import RuleList

AROUND = 8
"""Words of a document quoted on either side of a match."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A document that a rule decided.

    Args:
        document: its row.
        position: the word at which the phrase stands.
        excerpt: the words around it.
        network: the network's class.
        label: the true class; None without labels.
        confidence: the network's probability of its class; None where it was not given.
    """

    document: int
    position: int
    excerpt: str
    network: str
    label: str | None
    confidence: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleEvidence(ShowsItself):
    """One rule on these documents.

    Args:
        rank: its place in the list, from 0; -1 for the default.
        phrase: its words joined by spaces; "otherwise" for the default.
        class_name: its class.
        importance: S; None for a rule made by hand and for the default.
        occurs, decides: documents its phrase occurs in, and of those the ones it decides.
        agreement, agreement_where_it_occurs: the share of the documents it decides, or occurs in,
            that the network puts in its class, with Wilson's interval.
        accuracy, accuracy_where_it_occurs: the same of the true class; None without labels.
        covered: documents it decides as the network does, the network surest first.
        counterexamples: documents it decides and the network puts elsewhere, surest first; then,
            with labels, those that only the label contradicts.
    """

    rank: int
    phrase: str
    class_name: str
    importance: float | None
    occurs: int
    decides: int
    agreement: Estimate
    agreement_where_it_occurs: Estimate
    accuracy: Estimate | None
    accuracy_where_it_occurs: Estimate | None
    covered: tuple[Example, ...]
    counterexamples: tuple[Example, ...]

    def __repr__(self) -> str:
        s = "" if self.importance is None else f", S = {self.importance:.2f}"
        lines = [
            f"{self.phrase!r} -> {shown(self.class_name)}{s}",
            f"  occurs in {self.occurs:,} documents, decides {self.decides:,}",
            f"  network agrees  {self.agreement} where it decides, "
            f"{self.agreement_where_it_occurs} where it occurs",
        ]
        if self.accuracy is not None:
            lines.append(
                f"  true            {self.accuracy} where it decides, "
                f"{self.accuracy_where_it_occurs} where it occurs"
            )
        for sign, examples in (("+", self.covered), ("-", self.counterexamples)):
            for one in examples:
                sure = "" if one.confidence is None else f" ({one.confidence:.2f})"
                lines.append(
                    f"  {sign} document {one.document}, network {shown(one.network)}{sure}: "
                    f"{shown(one.excerpt)}"
                )
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence(Sequence[RuleEvidence]):
    """The evidence for each rule of a list, in its order; ``default`` stands apart.

    Args:
        rules: the list.
        documents: how many it was held against.
        default: the documents in which no rule fires.
    """

    rules: RuleList
    documents: int
    default: RuleEvidence
    _measured: _Measured

    def __len__(self) -> int:
        return self.rules.size

    def __iter__(self) -> Iterator[RuleEvidence]:
        return (self._measured.of(rank) for rank in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> RuleEvidence: ...
    @overload
    def __getitem__(self, index: slice) -> list[RuleEvidence]: ...
    def __getitem__(self, index: int | slice) -> RuleEvidence | list[RuleEvidence]:
        if isinstance(index, slice):
            return [self._measured.of(rank) for rank in range(*index.indices(len(self)))]
        return self._measured.of(range(len(self))[index])

    def to_frame(self) -> pl.DataFrame:
        """One row a rule, the default last: counts, shares and their intervals."""
        rows = [_row(one) for one in (*self, self.default)]
        return pl.DataFrame(rows, schema=_schema())

    def __repr__(self) -> str:
        title = f"Evidence for {len(self)} rules on {self.documents:,} documents"
        return "\n".join([title, *(repr(one) for one in (*self[:10], self.default))])

    def _repr_html_(self) -> str:
        header = ("phrase", "class", "S", "occurs in", "decides", "network agrees", "true")
        rows = [
            (
                one.phrase,
                one.class_name,
                one.importance,
                one.occurs,
                one.decides,
                _shown(one.agreement),
                _shown(one.accuracy),
                one.counterexamples[0].excerpt if one.counterexamples else "",
            )
            for one in (*self[:LIMIT], self.default)
        ]
        more = "" if len(self) <= LIMIT else f", the first {LIMIT} shown"
        title = f"{len(self):,} rules on {self.documents:,} documents{more}"
        head = (*header, "most damaging counterexample")
        return html_table(title, rows, head=head, limit=LIMIT + 1)


def collect_evidence(
    rules: RuleList,
    documents: Sequence[Any],
    network: np.ndarray,
    labels: np.ndarray | None,
    examples: int,
) -> Evidence:
    """See ``RuleList.evidence``."""
    if isinstance(documents, str):
        raise DataError("Documents come as a list.", got=f"one text, {documents[:40]!r}")
    # Examples are quoted from them, so each is read more than once.
    documents = [list(d) if isinstance(d, Iterator) else d for d in documents]
    predicted, confidence = _network(np.asarray(network), len(documents), len(rules.classes))
    if labels is not None:
        labels = _classes(np.asarray(labels), len(documents), len(rules.classes), "labels")
    if not isinstance(examples, int) or examples < 0:
        raise UsageError("Examples are counted.", expected="0 or more", got=repr(examples))
    matcher = rules._matcher
    encoded = matcher.encode(as_tokens(documents, rules.tokenizer))
    ranks, positions = matcher.first_of(encoded)
    measured = _Measured(
        rules=rules,
        documents=documents,
        ranks=ranks,
        positions=positions,
        occurrences=csc_matrix(matcher.occurrences(encoded)),
        by_rank=_rows_by_rank(ranks, rules.size),
        network=predicted,
        confidence=confidence,
        labels=labels,
        examples=examples,
    )
    return Evidence(
        rules=rules, documents=len(documents), default=measured.of(-1), _measured=measured
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Measured:
    """What the evidence for any rule is read from.

    ``by_rank`` has a row for each rule and one for the default, with a column for each document.
    """

    rules: RuleList
    documents: list[Any]
    ranks: np.ndarray
    positions: np.ndarray
    occurrences: csc_matrix
    by_rank: csr_matrix
    network: np.ndarray
    confidence: np.ndarray | None
    labels: np.ndarray | None
    examples: int

    def of(self, rank: int) -> RuleEvidence:
        decided = _row_of(self.by_rank, rank if rank >= 0 else self.rules.size)
        occurs = decided if rank < 0 else _row_of(self.occurrences, rank)
        rule: Rule | None = self.rules.rules[rank] if rank >= 0 else None
        label = self.rules.default if rule is None else rule.class_index
        # Sure documents first; where nothing is known of that, in their own order.
        sure, true = decided, self.labels
        if self.confidence is not None:
            sure = decided[np.argsort(-self.confidence[decided], kind="stable")]
        agreed = self.network[sure] == label
        against = sure[~agreed]
        covered = sure[agreed]
        if true is not None:
            against = np.append(against, covered[true[covered] != label])
            covered = covered[true[covered] == label]
        return RuleEvidence(
            rank=rank,
            phrase="otherwise" if rule is None else rule.text,
            class_name=self.rules.classes[label],
            importance=None if rule is None else rule.importance,
            occurs=len(occurs),
            decides=len(decided),
            agreement=share(self.network[decided] == label),
            agreement_where_it_occurs=share(self.network[occurs] == label),
            accuracy=None if true is None else share(true[decided] == label),
            accuracy_where_it_occurs=None if true is None else share(true[occurs] == label),
            covered=tuple(self._example(row) for row in covered[: self.examples].tolist()),
            counterexamples=tuple(self._example(row) for row in against[: self.examples].tolist()),
        )

    def _example(self, row: int) -> Example:
        document, position = self.documents[row], int(self.positions[row])
        words = tokenize(document) if isinstance(document, str) else list(document)
        rank = int(self.ranks[row])
        end = position + (len(self.rules.rules[rank].words) if rank >= 0 else 1)
        first, last = max(position - AROUND, 0), end + AROUND
        cut = "… " * (first > 0), " …" * (last < len(words))
        classes = self.rules.classes
        return Example(
            document=row,
            position=position,
            excerpt=cut[0] + " ".join(words[first:last]) + cut[1],
            network=classes[self.network[row]],
            label=None if self.labels is None else classes[int(self.labels[row])],
            confidence=None if self.confidence is None else float(self.confidence[row]),
        )


def _network(
    network: np.ndarray, documents: int, classes: int
) -> tuple[np.ndarray, np.ndarray | None]:
    if network.ndim != 2:
        return _classes(network, documents, classes, "network"), None
    if network.shape != (documents, classes) or not np.isfinite(network).all():
        raise DataError(
            "The network's probabilities are one row a document and one column a class.",
            expected=f"({documents}, {classes}), all finite",
            got=str(network.shape),
        )
    return network.argmax(axis=1), network.max(axis=1)


def _classes(given: np.ndarray, documents: int, classes: int, name: str) -> np.ndarray:
    if given.shape != (documents,):
        raise DataError(
            f"There must be one class for each document in {name}.",
            expected=f"({documents},)",
            got=str(given.shape),
        )
    whole = np.issubdtype(given.dtype, np.integer) or not documents
    if not whole or (documents and not (given.min() >= 0 and given.max() < classes)):
        raise DataError(
            f"The classes in {name} are indices into the list's classes.",
            expected=f"whole numbers, 0 to {classes - 1}",
            got=str(np.unique(given)[:8]),
        )
    return given


def _rows_by_rank(ranks: np.ndarray, size: int) -> csr_matrix:
    columns = np.arange(len(ranks))
    rows = np.where(ranks >= 0, ranks, size)
    shape = (size + 1, len(ranks))
    return csr_matrix((np.ones(len(ranks), np.int8), (rows, columns)), shape=shape)


def _row_of(matrix: csr_matrix | csc_matrix, k: int) -> np.ndarray:
    """The sorted indices of one row (one column, of a csc matrix)."""
    return np.sort(matrix.indices[matrix.indptr[k] : matrix.indptr[k + 1]])


SHARES = ("agreement", "agreement_where_it_occurs", "accuracy", "accuracy_where_it_occurs")


def _schema() -> dict[str, Any]:
    plain = {
        "rank": pl.Int64,
        "phrase": pl.String,
        "class": pl.String,
        "importance": pl.Float64,
        "occurs": pl.Int64,
        "decides": pl.Int64,
    }
    return plain | {f"{s}{end}": pl.Float64 for s in SHARES for end in ("", "_low", "_high")}


def _row(one: RuleEvidence) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rank": one.rank,
        "phrase": one.phrase,
        "class": one.class_name,
        "importance": one.importance,
        "occurs": one.occurs,
        "decides": one.decides,
    }
    for name in SHARES:
        estimate: Estimate | None = getattr(one, name)
        if estimate is not None and estimate.count:
            row[name] = estimate.value
            row[name + "_low"], row[name + "_high"] = estimate.low, estimate.high
    return row


def _shown(estimate: Estimate | None) -> str:
    return "" if estimate is None or not estimate.count else f"{estimate:.2f}"
