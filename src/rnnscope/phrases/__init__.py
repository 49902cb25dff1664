"""Phrases: candidates and their importance over a corpus (paper A)."""

from rnnscope.phrases.mining import mine_phrases
from rnnscope.phrases.phrases import Phrase, PhraseOptions, Phrases

__all__ = ["Phrase", "PhraseOptions", "Phrases", "mine_phrases"]
