"""Phrases: candidates and their importance over a corpus (Murdoch & Szlam 2017)."""

from rnnscope.phrases.mining import mine_phrases
from rnnscope.phrases.options import PhraseOptions
from rnnscope.phrases.phrases import Example, Phrase, Phrases
from rnnscope.phrases.search import PhraseSearch
from rnnscope.phrases.table import PhraseTable

__all__ = [
    "Example",
    "Phrase",
    "PhraseOptions",
    "PhraseSearch",
    "PhraseTable",
    "Phrases",
    "mine_phrases",
]
