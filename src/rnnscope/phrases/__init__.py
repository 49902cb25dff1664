"""Phrases: candidates and their importance over a corpus (Murdoch & Szlam 2017)."""

from rnnscope.phrases.mining import mine_phrases
from rnnscope.phrases.phrases import Phrase, PhraseOptions, Phrases

__all__ = ["Phrase", "PhraseOptions", "Phrases", "mine_phrases"]
