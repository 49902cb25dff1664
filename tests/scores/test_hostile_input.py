"""Networks, arrays and surroundings that once gave a wrong number or a bare error."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

import rnnscope.models as models
from rnnscope.cells import Vanilla
from rnnscope.data import Vocabulary
from rnnscope.errors import DataError, ModelError, NotApplicable, UsageError
from rnnscope.scores import (
    CellDecomposition,
    CellDifference,
    ContextualDecomposition,
    GradientNorm,
    GradientTimesInput,
    IntegratedGradients,
    LeaveOneOut,
    Occlusion,
    against_others,
    lstm_kernels,
    lstm_memory,
    occlusion,
    products,
)
from tests.helpers import WORDS, random_cell, random_documents
from tests.scores.networks import model_of, own_cell_model

ALL = [
    CellDecomposition,
    CellDifference,
    ContextualDecomposition,
    GradientNorm,
    GradientTimesInput,
    IntegratedGradients,
    LeaveOneOut,
    Occlusion,
]
DOCUMENTS = random_documents(4)


@pytest.fixture
def compiled(monkeypatch):
    """Compiled loops for small networks too, where numba is installed."""
    monkeypatch.setattr(lstm_memory, "COMPILED_FROM", 0)


def wide(dtype=torch.float32, **shape):
    """Wide enough for the packed products."""
    return model_of(dtype, units=16, width=16, scale=1.0, **shape)


def with_weights(model, change):
    """A model built anew from changed weights."""
    return replace(
        model,
        layers=tuple(layer.map(change) for layer in model.layers),
        readout=model.readout.map(change),
        embedding=change(model.embedding),
    )


# Wrong numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ALL)
def test_one_direction_in_two_layers_is_two_layers(method):
    """The gradients of both layers were kept in the same arrays."""
    cell, readout = random_cell("lstm", d=4), torch.arange(8.0, dtype=torch.float64).view(2, 4)
    layers = [models.Layer(directions=(models.Direction(cell=cell),)) for _ in range(2)]
    table = torch.randn(10, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    apart = models.Model(
        layers=tuple(layers), embedding=table, readout=models.Readout.of(readout / 8)
    )
    shared = replace(apart, layers=(layers[0], layers[0]))
    documents = [np.array([1, 2, 3, 4])]
    assert torch.equal(
        method(shared).score(documents).values, method(apart).score(documents).values
    )


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("method", ALL)
def test_weights_that_do_not_lie_in_one_piece(method):
    """The packed product read a bias as if it did."""

    def spread(w):
        return torch.stack([w, w], dim=-1)[..., 0]

    model = wide()
    expected = method(model).score(DOCUMENTS).values
    found = method(with_weights(model, spread)).score(DOCUMENTS).values
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("method", ALL)
def test_vectors_changed_after_the_call_do_not_change_the_scores(method):
    model, vectors = own_cell_model("lstm", embedding=False), np.ones((3, 3))
    expected = method(model).score([vectors.copy()]).values
    scores = method(model).score([vectors])
    vectors[:] = 5
    assert torch.equal(scores.values, expected)


@pytest.mark.parametrize("method", [Occlusion, IntegratedGradients])
def test_a_baseline_changed_after_the_call_does_not_change_the_scores(method):
    vector = torch.ones(3, dtype=torch.float64)
    expected = method(model_of(), baseline=vector.clone()).score(DOCUMENTS).values
    score = method(model_of(), baseline=vector)
    vector[:] = 7
    assert torch.equal(score.score(DOCUMENTS).values, expected)


def test_the_norm_of_a_single_logit_is_not_doubled():
    model = model_of(classes=1)
    found = GradientNorm(model).attribute([["good", "bad"]])[0]
    torch.testing.assert_close(found, GradientNorm(model).score([["good", "bad"]]).values[:, 1])


@pytest.mark.parametrize("method", [LeaveOneOut, Occlusion])
def test_a_tiny_difference_that_grows(method):
    """Variants left once they were near the original, however small both still were."""
    eye = torch.eye(3, dtype=torch.float64)
    cell = Vanilla(W=eye, V=2 * eye, b=eye.new_zeros(3), nonlinearity="relu")
    table = 1e-20 * torch.rand(10, 3, dtype=eye.dtype, generator=torch.Generator().manual_seed(0))
    model = models.Model(
        layers=(models.Layer(directions=(models.Direction(cell=cell),)),),
        embedding=table,
        readout=models.Readout.of(torch.ones(2, 3, dtype=eye.dtype)),
    )
    ids = np.arange(80) % 10
    found = method(model).score([ids])[0].values[:3, 0]
    if method is Occlusion:
        expected = [2.0 ** (79 - j) * float(table[j].sum()) for j in range(3)]
    else:
        logits = model.logits([ids, *(np.delete(ids, j) for j in range(3))])[:, 0]
        expected = (logits[0] - logits[1:]).tolist()
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_phrase_whose_tiny_part_grows():
    """What was left of a phrase was held against 1, not against the states it is a part of."""
    model = own_cell_model("lstm", scale=0.0)
    cell = model.layers[0].directions[0].cell
    n = cell.hidden_size
    W, V, b = cell.W.clone(), cell.V.clone(), cell.b.clone()
    W[2 * n :: n], V[2 * n : 3 * n] = 1.0, 4 * torch.eye(n, dtype=V.dtype)
    b[n : 2 * n] = 9.0  # the memory keeps what it holds and feeds on itself
    direction = models.Direction(cell=replace(cell, W=W, V=V, b=b))
    tiny = replace(
        model,
        layers=(models.Layer(directions=(direction,)),),
        embedding=1e-19 * model.embedding.abs(),
    )
    document = ["good"] * 60
    whole = ContextualDecomposition(tiny).score_phrase(document, 0, 60)
    first = ContextualDecomposition(tiny).score_phrase(document, 0, 1)
    share = first.relevant / whole.relevant
    assert float(whole.relevant.abs().max()) > 1e-14
    assert float(share.abs().min()) > 0.1


@pytest.mark.skipif(lstm_kernels._compiled() is None, reason="numba is not installed")
def test_a_saturated_gate_is_one():
    """It was 1 - 1e-7, which a memory of thousands of words feels."""
    from rnnscope.scores import lstm_kernels_numba as kernels

    for x in (16.0, 100.0, 3e38, float("inf")):
        assert kernels.sigm(np.float32(x)) == 1
        assert kernels.sigm(np.float32(-x)) == 0
        assert kernels.tanh(np.float32(x)) == 1
    x = np.linspace(-20, 20, 4001).astype(np.float32)
    exact = torch.from_numpy(x).double()
    got = np.array([kernels.tanh(v) for v in x], dtype=np.float64)
    assert np.abs(got - torch.tanh(exact).numpy()).max() <= 4e-7
    got = np.array([kernels.sigm(v) for v in x], dtype=np.float64)
    assert np.abs(got - torch.sigmoid(exact).numpy()).max() <= 2e-7


# Overflow is said, not scored ------------------------------------------------------------------


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("method", ALL)
def test_numbers_beyond_float32_are_refused(method, pooling):
    """An infinite sum saturates a gate by its first term's sign: one number in, another out."""
    model = replace(wide(pooling=pooling), embedding=None, vocabulary=None)
    model = replace(model, layers=tuple(x.map(lambda w: w.sign() * 1e30) for x in model.layers))
    vectors = np.random.default_rng(0).choice([-1e30, 1e30], size=(5, 16))
    with pytest.raises(ModelError, match=r"(?s)finite numbers.*overflow in float32"):
        method(model).score([vectors])
    with pytest.raises(ModelError, match="finite numbers"):
        method(model).attribute([vectors], 0)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("method", ALL)
