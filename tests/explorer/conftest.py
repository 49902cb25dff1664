"""A network trained in a second, its run, and its explorer."""

from __future__ import annotations

import pytest

from rnnscope.account import ExplainOptions
from rnnscope.explorer import open_run
from rnnscope.training import train
from tests.training import tiny

QUICK = ExplainOptions(min_count=2, points=12)


@pytest.fixture(scope="session")
def corpus():
    return tiny.corpus(300)


@pytest.fixture(scope="session")
def run(tmp_path_factory, corpus):
    """The folder of a trained LSTM."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    train(corpus, tiny.options(epochs=4), directory=folder)
    return folder


@pytest.fixture(scope="session")
def other_run(tmp_path_factory, corpus):
    """The folder of a GRU that learned the same."""
    folder = tmp_path_factory.mktemp("runs") / "other"
    train(corpus, tiny.options(epochs=1, architecture="gru"), directory=folder)
    return folder


@pytest.fixture(scope="session")
def exhibit(run, corpus):
    return open_run(run, data=corpus, options=QUICK)


@pytest.fixture(scope="session")
def other(other_run, corpus):
    return open_run(other_run, data=corpus, options=QUICK)
