"""The text an account is made from: what is mined, what everything is judged on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnscope.data import EMBEDDED, Corpus, load_corpus
from rnnscope.errors import DataError
from rnnscope.models import Model

MAY_HAVE_SEEN = "The network may have been trained on this text, also on the part judged on."


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """Documents in two parts, with what is known about them.

    Args:
        mined, judged: the documents of each part (token lists, index arrays or vectors).
        labels: the judged documents' classes as the model numbers them, or None.
        valence: the judged documents' human ratings, or None.
        corpus: the corpus they came from; None for arrays.
        description: what the account says of the data.
    """

    mined: Sequence[Any]
    judged: Sequence[Any]
    labels: np.ndarray | None
    valence: np.ndarray | None
    corpus: Corpus | None
    description: dict[str, Any]

    @property
    def seeds(self) -> Any:
        """The judged documents, as a corpus where they came from one."""
        if self.corpus is None:
            return self.judged
        return self.corpus.split(self.description["judged_on"]["split"])

    @property
    def fingerprint(self) -> str:
        """A digest of the documents, of what is known about them, and of their two parts."""
        digest = hashlib.sha256(repr(self.description["judged_on"]).encode())
        if self.corpus is not None:
            corpus = self.corpus
            digest.update(repr((corpus.name, corpus.classes, corpus.fingerprint)).encode())
            digest.update(b"" if corpus.valence is None else corpus.valence.tobytes())
        else:
            for document in (*self.mined, *self.judged):
                array = np.ascontiguousarray(document)
                digest.update(f"{array.shape}{array.dtype}".encode())
                digest.update(repr(document).encode() if array.dtype.hasobject else array.tobytes())
        if self.labels is not None:
            digest.update(np.ascontiguousarray(self.labels).tobytes())
        return digest.hexdigest()

    @classmethod
    def of(cls, model: Model, source: Any, *, seed: int) -> Material:
        """Split a corpus, or any documents, into what is mined and what is judged on.

        A corpus' own "train" and "test" splits are used (or "validation" where there is no test);
        without splits 80 % by seed is mined and 20 % judged on.

        Raises:
            DataError: labels that the model does not have, or fewer than two documents.
        """
        if isinstance(source, Corpus) or model.vocabulary is not None:
            return cls._of_corpus(model, load_corpus(source), seed)
        return cls._of_arrays(list(source), seed)

    @classmethod
    def _of_corpus(cls, model: Model, corpus: Corpus, seed: int) -> Material:
        labels = None if corpus.labels is None else _as_the_model_numbers(model, corpus)
        guessed = labels is not None and _numbered(model) and corpus.classes != model.classes
        own = corpus.splits is not None and corpus.has_split("train")
        held_out = next((s for s in ("test", "validation") if corpus.has_split(s)), None)
        if corpus.splits is None or not own or held_out is None:
            held_out = "test"
            _at_least_two(len(corpus))
            corpus = corpus.split_by_seed(fraction=0.8, seed=seed)
            caution = f"Split by seed {seed}: 80 % mined, 20 % judged on. {MAY_HAVE_SEEN}"
        elif not _same_splits(model, corpus):
            caution = MAY_HAVE_SEEN
        elif held_out == "validation":
            caution = (
                "The network was trained on the train split, and the validation split, on which "
                "everything is judged, chose when training stopped."
            )
        else:
            caution = "The network was trained on the train split; it never saw the test split."
        splits = corpus.splits
        if guessed:
            caution += (
                " The model names no classes, so its class k was taken to be the corpus' class k: "
                + ", ".join(corpus.classes)
                + "."
            )
        judged = np.flatnonzero(splits == held_out)
        mined = np.flatnonzero(splits == "train")
        return cls(
            mined=corpus.take(mined).documents,
            judged=corpus.take(judged).documents,
            labels=None if labels is None else labels[judged],
            valence=None if corpus.valence is None else corpus.valence[judged],
            corpus=corpus,
            description={
                **corpus.describe(),
                "mined_on": {"split": "train", "documents": len(mined)},
                "judged_on": {"split": held_out, "documents": len(judged)},
                "caution": caution,
            },
        )

    @classmethod
    def _of_arrays(cls, documents: list[Any], seed: int) -> Material:
        _at_least_two(len(documents))
        order = np.random.default_rng(seed).permutation(len(documents))
        cut = min(len(order) - 1, max(1, round(0.8 * len(order))))
        mined, judged = order[:cut], order[cut:]
        lengths = [len(document) for document in documents]
        return cls(
            mined=[documents[k] for k in mined],
            judged=[documents[k] for k in judged],
            labels=None,
            valence=None,
            corpus=None,
            description={
                "name": "arrays",
                "source": "",
                "note": "",
                "documents": len(documents),
                "words": sum(lengths),
                "mean_length": sum(lengths) / len(lengths),
                "splits": {},
                "classes": {},
                "valence": False,
                "fingerprint": None,
                "mined_on": {"split": "by seed", "documents": len(mined)},
                "judged_on": {"split": "by seed", "documents": len(judged)},
                "caution": f"Split by seed {seed}: 80 % mined, 20 % judged on. {MAY_HAVE_SEEN}",
            },
        )


def _same_splits(model: Model, corpus: Corpus) -> bool:
    """Whether the network was trained on this corpus' train split. The embedded set's two views
    share their splits."""
    if model.record.get("data_fingerprint") == corpus.fingerprint:
        return True
    trained_on = (str(model.record.get("data")), str(model.record.get("data_fingerprint")))
    return all(
        name in EMBEDDED and load_corpus(name).fingerprint == fingerprint
        for name, fingerprint in (trained_on, (corpus.name, corpus.fingerprint))
    )


def _at_least_two(count: int) -> None:
    if count < 2:
        raise DataError(
            "An account needs text to mine and other text to judge on.",
            expected="at least two documents",
            got=str(count),
        )


def _as_the_model_numbers(model: Model, corpus: Corpus) -> np.ndarray:
    """The corpus' labels as the model's class indices, matched by name."""
    labels: Any = corpus.labels
    if model.readout is None or corpus.classes == model.classes:
        return labels
    if set(corpus.classes) <= set(model.classes):
        return np.array([model.classes.index(name) for name in corpus.classes])[labels]
    if _numbered(model) and len(corpus.classes) == len(model.classes):
        return labels
    raise DataError(
        "Every label must be a class of the model.",
        expected=", ".join(model.classes),
        got=", ".join(corpus.classes),
        fix="load the corpus with classes=, in the model's order, or build the model with classes=",
    )


def _numbered(model: Model) -> bool:
    """Whether the model's classes have numbers for names."""
    return bool(model.classes) and model.classes == tuple(map(str, range(len(model.classes))))