def test_what_is_no_number_is_seen(method, pooling, monkeypatch):
    """The compiled loops took it for a saturated gate, and the largest state passed it over."""
    monkeypatch.setattr("rnnscope.scores.score.require_room", lambda *_: None)
    model = replace(wide(pooling=pooling), embedding=None, vocabulary=None)
    object.__setattr__(model.layers[0].directions[0].cell, "b", torch.full((64,), torch.nan))
    with pytest.raises(ModelError, match="finite numbers"):
        _ = method(model).score([np.ones((5, 16))]).values


def test_a_phrase_in_numbers_beyond_float32_is_refused():
    model = own_cell_model("lstm", embedding=False).to(torch.float32)
    with pytest.raises(ModelError, match="finite numbers"):
        ContextualDecomposition(model).score_phrase(np.full((3, 3), 1e300), 0, 1)


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_refused(method, dtype):
    with pytest.raises(NotApplicable, match="float32 or float64"):
        method(model_of().to(dtype))


# Surroundings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("method", ALL)
def test_automatic_mixed_precision_changes_nothing(method, kind):
    if kind == "gru" and method is ContextualDecomposition:
        pytest.skip("refused")
    score = method(model_of(torch.float32, kind=kind, scale=1.0))
    expected = score.score(DOCUMENTS).values
    padded = score.attribute(DOCUMENTS, 0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(score.score(DOCUMENTS).values, expected)
        assert torch.equal(score.attribute(DOCUMENTS, 0), padded)
        assert torch.is_autocast_enabled("cpu")


def test_the_models_own_logits_in_automatic_mixed_precision():
    model = model_of(torch.float32)
    expected = model.logits(DOCUMENTS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model.logits(DOCUMENTS), expected)


@pytest.mark.parametrize("method", [GradientNorm, GradientTimesInput, IntegratedGradients])
def test_a_model_made_in_inference_mode_has_gradients(method):
    with torch.inference_mode():
        model = model_of(kind="gru")
    expected = method(model_of(kind="gru")).score(DOCUMENTS).values
    torch.testing.assert_close(method(model).score(DOCUMENTS).values, expected)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("method", ALL)
def test_weights_that_require_gradients_get_none(method):
    model = with_weights(wide(), lambda w: w.clone().requires_grad_())
    values = method(model).score(DOCUMENTS).values
    assert not values.requires_grad
    assert all(weight.grad is None for weight in model.weights().values())


def test_another_precision_of_products_is_left_to_torch():
    matrix = torch.ones(32, 32)
    before = torch.get_float32_matmul_precision()
    try:
        for precision in ("high", "medium"):
            torch.set_float32_matmul_precision(precision)
            assert products._packed(matrix, None) is None
    finally:
        torch.set_float32_matmul_precision(before)


# Results ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ALL)
def test_scores_can_be_pickled_and_copied(method):
    scores = method(model_of()).score(DOCUMENTS)
    pickled = pickle.loads(pickle.dumps(scores))  # noqa: S301 - our own bytes
    for same in (pickled, copy.deepcopy(scores), copy.copy(scores)):
        assert type(same) is type(scores)
        assert torch.equal(same.values, scores.values)
        assert torch.equal(same[1].logits, scores[1].logits)
        assert same[-1].tokens == scores[-1].tokens
    if method is IntegratedGradients:
        assert pickled.outcome.converged.all()


@pytest.mark.parametrize("method", [CellDifference, IntegratedGradients])
def test_no_documents_are_complete(method):
    found = method(model_of()).score([]).completeness
    assert (found.error, found.relative, found.documents) == (0, 0, 0)


@pytest.mark.parametrize("method", ALL)
def test_every_method_streams(method):
    score = method(model_of())
    parts = list(score.stream(iter(DOCUMENTS), shard=3))
    assert [len(part) for part in parts] == [3, 1]
    found = torch.cat([part.values for part in parts])
    torch.testing.assert_close(found, score.score(DOCUMENTS).values, atol=1e-12, rtol=0)


def test_one_class_has_no_others():
    with pytest.raises(NotApplicable, match="compared with the others"):
        against_others(torch.zeros(3, 1))


def test_positions_of_vectors_whatever_the_vocabulary():
    """A network of vectors with a vocabulary looked its vectors up as words."""
    model = own_cell_model("lstm", embedding=False)
    for own in (model, replace(model, vocabulary=Vocabulary.of(WORDS))):
        scores = CellDifference(own).score([np.ones((2, 3)), np.ones((3, 3))])
        assert [document.tokens for document in scores] == [("0", "1"), ("0", "1", "2")]


def test_a_long_document_is_not_changed_everywhere_at_once(monkeypatch):
    """Variants run anew took the square of a document's length."""
    model = model_of(layers=2, bidirectional=True)
    document = random_documents(2, longest=30, seed=4)[1]
    whole = Occlusion(model).score([document]).values
    monkeypatch.setattr(occlusion, "BATCH_TOKENS", len(document))
    sizes = []
    inner = models.Model.logits
    monkeypatch.setattr(
        models.Model, "logits", lambda self, d: sizes.append(len(d)) or inner(self, d)
    )
    torch.testing.assert_close(Occlusion(model).score([document]).values, whole)
    assert max(sizes) <= 4 < len(document)


# Input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        np.array([["a", "b", "c"]]),
        [[1.0, 2.0, 3.0], [1.0]],
        np.array([[1, 2, None]], dtype=object),
        np.ones((2, 3)) * 1j,
        torch.ones(2, 3).to_sparse(),
        np.array(3.0),
        torch.tensor(3.0),
    ],
    ids=["words", "ragged", "objects", "complex", "sparse", "scalar", "scalar tensor"],
)
def test_what_is_no_array_of_vectors_is_refused(document):
    with pytest.raises(DataError, match="vectors"):
        CellDifference(own_cell_model("lstm", embedding=False)).score([document])


def test_vectors_in_bfloat16_are_read():
    model = own_cell_model("lstm", embedding=False)
    a = CellDifference(model).score([torch.ones(2, 3, dtype=torch.bfloat16)]).values
    assert torch.equal(a, CellDifference(model).score([np.ones((2, 3))]).values)


@pytest.mark.parametrize("points", [2.5, 4.0, "4", True, None])
def test_points_are_whole_numbers(points):
    with pytest.raises(UsageError, match="at least one point"):
        IntegratedGradients(model_of(), points=points)
    with pytest.raises(UsageError, match="above zero"):
        IntegratedGradients(model_of(), tolerance="small")


def test_phrases_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="A phrase is a document"):
        ContextualDecomposition(model_of()).score_phrases([["good"]], [(0, 0, 1), (0, 1)])
