import random

import numpy as np
import pytest
import torch

from rnnscope.numerics import denormals_are_flushed
from rnnscope.training import train
from rnnscope.training.run import Run
from tests.training.tiny import corpus, options, same_weights


@pytest.fixture(scope="module")
def tiny():
    return corpus()


@pytest.mark.parametrize("flushed", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_nothing_global_is_changed(tiny, flushed, threads):
    found = denormals_are_flushed(), torch.get_num_threads()
    torch.set_flush_denormal(flushed)
    torch.set_num_threads(threads)
    try:
        states = torch.get_rng_state(), repr(np.random.get_state()), random.getstate()  # noqa: NPY002
        train(tiny, options())
        assert torch.equal(torch.get_rng_state(), states[0])
        assert repr(np.random.get_state()) == states[1]  # noqa: NPY002
        assert random.getstate() == states[2]
        assert denormals_are_flushed() == flushed
        assert torch.get_num_threads() == threads
        assert torch.is_grad_enabled()
    finally:
        torch.set_flush_denormal(found[0])
        torch.set_num_threads(found[1])


def test_training_runs_on_one_thread_without_denormals(tiny, monkeypatch):
    seen = []
    learn = Run._learn

    def watched(*arguments):
        seen.append((denormals_are_flushed(), torch.get_num_threads()))
        return learn(*arguments)

    monkeypatch.setattr(Run, "_learn", watched)
    train(tiny, options())
    assert seen == [(True, 1)] * 2


def test_the_callers_state_does_not_matter(tiny):
    torch.manual_seed(1)
    first = train(tiny, options())
    torch.manual_seed(2)
    found = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert same_weights(first, train(tiny, options()))
    finally:
        torch.set_num_threads(found)


def test_the_corpus_is_left_as_it_was(tiny):
    documents, labels = tiny.documents, tiny.labels.copy()
    fingerprint = corpus().fingerprint
    train(tiny, options())
    assert tiny.documents is documents
    assert np.array_equal(tiny.labels, labels)
    assert corpus().fingerprint == fingerprint == tiny.fingerprint


def test_silent(tiny, capfd, tmp_path):
    train(tiny, options(), directory=tmp_path)
    assert capfd.readouterr() == ("", "")


def test_progress_is_shown_on_stderr(tiny, capfd):
    train(tiny, options(), progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    for part in ("epoch 2", "loss 0.", "validation accuracy", "words/s"):
        assert part in err
