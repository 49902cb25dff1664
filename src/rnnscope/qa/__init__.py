"""Question answering (Murdoch & Szlam 2017): networks that answer by an entity of a document, the
scores of their words, and the patterns that stand in for them."""

from rnnscope.qa.answerer import PatternAnswerer, mine_patterns
from rnnscope.qa.answers import Answers
from rnnscope.qa.categories import Categories
from rnnscope.qa.corpus import Question, QuestionCorpus
from rnnscope.qa.entities import EntityNames
from rnnscope.qa.evidence import PatternEvidence
from rnnscope.qa.load import load_questions
from rnnscope.qa.model import QuestionModel
from rnnscope.qa.options import PatternOptions
from rnnscope.qa.pattern import Pattern
from rnnscope.qa.pattern_list import PatternAnswers, PatternList, Reason
from rnnscope.qa.readers import babi_corpus, read_babi, read_jsonl, read_squad, write_jsonl
from rnnscope.qa.reading import Reading
from rnnscope.qa.retrieval import Retriever
from rnnscope.qa.saving import load_question_model
from rnnscope.qa.scores import AnswerScores, score_answers
from rnnscope.qa.training import train_question_model
from rnnscope.qa.verbalise import facts_of, verbalise
from rnnscope.qa.wikimovies import movie_questions, read_wikimovies

__all__ = [
    "AnswerScores",
    "Answers",
    "Categories",
    "EntityNames",
    "Pattern",
    "PatternAnswerer",
    "PatternAnswers",
    "PatternEvidence",
    "PatternList",
    "PatternOptions",
    "Question",
    "QuestionCorpus",
    "QuestionModel",
    "Reading",
    "Reason",
    "Retriever",
    "babi_corpus",
    "facts_of",
    "load_question_model",
    "load_questions",
    "mine_patterns",
    "movie_questions",
    "read_babi",
    "read_jsonl",
    "read_squad",
    "read_wikimovies",
    "score_answers",
    "train_question_model",
    "verbalise",
    "write_jsonl",
]
