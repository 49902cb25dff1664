"""Odd numbers and odd sizes: named, or as exact as any other."""

from __future__ import annotations

import resource
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import rnnscope.models as models
from rnnscope.errors import ModelError
from rnnscope.models import model as model_module
from rnnscope.models.streaming import can_stream
from tests.helpers import WORDS, random_documents, random_module


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("parameter", "name"),
    [("rnn.weight_hh_l0", "V"), ("rnn.bias_ih_l0", "b"), ("emb.weight", "embedding"),
     ("out.weight", "readout.weight")],
)  # fmt: skip
def test_weights_that_are_no_numbers_are_named(parameter, name, value, tmp_path):
    module = random_module("gru")
    with torch.no_grad():
        module.get_parameter(parameter).view(-1)[1] = value
    with pytest.raises(ModelError, match=rf"1 of .*{name}"):
        models.from_torch(module, vocabulary=WORDS)
    with pytest.raises(ModelError, match=rf"1 of .*{name}"):
        models.from_weights(module.state_dict())


@pytest.mark.parametrize("kind", ["vanilla", "gru", "lstm"])
@pytest.mark.parametrize("scale", [1e3, 1e-160, 0.0])
def test_saturated_gates_and_denormal_weights(kind, scale):
    module = random_module(kind, layers=2, scale=scale)
    certificate = models.from_torch(module, pooling="last", documents=random_documents(4),
                                    vocabulary=WORDS).certificate  # fmt: skip
    assert certificate.states <= 1e-12
    assert certificate.logits <= 1e-12 * max(1.0, scale)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["vanilla", "gru", "lstm"])
def test_half_precision_is_certified_within_its_own_rounding(kind, dtype):
    module = random_module(kind, dtype=torch.float32, scale=0.5).to(dtype)
    model = models.from_torch(module, vocabulary=WORDS, documents=random_documents(4))
    assert model.dtype == torch.float32
    eps = torch.finfo(dtype).eps
    assert model.certificate.states <= 8 * eps
    assert model.certificate.precisions["float64"]["logits"] <= 1e-12
    assert torch.equal(model.embedding, module.emb.weight.float())


@pytest.mark.parametrize("kind", ["vanilla", "gru", "lstm"])
def test_one_unit_and_two_words(kind):
    module = random_module(kind, units=1, width=1, words=2)
    model = models.from_torch(module, documents=[[1], [0, 1], [1, 1, 0]])
    assert model.certificate.logits <= 1e-12
    assert model.logits([[1]]).shape == (1, 2)
    cell = model.cell
    assert cell.J_rec(model.embedding[:1], cell.initial_state(1)).shape[-1] == cell.state_size


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize(
    "shape",
    [{"kind": "lstm"}, {"kind": "gru", "layers": 2}, {"kind": "gru", "bidirectional": True}],
)
def test_a_document_in_stretches_is_the_document_at_once(pooling, shape, monkeypatch):
    model = models.from_torch(random_module(pooling=pooling, **shape), vocabulary=WORDS)
    assert can_stream(model)
    documents = [np.random.default_rng(0).integers(2, 10, size=n) for n in (1, 50, 131)]
    at_once = model.logits(documents)
    monkeypatch.setattr(model_module, "steps_at_once", lambda *_, **__: 16)
    torch.testing.assert_close(model.logits(documents), at_once, atol=1e-12, rtol=0)
    side_by_side = replace(model, pooling="last+mean", readout=None, classes=())
    assert can_stream(side_by_side)


def test_a_hundred_thousand_steps_take_the_memory_of_a_stretch():
    module = random_module("vanilla", units=64, width=8, dtype=torch.float32)
    model = models.from_torch(module, vocabulary=WORDS)
    document = np.random.default_rng(0).integers(2, 10, size=100_000)
    model.logits([document[:20_000]])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    logits = model.logits([document])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert bool(logits.isfinite().all())
    assert grown < 30_000  # kilobytes; the states and drives of all steps would take 50,000


def test_one_step_of_vectors():
    model = models.from_torch(nn.LSTM(3, 2).double())
    state = model.trajectory([np.ones((1, 3))]).states
    assert state.shape == (1, 1, 4)
