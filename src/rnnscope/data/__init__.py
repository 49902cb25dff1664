"""Corpora, vocabularies, the default tokenizer, batches, and the embedded data set."""

from rnnscope.data.batches import bucketed, pad
from rnnscope.data.corpus import Corpus
from rnnscope.data.embedded import EMBEDDED, load_embedded
from rnnscope.data.load import load_corpus, stream_corpus
from rnnscope.data.tokenizer import tokenize
from rnnscope.data.vocabulary import Vocabulary

__all__ = [
    "EMBEDDED",
    "Corpus",
    "Vocabulary",
    "bucketed",
    "load_corpus",
    "load_embedded",
    "pad",
    "stream_corpus",
    "tokenize",
]
