"""The pattern answerer: an estimator that reads its patterns out of a network."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Self

from rnnscope.errors import DataError, UsageError
from rnnscope.qa.answers import Answers
from rnnscope.qa.categories import Categories
from rnnscope.qa.corpus import Question, QuestionCorpus
from rnnscope.qa.mining_final import mine_final
from rnnscope.qa.mining_v1 import mine_v1
from rnnscope.qa.model import QuestionModel
from rnnscope.qa.options import PatternOptions
from rnnscope.qa.pattern_list import PatternAnswers, PatternList, Reason
from rnnscope.qa.scores import score_answers

__all__ = ["PatternAnswerer", "mine_patterns"]


def mine_patterns(
    model: QuestionModel,
    answers: Answers,
    options: PatternOptions | None = None,
    *,
    categories: Categories | None = None,
    **changes: Any,
) -> PatternList:
    """Mine the patterns by which a network answers questions.

    Args:
        model: the network.
        answers: its answers, or others', to the questions to mine.
        options: see ``PatternOptions``; ``changes`` are put over them.
        categories: tells a question's category; learnt from these questions when None.

    Returns:
        the list. Whether the first or the last match in a document decides is what agrees better
        with the answers mined, the first where both do alike.

    Raises:
        UsageError: an unknown option.
        DataError: no answer to mine.
    """
    options = _options(options, changes)
    if not answers.given.any():
        raise DataError("Patterns are mined from answers.", got="no question has one")
    reading = answers.reading
    categories = categories or Categories.learn(reading)
    of = categories.of(reading)
    scores = score_answers(model, answers, method=options.method)
    if options.version == "v1":
        patterns = dict.fromkeys(
            ("first", "last"), mine_v1(reading, scores, of, categories.names, options)
        )
    else:
        patterns = mine_final(model, answers, scores, of, categories.names, options)
    lists = [
        PatternList(
            patterns=tuple(found),
            categories=categories,
            gap=options.words_between,
            within=options.within,
            occurrence=occurrence,
            method=options.method,
            fingerprint=reading.corpus.fingerprint,
        )
        for occurrence, found in patterns.items()
    ]
    return max(lists, key=lambda one: one.answer(reading).plausibility(answers))


class PatternAnswerer:
    """Answers questions by the patterns of a network; follows scikit-learn's conventions.

    Args:
        model: the network to read the patterns out of.
        options: as keywords, see ``PatternOptions``.

    Attributes:
        patterns_: the ``PatternList`` after ``fit``.
    """

    patterns_: PatternList

    def __init__(self, model: QuestionModel, **options: Any) -> None:
        self.model = model
        self.options = options

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name."""
        del deep
        return {"model": self.model, **asdict(_options(None, self.options))}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; returns itself."""
        self.model = params.pop("model", self.model)
        self.options = {**self.options, **params}
        return self

    def fit(self, corpus: QuestionCorpus, answers: Answers | None = None) -> Self:
        """Mine the patterns on questions, by the network's answers to them.

        Args:
            corpus: questions that the network was not trained on, such as a validation split.
            answers: the network's answers to them, where they are known already.
        """
        if not isinstance(self.model, QuestionModel):
            raise UsageError(
                "Patterns are read out of a question network.",
                expected="a QuestionModel, of train_question_model or load_question_model",
                got=type(self.model).__name__,
            )
        found = self.model.answer(corpus) if answers is None else answers
        self.patterns_ = mine_patterns(self.model, found, **self.options)
        return self

    def predict(self, corpus: QuestionCorpus) -> PatternAnswers:
        """The answer to every question, with the pattern that gave it."""
        return self._fitted.answer(corpus)

    def score(self, corpus: QuestionCorpus, answers: Answers | None = None) -> float:
        """hits@1; with the network's ``answers``, agreement with them."""
        found = self.predict(corpus)
        return found.hits1 if answers is None else found.agreement(answers)

    def explain(self, corpus: QuestionCorpus, question: Question | int = 0) -> Reason:
        """Which pattern answers a question, and where it matched."""
        return self._fitted.explain(corpus, question)

    @property
    def _fitted(self) -> PatternList:
        if not hasattr(self, "patterns_"):
            raise UsageError("A pattern answerer is fitted first.", fix="call fit(corpus)")
        return self.patterns_


def _options(options: PatternOptions | None, changes: dict[str, Any]) -> PatternOptions:
    known = asdict(options or PatternOptions())
    for name in changes:
        if name not in known:
            raise UsageError(
                "Mining patterns has no such option.", expected=", ".join(known), got=name
            )
    return PatternOptions(**{**known, **changes})
