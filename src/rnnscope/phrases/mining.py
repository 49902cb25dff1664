"""Phrase extraction (Murdoch & Szlam 2017).

Candidates: contiguous runs of words whose importance for one class exceeds c, and every part of
such a run, up to five words. Then, over *all* occurrences of a candidate in the corpus,

S_i(w_1..w_k) = mean over occurrences of prod_l beta_i / (geometric mean of the others' beta)
S(w) = max_i S_i(w),  C(w) = argmax_i S_i(w)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.phrases.phrases import PhraseOptions, Phrases
from rnnscope.scores import WordScores, against_others


def mine_phrases(scores: WordScores, **options: object) -> Phrases:
    """Mine the phrases that are consistently important to the network.

    A word the model's vocabulary does not know ends a run: the network cannot tell it from any
    other unknown word.

    Args:
        scores: the word scores of a corpus.
        options: fields of ``PhraseOptions``: word_threshold, max_length, min_count, test,
            importance.

    Returns:
        The phrases, most important first. Empty when no word passes the threshold.

    Raises:
        NotApplicable: the network reads vectors, not words.
        UsageError: an option that does not exist or is out of range.
    """
    chosen = _checked(options)
    if not isinstance(scores, WordScores):
        raise UsageError(
            "Phrases are mined from word scores.",
            expected="what CellDecomposition(model).score(corpus) gives",
            got=type(scores).__name__,
        )
    table = _Words.of(scores, chosen)
    if not np.isfinite(table.logs).all():
        raise DataError(
            "Scores must be finite numbers.",
            got=f"{int((~np.isfinite(table.logs)).sum())} that are not",
            fix="look for extreme weights in the readout",
        )
    found = list(_search(table, chosen))
    classes = len(scores.classes)
    predicted = np.bincount(scores.predictions, minlength=classes)
    if not found:
        empty = np.empty((0, classes))
        return _phrases(scores, chosen, predicted, [], empty, np.empty(0, int), empty.astype(int))
    words = [phrase for group in found for phrase in group.words]
    log_importance = np.concatenate([group.log_importance for group in found])
    counts = np.concatenate([group.counts for group in found])
    documents = np.concatenate([group.documents for group in found])
    alphabetical = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words), dtype=int)
    rank[alphabetical] = np.arange(len(words))
    order = np.lexsort((rank, -counts, -log_importance.max(axis=1)))
    return _phrases(
        scores,
        chosen,
        predicted,
        [words[k] for k in order],
        log_importance[order],
        counts[order],
        documents[order],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Words:
    """Every word of the corpus in one row of flat arrays.

    ``strong[p]`` and ``known[p]`` count the words from p on, within the document, that pass the
    threshold for one same class, or that the vocabulary knows.
    """

    ids: np.ndarray
    owner: np.ndarray
    logs: np.ndarray
    log_betas: np.ndarray
    strong: np.ndarray
    known: np.ndarray
    predictions: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(cls, scores: WordScores, options: PhraseOptions) -> _Words:
        if scores.ids is None:
            raise NotApplicable(
                "Phrases are made of words.",
                expected="a network with an embedding",
                got="a network that reads vectors",
            )
        ids = np.concatenate([*scores.ids, np.empty(0, np.int64)])
        owner = np.repeat(np.arange(len(scores)), np.diff(scores.offsets))
        betas = scores.values.double()
        logs = against_others(betas).numpy()
        tested = logs if options.test == "ratio" else betas.numpy()
        names, special = _names(scores)
        known = ~np.isin(ids, special)
        passing = (tested > np.log(options.word_threshold)) & known[:, None]
        return cls(
            ids=ids,
            owner=owner,
            logs=logs,
            log_betas=betas.numpy(),
            strong=np.max([_run_lengths(p, owner) for p in passing.T], axis=0),
            known=_run_lengths(known, owner),
            predictions=scores.predictions,
            names=names,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Group:
    """The phrases of one length."""

    words: list[tuple[str, ...]]
    log_importance: np.ndarray
    counts: np.ndarray
    documents: np.ndarray


def _search(table: _Words, options: PhraseOptions) -> Iterator[_Group]:
    """Length by length: every part of a candidate is a candidate, so only occurrences of the
    candidates one word shorter need be looked at."""
    positions = np.flatnonzero(table.known > 0)
    codes = np.zeros(len(positions), dtype=np.int64)
    spelled = [()]
    for length in range(1, options.max_length + 1):
        inside = table.known[positions] >= length
        positions, codes = positions[inside], codes[inside]
        keys = codes * len(table.names) + table.ids[positions + length - 1]
        candidates = np.unique(keys[table.strong[positions] >= length])
        if not len(candidates):
            return
        codes = np.searchsorted(candidates, keys)
        same = candidates[np.minimum(codes, len(candidates) - 1)] == keys
        positions, codes = positions[same], codes[same]
        spelled = [
            (*spelled[key // len(table.names)], table.names[key % len(table.names)])
            for key in candidates.tolist()
        ]
        yield _measure(table, options, positions, codes, spelled, length)


def _measure(
    table: _Words,
    options: PhraseOptions,
    positions: np.ndarray,
    codes: np.ndarray,
    spelled: list[tuple[str, ...]],
    length: int,
) -> _Group:
    """S, counts and documents of each candidate over all its occurrences."""
    counts = np.bincount(codes, minlength=len(spelled))
    window = positions[:, None] + np.arange(length)
    if options.importance == "mean_ratio":
        log_s = _log_mean_exp(table.logs[window].sum(axis=1), codes, counts)
    else:
        means = _log_mean_exp(table.log_betas[window].sum(axis=1), codes, counts)
        others = (means.sum(axis=1, keepdims=True) - means) / (means.shape[1] - 1)
        log_s = means - others
    classes = table.logs.shape[1]
    first = np.unique(np.stack([codes, table.owner[positions]]), axis=1)
    cells = first[0] * classes + table.predictions[first[1]]
    documents = np.bincount(cells, minlength=len(spelled) * classes).reshape(-1, classes)
    frequent = np.flatnonzero(counts >= options.min_count)
    return _Group(
        words=[spelled[k] for k in frequent],
        log_importance=log_s[frequent],
        counts=counts[frequent],
        documents=documents[frequent],
    )


def _log_mean_exp(values: np.ndarray, codes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """log of the mean of exp(values) over the rows of each code, without overflow."""
    top = np.full((len(counts), values.shape[1]), -np.inf)
    np.maximum.at(top, codes, values)
    total = np.zeros_like(top)
    np.add.at(total, codes, np.exp(values - top[codes]))
    return top + np.log(total / counts[:, None])


def _run_lengths(flags: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """For each position, how many flags in a row are set from it on, within its document."""
    index = np.arange(len(flags))
    stops = ~flags.astype(bool)
    last = np.append(owner[1:] != owner[:-1], True) if len(flags) else stops
    # The first position at or after p where the run cannot go on.
    barrier = np.where(stops, index, np.where(last, index + 1, len(flags)))
    reach = np.minimum.accumulate(barrier[::-1])[::-1] if len(flags) else barrier
    return reach - index


def _names(scores: WordScores) -> tuple[tuple[str, ...], list[int]]:
    """How each word index is spelled, and the indices that stand for no word."""
    vocabulary = scores.vocabulary
    if vocabulary is None:
        top = max((int(ids.max()) for ids in scores.ids or ()), default=-1)
        return tuple(str(k) for k in range(top + 1)), []
    special = [vocabulary.unknown, vocabulary.padding]
    return vocabulary.words, [vocabulary.index(word) for word in special if word is not None]


def _checked(options: dict[str, object]) -> PhraseOptions:
    names = PhraseOptions.__dataclass_fields__
    for name in options:
        if name not in names:
            raise UsageError("The option must exist.", expected=", ".join(names), got=name)
    chosen = PhraseOptions(**options)  # type: ignore[arg-type]
    rules = (
        (_is_number(chosen.word_threshold), "word_threshold", "a number above 0"),
        (_is_count(chosen.max_length), "max_length", "at least 1 word"),
        (_is_count(chosen.min_count), "min_count", "at least 1 occurrence"),
        (chosen.test in ("ratio", "raw"), "test", "'ratio' or 'raw'"),
        (
            chosen.importance in ("mean_ratio", "ratio_of_means"),
            "importance",
            "'mean_ratio' or 'ratio_of_means'",
        ),
    )
    for holds, name, expected in rules:
        if not holds:
            raise UsageError(
                f"The option {name} is out of range.",
                expected=expected,
                got=repr(getattr(chosen, name)),
            )
    return chosen


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < float("inf")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= 1


def _phrases(
    scores: WordScores,
    options: PhraseOptions,
    predicted: np.ndarray,
    words: list[tuple[str, ...]],
    log_importance: np.ndarray,
    counts: np.ndarray,
    documents: np.ndarray,
) -> Phrases:
    return Phrases(
        words=tuple(words),
        log_importance=log_importance,
        counts=counts,
        document_counts=documents,
        classes=scores.classes,
        predicted=predicted,
        method=scores.method,
        fingerprint=scores.fingerprint,
        options=options,
        tokenizer="words" if scores.vocabulary is None else scores.vocabulary.tokenizer,
    )
