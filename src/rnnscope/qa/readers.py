"""Readers: JSONL of our own, bAbI, SQuAD-like JSON."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rnnscope.data import tokenize
from rnnscope.errors import DataError, UsageError
from rnnscope.qa.corpus import Question, QuestionCorpus
from rnnscope.qa.entities import EntityNames, is_number, joined
from rnnscope.storage import read_whole

__all__ = ["babi_corpus", "read_babi", "read_jsonl", "read_squad", "write_jsonl"]

RATIO = 1_000
"""Times its size that a packed file may unpack to; questions come to some ten."""

_QUESTION = {"question", "documents", "answers", "category", "split", "candidates", "supporting"}


def read_text(path: str | Path) -> str:
    """A UTF-8 file, packed by gzip or not.

    Raises:
        UsageError: there is no file to read.
        DataError: it is not UTF-8.
    """
    try:
        data = read_whole(Path(path))
        if data[:2] == b"\x1f\x8b":
            data = _unpacked(data)
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("Questions are read from UTF-8 files.", got=f"{path}: {error}") from error
    except (OSError, EOFError, ValueError, TypeError) as error:
        got = f"{str(path)[:80]}: {error}"
        raise UsageError("There must be a file to read.", got=got) from error


def _unpacked(data: bytes) -> bytes:
    most = max(RATIO * len(data), 2**20)
    with gzip.open(io.BytesIO(data)) as stream:
        text = stream.read(most + 1)
    if len(text) > most:
        raise ValueError(f"it unpacks to more than {RATIO} times its size")
    return text


def read_jsonl(path: str | Path, *, name: str = "") -> QuestionCorpus:
    """Read the plain format: one JSON object a line, in any order.

    {"document": tokens or text, "id": name}               a document
    {"question": tokens or text, "documents": [names], "answers": [...], ...}   a question
    {"entity": token, "type": "..."}                       an entity; the answers are ones too
    {"source": "...", "note": "...", "name": "..."}        about the data, at most once

    A question may also hold "category", "split", "candidates" and "supporting" (sentences), and in
    place of names under "documents" its only document's text under "document". Texts are cut by
    the default tokenizer, entities found by their names first.

    Raises:
        DataError: a line that is no such object, an unknown document or key; the line is named.
    """
    rows = [(n, _object(line, n)) for n, line in enumerate(read_text(path).splitlines(), 1) if line]
    about: dict[str, str] = {}
    entities: dict[str, str] = {}
    for number, row in rows:
        if "entity" in row:
            entities[joined(str(row["entity"]))] = str(row.get("type", ""))
        for answer in (*_strings(row, "answers", number), *_strings(row, "candidates", number)):
            token = joined(answer)
            entities.setdefault(token, "number" if is_number(token) else "")
    names = EntityNames(token.replace("_", " ") for token in entities)
    cut = _Cutter(names)
    documents: list[tuple[str, ...]] = []
    place: dict[str, int] = {}
    questions: list[Question] = []
    for _, row in rows:
        if "document" in row and "question" not in row:
            place[str(row.get("id", len(documents)))] = len(documents)
            documents.append(cut(row["document"]))
        elif "question" not in row and "entity" not in row:
            about |= {key: str(row[key]) for key in ("name", "source", "note") if key in row}
    for number, row in rows:
        if "question" not in row:
            continue
        unknown = set(row) - _QUESTION - {"document"}
        if unknown:
            raise DataError(
                "A question has known keys.",
                expected=", ".join(sorted(_QUESTION)),
                got=f"{sorted(unknown)[0]!r} in line {number}",
            )
        if "document" in row:
            read = (len(documents),)
            documents.append(cut(row["document"]))
        else:
            read = tuple(_place(place, str(key), number) for key in row.get("documents", ()))
        questions.append(
            Question(
                words=cut(row["question"]),
                documents=read,
                answers=tuple(map(joined, _strings(row, "answers", number))),
                category=str(row.get("category", "")),
                split=str(row.get("split", "")),
                candidates=(
                    tuple(map(joined, _strings(row, "candidates", number)))
                    if "candidates" in row
                    else None
                ),
                supporting=tuple(row.get("supporting", ())),
            )
        )
    return QuestionCorpus(
        documents=tuple(documents),
        questions=tuple(questions),
        entities=entities,
        name=name or about.get("name", Path(path).stem),
        source=about.get("source", ""),
        note=about.get("note", ""),
    )


def write_jsonl(corpus: QuestionCorpus) -> str:
    """The corpus in the plain format; ``read_jsonl`` reads it back equal."""
    about = {"name": corpus.name, "source": corpus.source, "note": corpus.note}
    lines: list[Mapping[str, Any]] = [about]
    lines += [{"entity": entity, "type": kind} for entity, kind in corpus.entities.items()]
    lines += [{"document": list(d), "id": str(k)} for k, d in enumerate(corpus.documents)]
    for question in corpus.questions:
        row = {
            "question": list(question.words),
            "documents": [str(k) for k in question.documents],
            "answers": list(question.answers),
            "category": question.category,
            "split": question.split,
            "supporting": list(question.supporting),
        }
        row = {key: value for key, value in row.items() if value not in ("", [])}
        if question.candidates is not None:
            row["candidates"] = list(question.candidates)
        lines.append(row)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def read_babi(path: str | Path, *, split: str = "", task: str = "") -> QuestionCorpus:
    """Read one file of a bAbI task (Weston et al. 2015): numbered lines, questions with tabs.

    The candidates are all answers of the file, so read the training and the test file of a task
    together with ``babi_corpus`` where their answers differ.
    """
    stories: list[dict[str, Any]] = []
    story: list[str] = []
    place: dict[int, int] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        index, _, rest = line.strip().partition(" ")
        if not index.isdigit() or not rest:
            raise DataError(
                "A line of bAbI is a number and a sentence.", got=f"{line[:60]!r}, line {number}"
            )
        if index == "1":
            story, place = [], {}
        if "\t" not in rest:
            place[int(index)] = len(story)
            story.append(rest)
            continue
        question, answer, *facts = (part.strip() for part in rest.split("\t"))
        stories.append(
            {
                "story": "\n".join(story),
                "question": question,
                "answer": answer,
                "supporting": [place[int(k)] for k in " ".join(facts).split()],
                "split": split,
                "task": task,
            }
        )
    return babi_corpus(stories, name=Path(path).stem)


def babi_corpus(rows: Iterable[Mapping[str, Any]], *, name: str = "babi") -> QuestionCorpus:
    """A corpus of bAbI rows: story (sentences joined by newlines), question, answer, supporting.

    Rows may also hold "split" and "task", which becomes the category. Entities are all answers
    and all names in questions: words with a capital that do not begin them.
    """
    listed = list(rows)
    names = [
        word.strip(".,?!")
        for row in listed
        for word in str(row["question"]).split()[1:]
        if word[:1].isupper()
    ]
    answers = [str(row["answer"]) for row in listed]
    entities = {joined(entity.lower()): "" for entity in [*answers, *names]}
    documents, questions = [], []
    for row in listed:
        sentences = [tokenize(s) for s in str(row["story"]).splitlines() if s.strip()]
        words = tuple(word for sentence in sentences for word in _ended(sentence))
        if not words:
            raise DataError("Every story has a sentence.", got=f"none for {row['question']!r}")
        questions.append(
            Question(
                words=tuple(tokenize(str(row["question"]))),
                documents=(len(documents),),
                answers=(joined(str(row["answer"]).lower()),),
                category=str(row.get("task", "")),
                split=str(row.get("split", "")),
                supporting=tuple(int(k) for k in row.get("supporting", ())),
            )
        )
        documents.append(words)
    return QuestionCorpus(
        documents=tuple(documents),
        questions=tuple(questions),
        entities=entities,
        name=name,
        source="bAbI tasks (Weston et al. 2015), CC BY 3.0; generated stories",
    )


def read_squad(path: str | Path, *, name: str = "") -> QuestionCorpus:
    """Read SQuAD-like JSON: data[].paragraphs[].{context, qas[].{question, answers[].text}}.

    The entities are the answers of the file, each one token in every context. A question whose
    "is_impossible" is true has no right answer. "category" and "split" of a question are kept.
    """
    try:
        data = json.loads(read_text(path))
        paragraphs = [p for article in data["data"] for p in article["paragraphs"]]
        answers = [a["text"] for p in paragraphs for q in p["qas"] for a in q.get("answers", ())]
        names = EntityNames(answers)
        entities = {joined(a): "number" if is_number(joined(a)) else "" for a in answers}
        documents, questions = [], []
        for paragraph in paragraphs:
            documents.append(tuple(names.tokens(paragraph["context"])))
            for asked in paragraph["qas"]:
                right = dict.fromkeys(joined(a["text"]) for a in asked.get("answers", ()))
                questions.append(
                    Question(
                        words=tuple(names.tokens(asked["question"])),
                        documents=(len(documents) - 1,),
                        answers=() if asked.get("is_impossible") else tuple(right),
                        category=str(asked.get("category", "")),
                        split=str(asked.get("split", "")),
                    )
                )
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise DataError(
            "SQuAD-like files hold data[].paragraphs[] with context and qas[].",
            got=f"{path}: {type(error).__name__}: {error}",
        ) from error
    return QuestionCorpus(
        documents=tuple(documents),
        questions=tuple(questions),
        entities=entities,
        name=name or Path(path).stem,
    )


class _Cutter:
    """Tokens as they are, texts cut."""

    def __init__(self, names: EntityNames) -> None:
        self.names = names

    def __call__(self, value: Any) -> tuple[str, ...]:
        return tuple(self.names.tokens(value) if isinstance(value, str) else value)


def _ended(sentence: list[str]) -> Iterator[str]:
    yield from sentence
    if sentence and sentence[-1] != ".":
        yield "."


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(
            "Every line is a JSON object.", got=f"line {number}: {error.msg}"
        ) from error
    if not isinstance(found, dict):
        raise DataError("Every line is a JSON object.", got=f"line {number}: {line[:40]!r}")
    return found


def _strings(row: Mapping[str, Any], key: str, number: int) -> tuple[str, ...]:
    found = row.get(key, ())
    if not isinstance(found, list | tuple) or not all(isinstance(a, str) for a in found):
        raise DataError(f'"{key}" is a list of strings.', got=f"{found!r:.40} in line {number}")
    return tuple(found)


def _place(place: Mapping[str, int], key: str, number: int) -> int:
    if key not in place:
        raise DataError(
            "A question reads documents of the file, by their id.", got=f"{key!r} in line {number}"
        )
    return place[key]
