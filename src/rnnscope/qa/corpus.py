"""Questions about documents, answered by an entity that the documents name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from rnnscope.arguments import check_fields
from rnnscope.data.corpus import SPLITS
from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import ShowsItself

__all__ = ["Question", "QuestionCorpus"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question with the documents in which its answer is sought.

    Attributes:
        words: the question's tokens, a multi-word entity being one token.
        documents: which documents of the corpus are read, in order; may be none, and then the
            question has no candidate and is answered by nobody.
        answers: the entities that are right; empty where unknown.
        category: what kind of question it is where the data says so, else "".
        split: "train", "validation" or "test", or "".
        candidates: the entities to choose from; None for every entity of its documents.
        supporting: sentences of the only document that hold the answer, from 0, where known.
    """

    words: tuple[str, ...]
    documents: tuple[int, ...]
    answers: tuple[str, ...] = ()
    category: str = ""
    split: str = ""
    candidates: tuple[str, ...] | None = None
    supporting: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class QuestionCorpus(ShowsItself):
    """Documents, questions about them, and the entities that can be answers.

    Attributes:
        documents: the tokens of each document; none is empty.
        questions: the questions.
        entities: each entity and its type ("" where unknown), such as "number" or "film".
        name: a short name.
        source: one sentence on where it came from, with licence and citation when known.
        note: what a reader must know about it, such as that documents were generated; or "".

    Raises:
        DataError: an empty document, a question without words or with a document that does not
            exist, or a split of another name. Rows count from 1. A question without a candidate,
            or whose answer no document names, is no error: it counts as answered wrongly, and
            ``describe`` says how many there are.
    """

    documents: tuple[tuple[str, ...], ...]
    questions: tuple[Question, ...]
    entities: Mapping[str, str] = field(default_factory=dict)
    name: str = "questions"
    source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "documents", tuple(map(tuple, self.documents)))
        object.__setattr__(self, "questions", tuple(self.questions))
        for row, document in enumerate(self.documents, 1):
            if not document:
                raise DataError("Every document has at least one token.", got=f"none in row {row}")
            if not all(isinstance(token, str) for token in document):
                raise DataError("Documents are sequences of strings.", got=f"row {row}")
        for row, question in enumerate(self.questions, 1):
            if not question.words or isinstance(question.words, str):
                raise DataError("Every question has at least one word.", got=f"none in row {row}")
            wrong = [k for k in question.documents if not 0 <= k < len(self.documents)]
            if wrong:
                raise DataError(
                    "A question reads documents that exist.",
                    expected=f"0..{len(self.documents) - 1}",
                    got=f"{wrong[0]} in row {row}",
                )
            if question.split not in ("", *SPLITS):
                raise DataError(
                    "A question stands in one of three splits.",
                    expected=", ".join(SPLITS),
                    got=f"{question.split!r} in row {row}",
                )

    def __len__(self) -> int:
        return len(self.questions)

    def __repr__(self) -> str:
        return (
            f"QuestionCorpus({self.name!r}, {len(self):,} questions, "
            f"{len(self.documents):,} documents, {len(self.entities):,} entities)"
        )

    def candidates(self, question: Question) -> list[str]:
        """The entities to choose from, in the order in which the documents name them.

        What the question itself names is no candidate.
        """
        allowed = self.entities if question.candidates is None else set(question.candidates)
        asked = set(question.words)
        return [
            token
            for token in dict.fromkeys(t for k in question.documents for t in self.documents[k])
            if token in allowed and token not in asked
        ]

    def answerable(self, question: Question) -> bool:
        """Whether one of the right answers is among the candidates."""
        return not set(question.answers).isdisjoint(self.candidates(question))

    def has_split(self, name: str) -> bool:
        """Whether some question stands in the split."""
        return any(question.split == name for question in self.questions)

    def split(self, name: str) -> QuestionCorpus:
        """The questions of one split, over the same documents; UsageError where there are none."""
        if not self.has_split(name):
            present = [split for split in SPLITS if self.has_split(split)]
            raise UsageError(
                "A corpus is split by a name it has.",
                expected=", ".join(present) or "nothing: this corpus has no splits",
                got=repr(name),
            )
        return self.where(lambda question: question.split == name)

    def where(self, keep: Callable[[Question], bool]) -> QuestionCorpus:
        """The questions for which ``keep`` is true."""
        return self.having(question for question in self.questions if keep(question))

    def having(self, questions: Iterable[Question]) -> QuestionCorpus:
        """Other questions over the same documents."""
        return replace(self, questions=tuple(questions))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of documents, questions and entities; the same in every process."""
        digest = hashlib.sha256()
        for document in self.documents:
            digest.update(json.dumps(document).encode())
        for question in self.questions:
            digest.update(json.dumps(list(vars(question).values())).encode())
        digest.update(json.dumps(sorted(self.entities.items())).encode())
        return digest.hexdigest()

    def describe(self) -> dict[str, Any]:
        """What the corpus holds, as JSON-safe values. ``answerable`` is the ceiling of hits@1."""
        words = sum(map(len, self.documents))
        answerable = sum(map(self.answerable, self.questions))
        return {
            "name": self.name,
            "source": self.source,
            "note": self.note,
            "questions": len(self),
            "documents": len(self.documents),
            "entities": len(self.entities),
            "mean_length": words / len(self.documents) if self.documents else 0.0,
            "documents_per_question": (
                sum(len(q.documents) for q in self.questions) / len(self) if len(self) else 0.0
            ),
            "categories": dict(sorted(Counter(q.category for q in self.questions).items())),
            "splits": dict(Counter(q.split for q in self.questions if q.split)),
            "answerable": answerable,
            "without_candidate": sum(not self.candidates(q) for q in self.questions),
            "fingerprint": self.fingerprint,
        }
