"""A question and one of its documents as the networks and the patterns read them.

What the question itself names becomes a word of its own in question and document, by its order in
the question: ``<asked1>``, ``<asked2>``, ... (after Hermann et al. 2015), so that what is learnt
about one film holds for all. Other entities stay as they are; a network that does not know one
reads ``<number>`` where it is a number, else ``<entity>``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from rnnscope.data import Vocabulary
from rnnscope.errors import UsageError
from rnnscope.qa.corpus import Question, QuestionCorpus
from rnnscope.qa.entities import is_number

ENTITY, NUMBER = "<entity>", "<number>"
MOST_ASKED = 3


def asked(k: int) -> str:
    """The word for the k-th entity of a question, from 0."""
    return f"<asked{min(k, MOST_ASKED - 1) + 1}>"


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """Question and document pairs, in the order of the questions.

    Attributes:
        corpus: where they are from.
        question_words: of each question, its words with ``<asked*>``.
        words: of each pair, the document's words with ``<asked*>``.
        question: (pairs,), the question's index in the corpus.
        document: (pairs,), the document's.
        places: of each pair, the positions of the candidates, rising.
    """

    corpus: QuestionCorpus
    question_words: tuple[tuple[str, ...], ...]
    words: tuple[tuple[str, ...], ...]
    question: np.ndarray
    document: np.ndarray
    places: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, corpus: QuestionCorpus) -> Reading:
        """Read every question's documents.

        Raises:
            UsageError: no corpus.
        """
        if not isinstance(corpus, QuestionCorpus):
            raise UsageError(
                "Questions are asked from a corpus of them.",
                expected="a QuestionCorpus",
                got=type(corpus).__name__,
                fix="read one with load_questions",
            )
        questions, words, rows, documents, places = [], [], [], [], []
        for row, question in enumerate(corpus.questions):
            named = _named(question, corpus)
            questions.append(tuple(named.get(w, w) for w in question.words))
            allowed = None if question.candidates is None else set(question.candidates)
            for k in question.documents:
                document = corpus.documents[k]
                words.append(tuple(named.get(w, w) for w in document))
                rows.append(row)
                documents.append(k)
                found = [
                    t
                    for t, w in enumerate(document)
                    if (w in corpus.entities if allowed is None else w in allowed)
                    and w not in named
                ]
                places.append(np.array(found, dtype=np.int64))
        return cls(
            corpus=corpus,
            question_words=tuple(questions),
            words=tuple(words),
            question=np.array(rows, dtype=np.int64),
            document=np.array(documents, dtype=np.int64),
            places=tuple(places),
        )

    def __len__(self) -> int:
        return len(self.words)

    def token(self, pair: int, place: int) -> str:
        """The document's own token at a place of a pair."""
        return self.corpus.documents[int(self.document[pair])][place]

    def right(self, pair: int) -> np.ndarray:
        """Which of a pair's candidate places hold a right answer."""
        answers = set(self.corpus.questions[int(self.question[pair])].answers)
        document = self.corpus.documents[int(self.document[pair])]
        return np.array([document[t] in answers for t in self.places[pair]], dtype=bool)

    @cached_property
    def pairs_of(self) -> tuple[np.ndarray, ...]:
        """Of each question, its pairs."""
        starts = np.searchsorted(self.question, np.arange(len(self.corpus) + 1))
        return tuple(np.arange(a, b) for a, b in pairwise(starts))


def _named(question: Question, corpus: QuestionCorpus) -> dict[str, str]:
    """The entities that a question names, and the words that take their place."""
    found = [w for w in dict.fromkeys(question.words) if w in corpus.entities]
    inside = {w for k in question.documents for w in corpus.documents[k]}
    return {w: asked(k) for k, w in enumerate(w for w in found if w in inside)}


def known_words(
    words: Sequence[str], vocabulary: Vocabulary, corpus: QuestionCorpus
) -> Iterator[str]:
    """The words as a vocabulary has them, unknown entities by what they are."""
    for word in words:
        if word not in vocabulary and word in corpus.entities:
            yield NUMBER if is_number(word) else ENTITY
        else:
            yield word
