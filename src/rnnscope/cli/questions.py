"""``rnnscope qa train|explain|answer``: one function a command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from rnnscope.cli.common import Json, Where, print_json
from rnnscope.errors import DataError, UsageError
from rnnscope.qa.answerer import mine_patterns
from rnnscope.qa.corpus import Question, QuestionCorpus
from rnnscope.qa.evidence import PatternEvidence
from rnnscope.qa.load import load_questions
from rnnscope.qa.pattern_list import PatternList
from rnnscope.qa.reading import Reading
from rnnscope.qa.retrieval import Retriever
from rnnscope.qa.saving import load_question_model
from rnnscope.qa.scores import score_answers
from rnnscope.qa.training import DEFAULTS, train_question_model

__all__ = ["COMMANDS", "qa", "run"]

RUN = Path("runs/qa")

Source = Annotated[str, tyro.conf.arg(metavar="FILE|embedded")]
Version = Literal["final", "v1"]
Method = Literal["gamma", "beta", "gradient"]


def train(
    out: Where = RUN,
    data: Source = "embedded",
    version: Version = "final",
    units: int = DEFAULTS.units,
    epochs: int = DEFAULTS.epochs,
    learning_rate: float = DEFAULTS.learning_rate,
    seed: int = 0,
    as_json: Json = False,
) -> None:
    """Train a network that answers questions, and save it.

    Example: rnnscope qa train --out runs/qa --data embedded

    Args:
        out: a directory for the checkpoint and the model; a run that was stopped goes on there.
        data: a .jsonl, SQuAD-like .json or bAbI .txt file, or "embedded".
        version: of the paper: "final", or "v1".
        units: hidden units, and the width of the word vectors.
        epochs: at most so many passes.
        learning_rate: Adam's.
        seed: of the weights and the order of the questions.
        as_json: print the training record as JSON.
    """
    corpus = load_questions(data)
    options = replace(
        DEFAULTS,
        units=units,
        embedding=units,
        epochs=epochs,
        learning_rate=learning_rate,
        seed=seed,
    )
    model = train_question_model(corpus, options, version=version, directory=out, progress=True)
    record = dict(model.record)
    if corpus.has_split("test"):
        record["test"] = model.answer(corpus.split("test")).to_dict()
    if as_json:
        print_json(record)
        return
    print(model)
    print(f"validation hits@1: {record['validation_accuracy']:.3f}")
    if "test" in record:
        _print_hits("test", record["test"])
    print(f"model: {out / 'model'}")


def explain(
    model: Where = RUN,
    data: Source = "embedded",
    version: Version | None = None,
    method: Method = "gamma",
    min_count: int = 5,
    export: Annotated[Path | None, tyro.conf.arg(metavar="JSON")] = None,
    show: int = 3,
    as_json: Json = False,
) -> None:
    """Mine a network's patterns, and say how well they stand in for it.

    Mined on the validation questions (without a split on all), judged on the test questions.

    Example: rnnscope qa explain --model runs/qa --export patterns.json

    Args:
        model: a trained network's directory.
        data: the questions.
        version: of the patterns; the network's own when not given.
        method: the word score.
        min_count: questions that a pattern is found in, at least.
        export: write the list here, to read, edit and use with "rnnscope qa answer".
        show: patterns printed, of each category.
        as_json: print everything as JSON.
    """
    network, corpus = load_question_model(model), load_questions(data)
    mined = network.answer(_part(corpus, "validation"))
    kind = version or network.version
    patterns = mine_patterns(network, mined, version=kind, method=method, min_count=min_count)
    evidence = PatternEvidence.fit(patterns, mined)
    answers = network.answer(_part(corpus, "test"))
    judged = {
        "network": answers.to_dict(),
        "patterns": patterns.judge(answers.reading, answers),
        "evidence": evidence.answer(answers.reading).to_dict(),
    }
    if export is not None:
        print(f"patterns: {patterns.export(export)}", file=sys.stderr)
    if as_json:
        listed = [pattern.to_dict() for pattern in patterns.patterns]
        print_json({"method": method, "version": kind, **judged, "list": listed})
        return
    print(f"{len(patterns)} patterns by {method}, version {kind}")
    for name, found in judged.items():
        _print_hits(name, found)
    print(f"the patterns answer as the network does in {judged['patterns']['agreement']:.3f}")
    for category in patterns.categories.names:
        print(f"\n{category or '(no category)'}")
        own = [p for p in patterns.patterns if p.category == category]
        for pattern in own[:show]:
            support = "" if pattern.precision is None else f"{pattern.precision:6.2f}"
            print(f"  {pattern.count or 0:5d} {support}  {pattern.text}")
    scores = next((s for s in score_answers(network, answers, method=method) if s), None)
    if scores is not None:
        row = int(answers.given.argmax())
        print(f"\n{' '.join(corpus_words(answers.reading, row))}? {answers.entities[row]}, because")
        values = scores.values
        for k in sorted((-values).argsort()[:8].tolist()):
            mark = " <- the answer" if k == scores.place else ""
            print(f"  {values[k]:+8.2f}  {scores.words[k]}{mark}")


def answer(
    question: tyro.conf.Positional[str],
    document: Annotated[str | None, tyro.conf.arg(metavar="TEXT")] = None,
    patterns: Annotated[Path | None, tyro.conf.arg(metavar="JSON")] = None,
    model: Where = RUN,
    data: Source = "embedded",
    as_json: Json = False,
) -> None:
    """Answer one question by the network, or by an exported pattern list, and say why.

    Example: rnnscope qa answer "who wrote Beyond_Jirbunprai" --patterns patterns.json

    Args:
        question: in quotes, entities as the data writes them ("_" for blanks).
        document: a text to find the answer in; by default the documents of the data that hold the
            question's entities.
        patterns: answer by this list, edited by hand or not, without the network.
        model: the network's directory.
        data: where the documents and the entities are from.
        as_json: print as JSON.
    """
    corpus = _asked(load_questions(data), question, document)
    if patterns is not None:
        reason = PatternList.load(patterns).explain(corpus)
        found: dict[str, Any] = {"answer": reason.answer, "why": str(reason)}
    else:
        network = load_question_model(model)
        answers = network.answer(corpus)
        found = {"answer": answers.entities[0], "probability": float(answers.probability[0])}
        (scores,) = score_answers(network, answers)
        if scores is not None:
            best = sorted((-scores.values).argsort()[:5].tolist())
            found["why"] = " ".join(f"{scores.words[k]} ({scores.values[k]:+.2f})" for k in best)
    if as_json:
        print_json(found)
        return
    print(found["answer"] or "no answer: no candidate, or no pattern matched")
    print(found.get("why", ""))


COMMANDS: dict[str, Callable[..., None]] = {"train": train, "explain": explain, "answer": answer}


def qa() -> None:
    """Networks that answer questions: train one, explain it by patterns, answer by either.

    Example: rnnscope qa train --out runs/qa
    """
    run(["--help"])


def run(arguments: Sequence[str]) -> None:
    """Run one of the commands of ``rnnscope qa``."""
    tyro.extras.subcommand_cli_from_dict(
        COMMANDS,
        prog="rnnscope qa",
        description="Networks that answer questions, and the patterns they follow. Example: "
        "rnnscope qa train --out runs/qa. Each command has --help, and --json for machines.",
        args=list(arguments),
    )


def corpus_words(reading: Reading, row: int) -> tuple[str, ...]:
    """A question as it was asked."""
    return reading.corpus.questions[row].words


def _asked(corpus: QuestionCorpus, question: str, document: str | None) -> QuestionCorpus:
    """One question over the data's documents, or over a text."""
    words = tuple(question.rstrip("?").split())
    if not words:
        raise UsageError("A question has words.", got=repr(question))
    if document is not None:
        text = tuple(document.split())
        if not text:
            raise DataError("A document has words.", got=repr(document))
        return replace(
            corpus, documents=(text,), questions=(Question(words=words, documents=(0,)),)
        )
    named = [word for word in words if word in corpus.entities]
    retrieve = Retriever(corpus.documents, below=len(corpus.documents) + 1)
    return corpus.having([Question(words=words, documents=retrieve(named))])


def _part(corpus: QuestionCorpus, split: str) -> QuestionCorpus:
    return corpus.split(split) if corpus.has_split(split) else corpus


def _print_hits(name: str, found: dict[str, Any]) -> None:
    low, high = found["interval"]
    print(
        f"{name:10} hits@1 {found['hits1']:.3f} [{low:.3f}, {high:.3f}] of {found['questions']:,}"
        f" questions, {found['answered']:.3f} answered"
    )
