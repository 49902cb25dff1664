"""The data set that comes with the package: sentences rated by people, and documents of them."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from rnnscope.data.corpus import SPLITS, Corpus
from rnnscope.data.tokenizer import tokenize
from rnnscope.errors import UsageError

__all__ = ["EMBEDDED", "Rating", "load_embedded", "read_ratings"]

EMBEDDED = ("embedded:sentences", "embedded:documents")

_CLASSES = ("negative", "positive")
_SEED = 20140601
_LONGEST = 8
_SOURCE = (
    "Movie review, Amazon review and tweet sentences with their mean human ratings"
    " from vaderSentiment 3.3.2 (MIT licence, Copyright (c) 2016 C.J. Hutto); cite Hutto & Gilbert"
    " (2014), VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text,"
    " ICWSM."
)
_COMPOSED = (
    "The documents are composed: each joins 1 to {longest} single rated sentences of one domain"
    " drawn at random, and its rating is the mean of theirs; nobody wrote or rated them as a whole."
    " Training and validation sentences are used {passes} times, in different company; test"
    " sentences at most once."
)


@dataclass(frozen=True, kw_only=True)
class Rating:
    """One sentence of the embedded set: its valence runs from -4 to 4 and is at least 1 in size."""

    id: str
    split: str
    domain: str
    valence: float
    text: str


def read_ratings() -> list[Rating]:
    """The rated sentences as they are stored, by id."""
    packed = (files("rnnscope.data") / "embedded" / "ratings.tsv.gz").read_bytes()
    rows = (line.split("\t") for line in gzip.decompress(packed).decode("utf-8").split("\n")[1:-1])
    return [
        Rating(id=key, split=split, domain=domain, valence=float(valence), text=text)
        for key, split, domain, valence, text in rows
    ]


def load_embedded(
    view: str = "sentences",
    *,
    tokenizer: Callable[[str], Sequence[str]] = tokenize,
    passes: int = 5,
) -> Corpus:
    """The embedded data set, always in the same shuffled order.

    Args:
        view: "sentences" for the rated sentences, labelled by the sign of their rating; or
            "documents" for documents of 1 to 8 sentences of one domain and one split, labelled by
            the sign of their mean rating (documents with a mean of zero are left out).
        tokenizer: turns a text into tokens.
        passes: how many random partitions of the training sentences make the training documents,
            and likewise for validation. Test sentences stand in at most one document each.

    Returns:
        a corpus with texts, labels ("negative", "positive"), valence and three splits.

    Raises:
        UsageError: there is no such view, or `passes` is below 1.
    """
    if f"embedded:{view}" not in EMBEDDED:
        raise UsageError(
            "The embedded data set has two views.",
            expected="'sentences' or 'documents'",
            got=repr(view),
        )
    if passes < 1:
        raise UsageError("Documents need at least one pass.", got=f"passes={passes}")
    ratings = read_ratings()
    tokens = [tuple(tokenizer(rating.text)) for rating in ratings]
    random = np.random.Generator(np.random.PCG64(_SEED))
    if view == "sentences":
        members = [[place] for place in range(len(ratings))]
    else:
        members = list(_compose(ratings, passes))
    members = [members[place] for place in random.permutation(len(members))]
    valence = np.array([np.mean([ratings[place].valence for place in m]) for m in members])
    return Corpus(
        documents=tuple(tuple(token for place in m for token in tokens[place]) for m in members),
        texts=tuple(" ".join(ratings[place].text for place in m) for m in members),
        labels=(valence > 0).astype(np.int64),
        classes=_CLASSES,
        valence=valence,
        splits=np.array([ratings[m[0]].split for m in members]),
        name=f"embedded:{view}",
        source=_SOURCE,
        note="" if view == "sentences" else _COMPOSED.format(longest=_LONGEST, passes=passes),
    )


def _compose(ratings: list[Rating], passes: int) -> Iterator[list[int]]:
    """The sentences of each document. Every part draws from its own generator, so that the number
    of passes over one part never changes another."""
    pools: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, rating in enumerate(ratings):
        pools[rating.split, rating.domain].append(place)
    for split, domain in sorted(pools, key=lambda key: (SPLITS.index(key[0]), key[1])):
        random = np.random.default_rng([_SEED, SPLITS.index(split), *domain.encode()])
        for _ in range(1 if split == "test" else passes):
            left = random.permutation(pools[split, domain]).tolist()
            while left:
                size = int(random.integers(1, _LONGEST + 1))
                document, left = left[:size], left[size:]
                # Ratings have three decimals: rounding tells a mean of zero from its noise.
                if round(sum(ratings[place].valence for place in document), 3) != 0:
                    yield document
