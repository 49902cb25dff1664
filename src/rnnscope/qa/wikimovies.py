"""WikiMovies (Miller et al. 2016): articles, entities and questions, as published or verbalised."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnscope.errors import DataError
from rnnscope.qa.corpus import Question, QuestionCorpus
from rnnscope.qa.entities import EntityNames, is_number, joined
from rnnscope.qa.readers import read_text
from rnnscope.qa.retrieval import Retriever
from rnnscope.qa.verbalise import Facts, facts_of, verbalise

__all__ = ["movie_questions", "read_wikimovies"]

_SOURCE = "WikiMovies (Miller et al., EMNLP 2016), CC BY 3.0"


def read_wikimovies(
    articles: str | Path,
    entities: str | Path,
    questions: Mapping[str, str | Path],
    *,
    below: int = 1000,
    limit: int | None = None,
) -> QuestionCorpus:
    """Read the original files.

    Args:
        articles: ``wiki.txt``: numbered lines, an article from each number 1 to the next.
        entities: the list of entities, one a line.
        questions: by split, the file of its questions: "1 question?<tab>answer, answer".
        below, limit: see ``Retriever``.

    Returns:
        one document an article; each question with the articles that hold its rare words.
    """
    listed = [line.strip() for line in read_text(entities).splitlines() if line.strip()]
    names = EntityNames(listed)
    documents: list[list[str]] = []
    for line in read_text(articles).splitlines():
        if not line.strip():
            continue
        number, text = _numbered(line)
        if number == 1:
            documents.append([])
        if not documents:
            raise DataError("Articles start with line 1.", got=f"{line[:60]!r}")
        documents[-1] += names.tokens(text)
    retrieve = Retriever(documents, below=below, limit=limit)
    rows = []
    known = {joined(name) for name in listed}
    for split, path in questions.items():
        for line in read_text(path).splitlines():
            if not line.strip():
                continue
            asked, _, answers = _numbered(line)[1].partition("\t")
            words = tuple(names.tokens(asked.strip().rstrip("?")))
            found = _answers(answers, known)
            rows.append(
                Question(words=words, documents=retrieve(words), answers=found, split=split)
            )
    return QuestionCorpus(
        documents=tuple(map(tuple, documents)),
        questions=tuple(rows),
        entities={joined(n): "number" if is_number(n) else "" for n in listed},
        name="wikimovies",
        source=_SOURCE,
    )


def movie_questions(
    triples: Iterable[Sequence[str]],
    questions: Mapping[str, Iterable[Mapping[str, Any]]],
    *,
    seed: int = 0,
    distractors: int = 2,
    below: int = 1000,
    limit: int | None = None,
) -> QuestionCorpus:
    """Questions over documents verbalised from a knowledge base.

    Args:
        triples: (film, relation, object).
        questions: by split, rows with "question" (text), "answers" (list), and "relation" or None,
            which becomes the category.
        seed, distractors: see ``verbalise``.
        below, limit: see ``Retriever``. An entity in lower case that so many documents hold is an
            everyday word, and no entity.
    """
    facts = facts_of(triples)
    documents, entities = verbalise(facts, seed=seed, distractors=distractors)
    rows_of = {split: list(asked) for split, asked in questions.items()}
    learnt = next(iter(rows_of.values()), [])
    entities = _without_common(entities, documents, below)
    names = _names(facts, entities)
    words = [names.tokens(_mended(row["question"])) for row in learnt]
    entities = _without_common(entities, words, max(20, len(words) // 500))
    names = _names(facts, entities)
    retrieve = Retriever(documents, below=below, limit=limit)
    rows = []
    for split, asked in rows_of.items():
        for row in asked:
            words = tuple(names.tokens(_mended(row["question"]).rstrip("?")))
            rows.append(
                Question(
                    words=words,
                    documents=retrieve(words),
                    answers=tuple(joined(_mended(answer)) for answer in row["answers"]),
                    category=str(row.get("relation") or ""),
                    split=split,
                )
            )
    return QuestionCorpus(
        documents=documents,
        questions=tuple(rows),
        entities=entities,
        name="wikimovies, verbalised",
        source=_SOURCE,
        note="The documents were generated from the knowledge base by templates, with distractors.",
    )


def _names(facts: Facts, entities: Mapping[str, str]) -> EntityNames:
    return EntityNames(
        name
        for film, relations in facts.items()
        for name in (film, *(thing for things in relations.values() for thing in things))
        if joined(name) in entities
    )


def _without_common(
    entities: Mapping[str, str], texts: Sequence[Sequence[str]], below: int
) -> dict[str, str]:
    """Without the entities that are everyday words in these texts, such as the tag "film"."""
    counts = Counter(word for text in texts for word in set(text))
    return {e: kind for e, kind in entities.items() if not e.islower() or counts[e] < below}


def _mended(text: str) -> str:
    """Text that was UTF-8 read as Latin-1, as in some published files, is put right."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def _numbered(line: str) -> tuple[int, str]:
    found = re.match(r"\s*(\d+)\s(.*)", line)
    if not found:
        raise DataError("A line is a number and a text.", got=f"{line[:60]!r}")
    return int(found[1]), found[2]


def _answers(text: str, known: set[str]) -> tuple[str, ...]:
    """Answers divided by commas; a comma inside an entity's name divides nothing."""
    parts, found = [p.strip() for p in text.split(",") if p.strip()], []
    k = 0
    while k < len(parts):
        for end in range(len(parts), k, -1):
            name = joined(", ".join(parts[k:end]))
            if name in known or end == k + 1:
                found.append(name)
                k = end
                break
    return tuple(found)
