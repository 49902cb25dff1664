"""Reading torch modules: equal to the original, which is left as it was; refused with a reason."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

import rnnscope.models as models
from rnnscope.errors import DataError, ModelError, UsageError
from tests.helpers import WORDS, random_documents, random_module


@pytest.mark.parametrize("kind", ["vanilla", "relu", "gru", "lstm"])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_logits_are_the_modules(kind, batch_first, pooling, layers, bidirectional):
    module = random_module(
        kind,
        batch_first=batch_first,
        pooling=pooling,
        layers=layers,
        bidirectional=bidirectional,
        classes=3,
    )
    documents = random_documents(5)
    model = models.from_torch(module, vocabulary=WORDS, pooling=pooling, documents=documents)
    assert model.dtype == torch.float64
    assert model.certificate.states <= 1e-12
    assert model.certificate.logits <= 1e-12
    assert model.certificate.data == "yours"
    module.eval()
    for document, ours in zip(documents, model.logits(documents), strict=True):
        ids = torch.tensor([[WORDS.index(w) for w in document]])
        theirs = module(ids if batch_first else ids.T)[0]
        torch.testing.assert_close(ours, theirs.detach(), atol=1e-12, rtol=0)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_pooling_is_found_by_trying(pooling):
    model = models.from_torch(random_module(pooling=pooling), vocabulary=WORDS)
    assert model.pooling == pooling


def test_the_wrong_pooling_is_refused_and_the_right_one_named():
    with pytest.raises(ModelError, match="pass pooling='mean'"):
        models.from_torch(random_module(pooling="mean"), vocabulary=WORDS, pooling="last")


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_bare_recurrent_modules(kind):
    module = kind(3, 4, dtype=torch.float64)
    model = models.from_torch(module)
    assert model.cell.dtype == torch.float64
    x = torch.randn(6, 3, dtype=torch.float64)
    expected = module(x[:, None])[0][:, 0].detach()
    got = model.cell.output(model.trajectory([x]).states[0])
    torch.testing.assert_close(got, expected, atol=1e-12, rtol=0)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True)])
def test_projected_lstms(pooling, layers, bidirectional):
    module = random_module(
        pooling=pooling, layers=layers, bidirectional=bidirectional, projection=3, units=5
    )
    documents = random_documents(5)
    model = models.from_torch(module, vocabulary=WORDS, documents=documents)
    assert model.pooling == pooling
    assert model.certificate.states <= 1e-12
    assert model.certificate.logits <= 1e-12
    module.eval()
    for document, ours in zip(documents, model.logits(documents), strict=True):
        theirs = module(torch.tensor([[WORDS.index(w) for w in document]]))[0]
        torch.testing.assert_close(ours, theirs.detach(), atol=1e-12, rtol=0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_modules_without_bias(kind, bias):
    assert models.from_torch(kind(3, 4, bias=bias)).certificate.states <= 1e-6


def test_the_module_is_left_as_it_was():
    module = random_module(dtype=torch.float32)
    module.train()
    module.drop.eval()
    module.emb.weight.requires_grad_(False)
    before = copy.deepcopy(module.state_dict())
    modes = [part.training for part in module.modules()]
    grads = [parameter.requires_grad for parameter in module.parameters()]
    torch.manual_seed(5)
    random_state = torch.get_rng_state()
    model = models.from_torch(module, vocabulary=WORDS)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.is_grad_enabled()
    assert [part.training for part in module.modules()] == modes
    assert [parameter.requires_grad for parameter in module.parameters()] == grads
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    with torch.no_grad():
        module.rnn.weight_hh_l0 += 1
    assert not torch.equal(model.cell.V, module.rnn.weight_hh_l0)


def test_a_module_that_counts_its_calls_is_put_back():
    class Counting(type(random_module())):
        def forward(self, ids):
            self.calls += 1
            return super().forward(ids)

    module = random_module()
    module.__class__ = Counting
    module.register_buffer("calls", torch.zeros(()))
    models.from_torch(module, vocabulary=WORDS)
    assert int(module.calls) == 0


@pytest.mark.parametrize(
    ("wrap", "classes", "name"),
    [
        (lambda z: torch.log_softmax(z, -1), 3, "log-probabilities"),
        (lambda z: torch.softmax(z, -1), 3, "probabilities"),
        (lambda z: torch.sigmoid(z).squeeze(-1), 1, "probabilities"),
        (lambda z: (z, "attention"), 2, "logits"),
        (lambda z: {"loss": torch.zeros(()), "logits": z}, 2, "logits"),
    ],
)
def test_what_the_module_returns_is_recognised(wrap, classes, name):
    module = random_module(classes=classes)
    inner = module.forward
    module.forward = lambda ids: wrap(inner(ids))
    certificate = models.from_torch(module, vocabulary=WORDS).certificate
    assert certificate.output == name
    assert certificate.logits <= 1e-12


def test_a_forward_with_lengths():
    class Lengths(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb = nn.Embedding(10, 4)
            self.gru = nn.GRU(4, 5)
            self.fc = nn.Linear(5, 2)

        def forward(self, ids, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(self.emb(ids), lengths)
            return self.fc(self.gru(packed)[1][-1])

    assert models.from_torch(Lengths(), vocabulary=WORDS).certificate.logits <= 1e-5


@pytest.mark.parametrize("batch_first", [True, False])
def test_a_forward_that_turns_its_input(batch_first):
    """Found by use: a time-major recurrent part behind a batch-major forward was refused."""
    module = random_module(batch_first=batch_first, classes=1)
    inner = module.forward
    module.forward = lambda ids: inner(ids.T)
    assert models.from_torch(module, vocabulary=WORDS).certificate.logits <= 1e-12


def test_a_forward_that_cannot_run_is_named_in_the_certificate():
    module = random_module()
    module.forward = lambda ids, hidden, mask: None
    with pytest.raises(ModelError, match="the pooling must be given"):
        models.from_torch(module, vocabulary=WORDS)
    certificate = models.from_torch(module, vocabulary=WORDS, pooling="last").certificate
    assert certificate.logits is None
    assert "could not be run" in certificate.note
    assert certificate.states <= 1e-12


def test_a_hidden_step_between_states_and_logits_is_refused():
    class Normed(type(random_module())):
        pass

    module = random_module()
    module.norm = nn.LayerNorm(5, dtype=torch.float64)
    inner = module.out
    module.forward = lambda ids: inner(module.norm(module.rnn(module.emb(ids))[0][:, -1]) + 1)
    with pytest.raises(ModelError, match=r"norm \(LayerNorm\)"):
        models.from_torch(module, vocabulary=WORDS)


def test_several_candidates_are_listed_and_can_be_named():
    module = random_module()
    module.aux = nn.Linear(5, 4, dtype=torch.float64)
    assert models.from_torch(module, vocabulary=WORDS).certificate.logits <= 1e-12  # aux never runs
    module.forward = lambda ids, other: None
    with pytest.raises(ModelError, match="'out', 'aux'"):
        models.from_torch(module, vocabulary=WORDS)
    del module.forward
    assert models.from_torch(module, vocabulary=WORDS, readout="out").certificate.logits <= 1e-12
    with pytest.raises(UsageError, match="out, aux"):
        models.from_torch(module, vocabulary=WORDS, readout="head")


@pytest.mark.parametrize(
    ("module", "options", "message"),
    [
        (nn.Linear(3, 4), {}, "recurrent part"),
        ("model.pt", {}, "instance of torch.nn.Module"),
        (random_module(), {"vocabulary": WORDS[:4]}, "10 words"),
        (random_module(), {"vocabulary": WORDS, "classes": ["one"]}, "2 names"),
    ],
)
def test_what_cannot_be_read_is_refused(module, options, message):
    with pytest.raises(ModelError, match=message):
        models.from_torch(module, **options)


def test_half_precision_is_widened():
    module = random_module(dtype=torch.float32, scale=0.5)
    half = copy.deepcopy(module).to(torch.bfloat16)
    model = models.from_torch(half, vocabulary=WORDS)
    assert model.dtype == torch.float32
    ids = np.array([2, 3])
    assert bool(model.logits([ids]).isfinite().all())


def test_modules_that_take_lengths_from_the_padding():
    """Found by use: random documents with the padding word in them made such modules differ."""

    class Padded(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb = nn.Embedding(10, 4, padding_idx=0)
            self.rnn = nn.GRU(4, 5, batch_first=True)
            self.out = nn.Linear(5, 2)

        def forward(self, ids):
            lengths = (ids != 0).sum(1)
            packed = nn.utils.rnn.pack_padded_sequence(
                self.emb(ids), lengths, batch_first=True, enforce_sorted=False
            )
            return self.out(self.rnn(packed)[1][-1])

    assert models.from_torch(Padded()).certificate.logits <= 1e-5
    assert models.from_torch(Padded(), vocabulary=WORDS).certificate.logits <= 1e-5


def test_documents_that_cannot_tell_the_poolings_apart():
    module = random_module(pooling="mean")
    with pytest.raises(ModelError, match="tell one pooling from another"):
        models.from_torch(module, vocabulary=WORDS, documents=[["good"], ["bad"]])
    model = models.from_torch(
        module, vocabulary=WORDS, documents=[["good"], ["bad"]], pooling="mean"
    )
    assert model.pooling == "mean"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"documents": []}, "at least one document"),
        ({"classes": None}, "list of different names"),
        ({"classes": ["a", "a"]}, "list of different names"),
        ({"tolerance": -1}, ">= 0"),
        ({"forward": lambda module, ids: None}, "forward given"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises((ModelError, UsageError, DataError), match=message):
        models.from_torch(random_module(), vocabulary=WORDS, **options)


def test_mixed_dtypes_and_missing_weights_are_refused():
    module = random_module(dtype=torch.float32)
    module.out.double()
    with pytest.raises(ModelError, match="one dtype"):
        models.from_torch(module, vocabulary=WORDS)
    with pytest.raises(ModelError, match="meta device"):
        models.from_torch(random_module().to("meta"), vocabulary=WORDS)


def test_a_bidirectional_module_that_reads_the_last_output_is_told_so():
    module = random_module(bidirectional=True)
    module.forward = lambda ids: module.out(module.rnn(module.emb(ids))[0][:, -1])
    with pytest.raises(ModelError, match=r"outputs\[:, -1\]"):
        models.from_torch(module, vocabulary=WORDS)


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        (lambda m, x: (m.emb(x) * 1.5,), "before the recurrence.* from step 0"),
        (lambda m, x: (torch.tanh(m.emb(x)) * 9,), "before the recurrence"),
        (
            lambda m, x: (m.emb(x), m.emb(x)[:, :1, :1].expand(1, 1, 5).contiguous()),
            "same for every",
        ),
    ],
)
def test_the_difference_is_located(feed, message):
    module = random_module("gru")
    module.forward = lambda ids: module.out(module.rnn(*feed(module, ids))[0][:, -1])
    with pytest.raises(ModelError, match=message):
        models.from_torch(module, vocabulary=WORDS)
    assert not module.rnn._forward_pre_hooks
