"""beta and gamma by every road: the LSTM's scan (in torch, in compiled loops), the general one."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnscope.models as models
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.numerics import denormals_are_flushed
from rnnscope.scores import CellDecomposition, CellDifference, beta_and_gamma, lstm_memory, memory
from tests.helpers import WORDS, random_cell, random_documents, random_module
from tests.reference.scores import word_scores

METHODS = {"beta": CellDifference, "gamma": CellDecomposition}
HAS_NUMBA = lstm_memory.compiled_scan() is not None
POOLINGS = ["last", "mean", "max"]
SHAPES = [
    {},
    {"projection": 3},
    {"bidirectional": True, "classes": 3},
    {"layers": 2, "bidirectional": True, "classes": 1},
    {"layers": 2, "projection": 3, "bidirectional": True},
]
LIMIT = {torch.float64: 1e-12, torch.float32: 1e-5}


@contextmanager
def road(name, **limits):
    """Compute by one algorithm: "torch" and "compiled" are the scan, "general" is the other."""
    with pytest.MonkeyPatch.context() as patch:
        if name == "general":
            patch.setattr(memory, "reads_by_scan", lambda model: False)
        if name == "torch":
            patch.setattr(lstm_memory, "compiled_scan", lambda: None)
        patch.setattr(lstm_memory, "COMPILED_FROM", 0)
        for limit, value in limits.items():
            patch.setattr(lstm_memory, limit, value)
        yield


def roads(dtype):
    found = ["torch", "general"]
    return [*found, "compiled"] if HAS_NUMBA and dtype == torch.float32 else found


def network(dtype=torch.float64, *, initial=False, scale=2.0, seed=0, **shape):
    module = random_module(dtype=dtype, scale=scale, seed=seed, **shape)
    pooling = shape.get("pooling", "last")
    model = models.from_torch(module, vocabulary=WORDS, pooling=pooling)
    if not initial:
        return model
    rng = torch.Generator().manual_seed(seed)

    def started(direction):
        start = torch.randn(direction.cell.state_size, generator=rng, dtype=torch.float64)
        return replace(direction, initial=start.to(dtype))

    layers = [replace(k, directions=tuple(map(started, k.directions))) for k in model.layers]
    return replace(model, layers=tuple(layers))


def flat(model, documents):
    return [scores.values for scores in beta_and_gamma(model, documents)]


def largest(values):
    return max(1.0, float(values.abs().max()))


@pytest.mark.parametrize("dtype", LIMIT, ids=str)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_road_gives_the_references_scores(shape, pooling, dtype):
    model = network(dtype, pooling=pooling, initial=True, **shape)
    documents = random_documents(6)
    exact = model.to(torch.float64)
    for name in roads(dtype):
        with road(name):
            found = beta_and_gamma(model, documents)
            for method, scores in zip(METHODS, found, strict=True):
                assert scores.completeness.relative <= LIMIT[dtype]
                for document, got in zip(documents, scores, strict=True):
                    ids = [WORDS.index(word) for word in document]
                    words, initial = word_scores(exact, method, ids)
                    limit = LIMIT[dtype] * largest(torch.tensor(words))
                    np.testing.assert_allclose(got.values, words, atol=limit, err_msg=name)
                    np.testing.assert_allclose(got.initial, initial, atol=limit)
            expected = exact.logits(documents)
            torch.testing.assert_close(
                found[0].logits.double(), expected, atol=LIMIT[dtype] * largest(expected), rtol=0
            )


@pytest.mark.parametrize("dtype", LIMIT, ids=str)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("shape", [{}, {"layers": 2, "bidirectional": True}], ids=str)
def test_neither_the_batch_nor_the_arrays_change_a_score(shape, pooling, dtype):
    """Arrays too small for a document make the scan read it stretch by stretch."""
    model = network(dtype, pooling=pooling, initial=True, **shape)
    documents = random_documents(25, longest=40, seed=3)
    for name in roads(dtype):
        with road(name):
            together = flat(model, documents)
            backwards = [
                torch.cat([document.values for document in list(scores)[::-1]])
                for scores in beta_and_gamma(model, documents[::-1])
            ]
            alone = [flat(model, [document]) for document in documents]
        with road(name, DOCUMENTS=2, ARRAY_BYTES=1, TABLE_BYTES=0):
            stretched = flat(model, documents)
        for k in (0, 1):
            limit = LIMIT[dtype] * largest(together[k])
            single = torch.cat([pair[k] for pair in alone])
            torch.testing.assert_close(together[k], single, atol=limit, rtol=0)
            torch.testing.assert_close(together[k], stretched[k], atol=limit, rtol=0)
            torch.testing.assert_close(together[k], backwards[k], atol=limit, rtol=0)


@given(
    seed=st.integers(0, 1000),
    scale=st.floats(0.1, 8),
    pooling=st.sampled_from(POOLINGS),
    projection=st.sampled_from([0, 2]),
    dtype=st.sampled_from(list(LIMIT)),
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=8),
)
@settings(max_examples=25, deadline=None)
def test_complete_whatever_the_weights(seed, scale, pooling, projection, dtype, lengths):
    model = network(dtype, scale=scale, seed=seed, pooling=pooling, projection=projection)
    rng = np.random.default_rng(seed)
    documents = [rng.integers(0, len(WORDS), size=n) for n in lengths]
    for name in roads(dtype):
        with road(name):
            for scores in beta_and_gamma(model, documents):
                assert scores.completeness.relative <= LIMIT[dtype], name


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("kind", ["gru", "ugrnn", "gru_reset_first"])
def test_a_linear_memory_is_split_the_same_way(kind, pooling):
    rng = torch.Generator().manual_seed(0)
    cell = random_cell(kind)
    start = torch.randn(4, generator=rng, dtype=torch.float64)
    directions = [models.Direction(cell=cell, initial=start, reverse=r) for r in (False, True)]
    model = models.Model(
        layers=(models.Layer(directions=tuple(directions)),),
        embedding=torch.randn(len(WORDS), 3, generator=rng, dtype=torch.float64),
        vocabulary=models.model.Vocabulary.of(WORDS),
        readout=models.Readout.of(torch.randn(3, 8, generator=rng, dtype=torch.float64)),
        pooling=pooling,
    )
    documents = random_documents(5)
    for method, scores in zip(METHODS, beta_and_gamma(model, documents), strict=True):
        assert scores.completeness.relative <= 1e-12
        for document, got in zip(documents, scores, strict=True):
            words, initial = word_scores(model, method, [WORDS.index(w) for w in document])
            np.testing.assert_allclose(got.values, words, atol=1e-12)
            np.testing.assert_allclose(got.initial, initial, atol=1e-12)


def test_documents_of_vectors():
    rng = np.random.default_rng(0)
    cell = random_cell("lstm_projected", d=3, n=4)
    readout = models.Readout.of(torch.ones(2, 4, dtype=torch.float64))
    layer = models.Layer(directions=(models.Direction(cell=cell),))
    model = models.Model(layers=(layer,), readout=readout)
    documents = [rng.normal(size=(n, 3)) for n in (5, 1, 9)]
    for name in roads(torch.float64):
        with road(name):
            for scores in beta_and_gamma(model, documents):
                assert scores.completeness.relative <= 1e-12
                assert len(scores[2].tokens) == 9


def test_both_are_what_each_is_alone():
    model = network(classes=3)
    documents = random_documents(30)
    for method, both in zip(METHODS.values(), beta_and_gamma(model, documents), strict=True):
        alone = method(model).score(documents)
        assert both.method == alone.method
        assert both.tokens == alone.tokens
        torch.testing.assert_close(both.values, alone.values, atol=1e-13, rtol=0)
        torch.testing.assert_close(both.logits, alone.logits, atol=1e-13, rtol=0)


def test_the_network_runs_once_for_both(monkeypatch):
    runs = []
    inner = lstm_memory.scan_batches
    monkeypatch.setattr(memory, "scan_batches", lambda *a: runs.append(a) or inner(*a))
    beta, gamma = beta_and_gamma(network(), random_documents(5))
    assert runs == []
    assert gamma.values.shape == beta.values.shape
    assert len(runs) == 1


def test_nothing_of_the_users_is_changed():
    model = network(torch.float32)
    before = {name: weight.clone() for name, weight in model.weights().items()}
    threads, flushed = torch.get_num_threads(), denormals_are_flushed()
    random_state = torch.get_rng_state()
    for scores in (CellDecomposition(model), CellDifference(model)):
        half_way = iter(scores.batches(random_documents(20)))
        next(half_way)
        assert torch.get_num_threads() == threads
        assert denormals_are_flushed() == flushed
        assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(torch.equal(before[name], w) for name, w in model.weights().items())


def test_a_stream_is_the_same_scores_shard_by_shard():
    model = network()
    documents = random_documents(23)
    taken = []

    def endless():
        for document in documents:
            taken.append(document)
            yield document
        raise AssertionError("read further than asked")

    whole = CellDecomposition(model).score(documents)
    stream = CellDecomposition(model).stream(endless(), shard=10)
    first, second = next(stream), next(stream)
    assert len(taken) == 20
    assert (len(first), len(second)) == (10, 10)
    got = torch.cat([first.values, second.values])
    torch.testing.assert_close(got, whole.values[: len(got)], atol=1e-12, rtol=0)
    rest = list(CellDecomposition(model).stream(documents, shard=10))
    assert [len(part) for part in rest] == [10, 10, 3]
    assert list(CellDecomposition(model).stream([])) == []
    with pytest.raises(UsageError, match="at least one"):
        next(CellDecomposition(model).stream(documents, shard=0))
    with pytest.raises(DataError, match="one after the other"):
        next(CellDecomposition(model).stream("one text"))


def test_a_document_of_any_length_in_the_same_arrays():
    model = network(torch.float32, seed=2)
    document = np.random.default_rng(0).integers(0, len(WORDS), size=3000)
    with road("torch"):
        whole = flat(model, [document])
    for name in roads(torch.float32):
        if name == "general":
            continue
        with road(name, ARRAY_BYTES=20 * 400):
            assert lstm_memory._room(model, np.array([3000]), (True,)) == 1024
            for k, got in enumerate(flat(model, [document])):
                torch.testing.assert_close(got, whole[k], atol=1e-5 * largest(whole[k]), rtol=0)


def test_what_is_too_long_is_refused(monkeypatch):
    documents = [["good"], ["bad"] * 8]
    monkeypatch.setattr(memory, "LONGEST_MEAN", 7)
    mean = network(pooling="mean")
    with pytest.raises(NotApplicable, match="document 1 with 8 words"):
        _ = CellDecomposition(mean).score(documents).values
    assert CellDifference(mean).score(documents).completeness.relative <= 1e-12
    monkeypatch.setattr(memory, "budget", lambda: 16 * 8 * 10 * 7)
    with pytest.raises(NotApplicable, match=r"must fit into .* GiB"):
        _ = CellDifference(network(layers=2)).score(documents).values
    assert len(CellDifference(network()).score(documents).values) == 9


def test_no_documents_have_no_scores():
    for scores in beta_and_gamma(network(), []):
        assert scores.values.shape == (0, 2)
        assert len(scores) == 0


def test_a_vanilla_network_is_refused_at_once():
    with pytest.raises(NotApplicable, match="no gate that keeps"):
        beta_and_gamma(network(kind="vanilla"), [["good"]])


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("projection", [0, 21])
def test_wide_networks_in_float32_are_near_float64(pooling, projection):
    """Wide enough for the loops that work on many units at once, and for what is left over."""
    if projection and pooling == "max":
        pytest.skip("read by the general road")
    shape = {"units": 37, "width": 18, "projection": projection, "bidirectional": True}
    model = network(torch.float32, pooling=pooling, scale=1.5, **shape)
    documents = random_documents(40, longest=50)
    with road("torch"):
        exact = flat(model.to(torch.float64), documents)
    for name in roads(torch.float32):
        for limits in ({}, {"TABLE_BYTES": 0}):
            with road(name, **limits):
                for got, expected in zip(flat(model, documents), exact, strict=True):
                    limit = 1e-5 * largest(expected)
                    torch.testing.assert_close(got.double(), expected, atol=limit, rtol=0)


@pytest.mark.skipif(not HAS_NUMBA, reason="numba is not installed")
@pytest.mark.parametrize("name", ["sigm", "tanh"])
def test_the_compiled_functions_are_exact_to_rounding(name):
    from rnnscope.scores import lstm_scan_numba

    function = getattr(lstm_scan_numba, name)
    x = np.concatenate([np.linspace(-100, 100, 4001), np.geomspace(1e-30, 50, 2000)])
    x = np.concatenate([x, -x]).astype(np.float32)
    got = np.array([function(value) for value in x], dtype=np.float64)
    exact = torch.from_numpy(x).double()
    expected = (torch.sigmoid if name == "sigm" else torch.tanh)(exact).numpy()
    assert np.abs(got - expected).max() <= 1.2e-7
    usual = (np.abs(expected) > 1e-30) & (np.abs(x) < 80)
    assert (np.abs(got - expected)[usual] / np.abs(expected[usual])).max() <= 2.5e-7
    assert function(np.float32(30)) == 1
    assert function(np.float32(0)) == (0.5 if name == "sigm" else 0)


def test_without_numba_the_scan_runs_in_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "rnnscope.scores.lstm_scan_numba", None)
    assert lstm_memory.compiled_scan() is None
    monkeypatch.setattr(lstm_memory, "COMPILED_FROM", 0)
    beta, gamma = beta_and_gamma(network(torch.float32), random_documents(5))
    assert beta.completeness.relative <= 1e-5
    assert gamma.completeness.relative <= 1e-5
