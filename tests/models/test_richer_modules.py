# ruff: noqa: E501, NPY002
"""Modules richer than one stack and one linear layer: found by running them, equal to them."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import rnnscope.models as models
from rnnscope.errors import ModelError, NotApplicable
from rnnscope.models.locate import first_difference
from rnnscope.models.torch_weights import layers_of
from tests.helpers import WORDS, random_documents

D, H, C = 4, 5, 3


class Net(nn.Module):
    """Parts by name and a forward given as a function, in float64."""

    def __init__(self, run, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.run = run
        self.double()

    def forward(self, ids):
        return self.run(self, ids)


def lstm(d=D, h=H, **options):
    return nn.LSTM(d, h, batch_first=True, **options)


def gru(d=D, h=H, **options):
    return nn.GRU(d, h, batch_first=True, **options)


def net(run, out=H, classes=C, **parts):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        parts = {
            k: v() if callable(v) and not isinstance(v, nn.Module) else v for k, v in parts.items()
        }
        module = Net(run, emb=nn.Embedding(10, D), out=nn.Linear(out, classes), **parts)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.mul_(2)
            for part in module.modules():
                if isinstance(part, nn.BatchNorm1d):
                    part.running_mean.normal_()
                    part.running_var.uniform_(0.5, 2)
        return module


def cell_loop(m, ids):
    h = m.emb.weight.new_zeros(len(ids), H)
    for t in range(ids.shape[1]):
        h = m.cell(m.emb(ids[:, t]), h)
    return m.out(h)


def lstm_cells(m, ids):
    state, above = None, None
    for t in range(ids.shape[1]):
        state = m.low(m.emb(ids[:, t]), state)
        above = m.high(state[0], above)
    return m.out(above[0])


def backwards_loop(m, ids):
    h = m.emb.weight.new_zeros(len(ids), H)
    for t in reversed(range(ids.shape[1])):
        h = m.cell(m.emb(ids[:, t]), h)
    return m.out(h)


def learned_start(m, ids):
    h0 = m.h0.expand(-1, len(ids), -1).contiguous()
    return m.out(m.rnn(m.emb(ids), h0)[0][:, -1])


def learned_pair(m, ids):
    return m.out(m.rnn(m.emb(ids), (m.h0.clone(), m.c0.clone()))[1][0][-1])


def attended(m, ids, scores):
    y = m.rnn(m.emb(ids))[0]
    return m.out((torch.softmax(scores(m, y), 1) * y).sum(1))


def by_last(m, y):
    return (y @ y[:, -1].unsqueeze(-1)) / H**0.5


def concat(m, ids):
    y = m.rnn(m.emb(ids))[0]
    pooled = torch.cat([y[:, -1], y.amax(1), y.mean(1)], -1)
    return m.out(torch.relu(m.fc(m.bn(pooled))))


def packed(m, ids):
    given = nn.utils.rnn.pack_padded_sequence(m.emb(ids), [ids.shape[1]], batch_first=True)
    y, _ = m.rnn(given)
    y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
    return m.out(m.norm(y.mean(1)))


def last(y):
    return y[0][:, -1]


WAYS = {
    "rnn cell": net(cell_loop, cell=lambda: nn.RNNCell(D, H, nonlinearity="relu")),
    "gru cell": net(cell_loop, cell=lambda: nn.GRUCell(D, H)),
    "two lstm cells": net(lstm_cells, low=lambda: nn.LSTMCell(D, 6), high=lambda: nn.LSTMCell(6, H)),
    "backwards": net(backwards_loop, cell=lambda: nn.GRUCell(D, H)),
    "learned start": net(learned_start, rnn=gru, h0=lambda: nn.Parameter(torch.randn(1, 1, H))),
    "learned start, two ways": net(
        learned_start,
        rnn=lambda: gru(h=H, num_layers=2),
        h0=lambda: nn.Parameter(torch.randn(2, 1, H)),
    ),
    "learned start of an lstm": net(
        learned_pair,
        rnn=lstm,
        h0=lambda: nn.Parameter(torch.randn(1, 1, H)),
        c0=lambda: nn.Parameter(torch.randn(1, 1, H)),
    ),
    "stacked modules": net(
        lambda m, ids: m.out(last(m.high(m.low(m.emb(ids))[0]))), low=lambda: lstm(h=6), high=lambda: gru(6)
    ),
    "norm between": net(
        lambda m, ids: m.out(last(m.high(m.norm(m.low(m.emb(ids))[0])))),
        low=lambda: lstm(h=6),
        norm=lambda: nn.LayerNorm(6),
        high=lambda: gru(6),
    ),
    "linear between": net(
        lambda m, ids: m.out(last(m.high(m.fc(m.low(m.emb(ids))[0])))),
        low=lambda: lstm(h=6, bidirectional=True),
        fc=lambda: nn.Linear(12, 7),
        high=lambda: gru(7),
    ),
    "steps before": net(
        lambda m, ids: m.out(last(m.rnn(torch.relu(m.fc(m.norm(m.emb(ids))))))),
        norm=lambda: nn.LayerNorm(D),
        fc=lambda: nn.Linear(D, 6),
        rnn=lambda: lstm(6),
    ),
    "norm after": net(
        lambda m, ids: m.out(m.norm(last(m.rnn(m.emb(ids))))), rnn=lstm, norm=lambda: nn.LayerNorm(H)
    ),
    "norm after, mean": net(
        lambda m, ids: m.out(m.norm(m.rnn(m.emb(ids))[0]).mean(1)), rnn=lstm, norm=lambda: nn.LayerNorm(H)
    ),
    "two linear": net(
        lambda m, ids: m.out(m.fc(last(m.rnn(m.emb(ids))))), out=6, rnn=gru, fc=lambda: nn.Linear(H, 6)
    ),
    "hidden layer": net(
        lambda m, ids: torch.log_softmax(m.out(functional.gelu(m.fc(last(m.rnn(m.emb(ids)))))), -1),
        out=6,
        rnn=lambda: gru(num_layers=2, dropout=0.5),
        fc=lambda: nn.Linear(H, 6),
    ),
    "attention": net(
        lambda m, ids: attended(m, ids, lambda m, y: m.score(y)), rnn=lstm, score=lambda: nn.Linear(H, 1)
    ),
    "additive attention": net(
        lambda m, ids: attended(m, ids, lambda m, y: m.score(torch.tanh(m.fc(y)))),
        out=2 * H,
        rnn=lambda: lstm(bidirectional=True),
        fc=lambda: nn.Linear(2 * H, 6),
        score=lambda: nn.Linear(6, 1, bias=False),
    ),
    "attention by a vector": net(
        lambda m, ids: attended(m, ids, lambda m, y: (torch.tanh(y) @ m.v).unsqueeze(-1)),
        rnn=lstm,
        v=lambda: nn.Parameter(torch.randn(H)),
    ),
    "attention by the last": net(lambda m, ids: attended(m, ids, by_last), rnn=gru),
    "side by side": net(
        concat,
        out=6,
        rnn=lstm,
        bn=lambda: nn.BatchNorm1d(3 * H),
        fc=lambda: nn.Linear(3 * H, 6),
    ),
    "packed": net(packed, rnn=lambda: gru(), norm=lambda: nn.LayerNorm(H)),
    "one logit behind a hidden layer": net(
        lambda m, ids: torch.sigmoid(m.out(torch.tanh(m.fc(last(m.rnn(m.emb(ids))))))).squeeze(-1),
        out=6,
        classes=1,
        rnn=gru,
        fc=lambda: nn.Linear(H, 6),
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_logits_are_the_modules(way, tmp_path):
    module = WAYS[way]
    documents = random_documents(6)
    model = models.from_torch(module, vocabulary=WORDS, documents=documents)
    assert model.certificate.states <= 1e-12
    assert model.certificate.logits <= 1e-12
    assert model.certificate.precisions["float64"]["logits"] <= 1e-12
    assert 0 < model.certificate.precisions["float32"]["logits"] <= 1e-4
    module.eval()
    ours = model.logits(documents)
    for document, logits in zip(documents, ours, strict=True):
        theirs = module(torch.tensor([[WORDS.index(w) for w in document]])).detach().reshape(-1)
        if model.readout.one_logit:
            logits = torch.sigmoid(logits[1:] - logits[:1])
        if model.certificate.output == "log-probabilities":
            logits = torch.log_softmax(logits, -1)
        torch.testing.assert_close(logits, theirs, atol=1e-12, rtol=0)
    saved = models.load(model.save(tmp_path / "model"))
    assert saved.fingerprint == model.fingerprint
    assert torch.equal(saved.logits(documents), ours)


def test_the_equations_of_a_norm_between_layers_have_the_jacobian_of_autograd():
    cell = models.from_torch(WAYS["norm between"], vocabulary=WORDS).cell
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(cell.input_size, generator=rng, dtype=torch.float64)
    h = torch.randn(cell.state_size, generator=rng, dtype=torch.float64)
    J_inp, J_rec = torch.autograd.functional.jacobian(cell.step, (x, h))
    torch.testing.assert_close(cell.J_rec(x[None], h[None])[0], J_rec, atol=1e-12, rtol=0)
    torch.testing.assert_close(cell.J_inp(x[None], h[None])[0], J_inp, atol=1e-12, rtol=0)


def test_a_readout_that_is_not_linear_in_the_states_says_so():
    model = models.from_torch(WAYS["hidden layer"], vocabulary=WORDS)
    assert model.contrast is None
    with pytest.raises(NotApplicable, match="linear in the states"):
        model.require_readout()


@pytest.mark.parametrize("project", [False, True])
def test_raw_vectors_and_outputs_at_every_position(project):
    def run(m, x):
        return m.out(m.rnn(m.fc(x) if project else x)[0])

    module = net(run, rnn=lambda: nn.RNN(6 if project else 3, H, batch_first=True),
                 fc=lambda: nn.Linear(3, 6))  # fmt: skip
    del module.emb
    documents = [np.random.default_rng(k).normal(size=(k + 3, 3)) for k in range(4)]
    model = models.from_torch(module, documents=documents)
    assert model.input_size == 3
    assert model.certificate.output == "logits at every position"
    assert model.certificate.logits <= 1e-12
    theirs = module(torch.tensor(documents[1])[None])[0, -1]
    torch.testing.assert_close(model.logits(documents)[1], theirs.detach(), atol=1e-12, rtol=0)


def test_a_step_of_ones_own():
    """A leaky cell that torch has not: h' = (1 - a) h + a tanh(W [x, h])."""

    class Leaky(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb, self.mix, self.out = nn.Embedding(10, D), nn.Linear(D + H, H), nn.Linear(H, 2)
            self.double()

        def step(self, x, h):
            return 0.7 * h + 0.3 * torch.tanh(self.mix(torch.cat([x, h], -1)))

        def forward(self, ids):
            h = torch.zeros(len(ids), H, dtype=torch.float64)
            for t in range(ids.shape[1]):
                h = self.step(self.emb(ids[:, t]), h)
            return self.out(h)

    module = Leaky()
    model = models.from_torch(module, vocabulary=WORDS, step=module.step, state_size=H)
    assert model.certificate.states is None
    assert model.certificate.logits <= 1e-12
    assert model.cell.state_size == H
    point = torch.zeros(1, H, dtype=torch.float64)
    assert model.cell.J_rec(model.embedding[:1], point).shape == (1, H, H)


def snapshot(module):
    return {
        "weights": {k: (v.data_ptr(), v.clone()) for k, v in module.state_dict(keep_vars=True).items()},
        "grad": {k: (p.requires_grad, p.grad) for k, p in module.named_parameters()},
        "modes": [part.training for part in module.modules()],
        "hooks": [
            {k: len(v) for k, v in vars(part).items() if "hook" in k and hasattr(v, "__len__")}
            for part in module.modules()
        ],
        "attributes": [sorted(vars(part)) for part in module.modules()],
        "device": {p.device for p in module.parameters()},
        "random": (torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()),
        "flags": (
            torch.is_grad_enabled(),
            torch.get_default_dtype(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_num_threads(),
            torch.is_autocast_enabled("cpu"),
            float(torch.tensor([1e-310], dtype=torch.float64) * 1.0),
            torch.backends.mkldnn.enabled,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("way", ["hidden layer", "additive attention", "two lstm cells"])
@pytest.mark.parametrize("training", [False, True])
def test_the_users_module_is_unchanged(way, training):
    module = WAYS[way].train(training)
    inner = module.run

    def careless(m, ids):
        """A forward that keeps things on itself and draws from every source of random numbers."""
        m.last_ids, m.count = ids, getattr(m, "count", 0) + 1
        random.random(), np.random.rand(), torch.rand(3)
        return inner(m, ids)

    module.run = careless
    seen = []
    watch = module.out.register_forward_hook(lambda *_: seen.append(1))
    before = snapshot(module)
    try:
        models.from_torch(module, vocabulary=WORDS)
        after = snapshot(module)
    finally:
        watch.remove()
        module.run = inner
    for name, value in before["weights"].items():
        assert value[0] == after["weights"][name][0]
        assert torch.equal(value[1], after["weights"][name][1])
    for part in ("grad", "modes", "hooks", "attributes", "device", "random", "flags"):
        assert before[part] == after[part], part


@pytest.mark.parametrize(
    ("part", "gates"),
    [
        (nn.RNN(3, 4, num_layers=2), "h"),
        (nn.GRU(3, 4, num_layers=2, bidirectional=True), "rzn"),
        (nn.LSTM(3, 4, num_layers=2, proj_size=2), "ifgo"),
        (nn.LSTMCell(3, 4), "ifgo"),
    ],
)
def test_a_difference_is_named_by_layer_step_and_gate(part, gates):
    part = part.double()
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x[:3] = 0
    good = layers_of(part)
    assert "more than the equations of nn." in first_difference(part, good, x, 1e-10)
    for k, gate in enumerate(gates):
        layer = good[-1]
        cell = layer.directions[-1].cell
        W = cell.W.clone()
        rows = len(W) // len(gates)
        W[k * rows : (k + 1) * rows] += 0.1
        direction = replace(layer.directions[-1], cell=replace(cell, W=W))
        bad = (*good[:-1], replace(layer, directions=(*layer.directions[:-1], direction)))
        found = first_difference(part, bad, x, 1e-10)
        assert f"layer {len(good) - 1}" in found
        assert f"gate {gate!r}" in found
        if len(good) == 1:
            assert "step 3" in found  # the first input that is not zero


def test_what_runs_but_is_not_equations_we_have_is_refused():
    class Doubled(nn.GRU):
        def forward(self, x, hx=None):
            y, h = super().forward(x, hx)
            return 2 * y, h

    module = net(
        lambda m, ids: m.out(last(m.rnn(m.emb(ids)))), rnn=lambda: Doubled(D, H, batch_first=True)
    )
    with pytest.raises(ModelError, match=r"does more than the equations of nn\.GRU"):
        models.from_torch(module, vocabulary=WORDS)
    module = net(lambda m, ids: m.out(last(m.a(m.emb(ids))) + last(m.b(m.emb(ids)))), a=gru, b=gru)
    with pytest.raises(ModelError, match="one above the other"):
        models.from_torch(module, vocabulary=WORDS)
