"""The explorer: type a sentence and watch the network decide."""

from rnnscope.explorer.browsing import find_phrase, look_at_point
from rnnscope.explorer.changes import look_at_word
from rnnscope.explorer.exhibit import Exhibit
from rnnscope.explorer.opening import open_run
from rnnscope.explorer.sentence import look_at, slower_score
from rnnscope.explorer.serving import serve

__all__ = [
    "Exhibit",
    "find_phrase",
    "look_at",
    "look_at_point",
    "look_at_word",
    "open_run",
    "serve",
    "slower_score",
]
