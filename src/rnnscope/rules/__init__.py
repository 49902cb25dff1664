"""Rules: phrases that decide, in order."""

from rnnscope.rules.classifier import ColumnRule, RuleListClassifier
from rnnscope.rules.evidence import Evidence, Example, RuleEvidence
from rnnscope.rules.matching import Encoded, Matcher
from rnnscope.rules.phrase_model import PhraseModel, WeighedPhrase
from rnnscope.rules.replacement import Replacement, compare_with_network
from rnnscope.rules.rule import Decisions, Firing, Rule
from rnnscope.rules.rule_list import RuleList
from rnnscope.rules.vectorizer import PhraseVectorizer

__all__ = [
    "ColumnRule",
    "Decisions",
    "Encoded",
    "Evidence",
    "Example",
    "Firing",
    "Matcher",
    "PhraseModel",
    "PhraseVectorizer",
    "Replacement",
    "Rule",
    "RuleEvidence",
    "RuleList",
    "RuleListClassifier",
    "WeighedPhrase",
    "compare_with_network",
]
