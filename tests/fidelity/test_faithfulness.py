"""Deletion, rank agreement and randomised weights: tests of word scores against the network."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy import stats

from rnnscope import from_torch
from rnnscope.data import Vocabulary
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.fidelity import deletion, randomisation_test, randomised, rank_agreement
from rnnscope.fidelity.ranks import leave_one_out, ranks_of
from rnnscope.models import Direction, Layer, Model, Readout
from rnnscope.phrases import mine_phrases
from rnnscope.rules import RuleList
from rnnscope.scores import CellDecomposition, CellDifference, Score, WordScores
from rnnscope.scores.word_scores import Batch
from rnnscope.synthetic import lexicon_network, planted_network
from tests.helpers import WORDS, random_cell, random_documents, random_module
from tests.reference import fidelity as slow

DOCUMENTS = random_documents(24, longest=11, seed=3)


def model_of(seed=0, classes=2, **options):
    module = random_module(classes=classes, seed=seed, scale=1.5, **options).eval()
    vocabulary = Vocabulary(words=WORDS, unknown="<unk>", padding="<pad>")
    return from_torch(module, vocabulary=vocabulary)


def vector_model():
    cell = random_cell("gru", seed=5)
    weight = torch.tensor([[1.0, 0, -1, 2], [0.5, 1, 1, -1]], dtype=torch.float64)
    return Model(
        layers=(Layer(directions=(Direction(cell=cell),)),),
        readout=Readout.of(weight),
    )


class Constant(Score):
    """Says the same of every word."""

    name = "constant"

    def batches(self, documents):
        for trajectory in self.model.trajectories(documents):
            shape = (*trajectory.mask.shape, len(self.model.classes))
            yield Batch(
                indices=trajectory.indices,
                values=torch.zeros(shape, dtype=self.model.dtype),
                initial=torch.zeros(len(trajectory.lengths), shape[-1], dtype=self.model.dtype),
                logits=trajectory.logits,
            )


class OfTheWord(Constant):
    """Depends on the word alone and not on the network: must fail the sanity check."""

    name = "of the word"

    def batches(self, documents):
        for batch in super().batches(documents):
            for k, row in enumerate(batch.indices.tolist()):
                ids = torch.as_tensor(np.asarray(documents[row]), dtype=self.model.dtype)
                batch.values[k, : len(ids), 1] = torch.sin(7 * ids)
            yield batch


# Deletion ------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3])
def test_deletion_by_definition(classes):
    model = model_of(classes=classes)
    scores = CellDifference(model).score(DOCUMENTS)
    levels = (1, 20, 50)
    found = deletion(model, scores, levels=levels)
    labels = scores.predictions

    def probabilities(words):
        return slow.softmax(model.logits([words])[0].tolist())

    row = 0
    for k, words in enumerate(DOCUMENTS):
        if len(words) < 2:
            continue
        of_words = [slow.against_others(v.tolist(), labels[k]) for v in scores[k].values]
        for level, percent in enumerate(levels):
            expected = slow.deletion_drops(probabilities, words, of_words, labels[k], percent)
            assert found.drops[row, level] == pytest.approx(expected, abs=1e-10)
        row += 1
    assert row == len(found.drops)
    assert found.left_out == len(DOCUMENTS) - row
    assert found.aopc.comprehensiveness.value == pytest.approx(found.drops[..., 0].mean())
    assert found.levels[1].sufficiency.value == pytest.approx(found.drops[:, 1, 1].mean())
    gain = (found.drops - found.random_drops)[:, 2, 0].mean()
    assert found.levels[2].comprehensiveness_gain.value == pytest.approx(gain)


@pytest.mark.parametrize("removal", ["unknown", "zero"])
def test_words_can_be_replaced(removal):
    model = model_of()
    documents = [document for document in DOCUMENTS if len(document) > 1]
    found = deletion(model, CellDifference(model).score(documents), removal=removal, levels=[20])
    labels = model.predict(documents)
    ranked = [np.argsort(-row.contrast.numpy()) for row in CellDifference(model).score(documents)]
    blank = torch.zeros(4, dtype=torch.float64)
    if removal == "unknown":
        blank = model.embedding[1]
    bare = Model(layers=model.layers, readout=model.readout)
    for k, document in enumerate(documents):
        order = ranked[k] if labels[k] == 1 else ranked[k][::-1]
        top = order[: int(np.ceil(len(document) / 5))].tolist()
        vectors = model.embedding[torch.as_tensor(model.encode([document])[0])].clone()
        own = model.probabilities([document])[0, labels[k]]
        vectors[top] = blank
        assert found.drops[k, 0, 0] == pytest.approx(
            float(own - bare.probabilities([vectors])[0, labels[k]]), abs=1e-10
        )


def test_deletion_on_vectors():
    model = vector_model()
    rng = np.random.default_rng(0)
    documents = [rng.normal(size=(n, 3)) for n in (2, 5, 7, 9)]
    scores = CellDecomposition(model).score(documents)
    found = deletion(model, scores, documents=documents)
    assert found.drops.shape == (4, 5, 2)
    zero = deletion(model, scores, documents=documents, removal="zero", levels=[50])
    own = model.probabilities(documents).max(dim=1).values[0]
    changed = documents[0].copy()
    label = int(scores.predictions[0])
    order = np.argsort(-(2 * label - 1) * scores[0].contrast.numpy())
    changed[order[0]] = 0
    expected = float(own - model.probabilities([changed])[0, label])
    assert zero.drops[0, 0, 0] == pytest.approx(expected, abs=1e-10)
    with pytest.raises(UsageError, match="vectors"):
        deletion(model, scores)
    with pytest.raises(DataError, match="same order"):
        deletion(model, scores, documents=documents[:3])
    assert rank_agreement(model, scores, documents=documents).left_out == 1


def test_the_words_that_decide_are_found_to_decide():
    model = lexicon_network({"good": 2.0, "bad": -2.0, "the": 0.0, "film": 0.01})
    rng = np.random.default_rng(0)
    documents = [
        [str(w) for w in rng.permutation([*["the", "film"] * 5, rng.choice(["good", "bad"])])]
        for _ in range(60)
    ]
    found = deletion(model, CellDecomposition(model).score(documents), levels=[1, 5])
    assert found.aopc.comprehensiveness_gain.low > 0.2
    assert found.aopc.sufficiency_gain.low > 0.2
    assert found.aopc.sufficiency.value < 0.05
    assert "more than random" in found.sentence
    assert found.to_frame()["percent"].to_list() == [1.0, 5.0, None]
    json.dumps(found.to_dict(), allow_nan=False)
    assert "AOPC" in repr(found)


def test_a_constant_score_does_as_well_as_chance():
    """Equal scores used in the order of the text would test the first words of the document."""
    model = model_of()
    documents = random_documents(200, longest=11, seed=8)
    found = deletion(model, Constant(model).score(documents), draws=4)
    gain = found.aopc.comprehensiveness_gain
    assert gain.low <= 0 <= gain.high
    assert "cannot be told" in found.sentence


def test_deletion_is_the_same_for_the_same_seed_and_leaves_the_network_alone():
    model = model_of()
    before = model.fingerprint
    state = torch.get_rng_state()
    scores = CellDifference(model).score(DOCUMENTS)
    one, two = (deletion(model, scores, removal="zero", seed=4) for _ in range(2))
    assert (one.drops == two.drops).all()
    assert (one.random_drops == two.random_drops).all()
    assert torch.equal(torch.get_rng_state(), state)
    fresh = model_of()
    assert fresh.fingerprint == before
    assert len(model.embedding) == len(WORDS)


def test_deletion_runs_whole_corpora_at_once(monkeypatch):
    model = model_of()
    scores = CellDifference(model).score(DOCUMENTS)
    scores.values  # noqa: B018  the scores' own run is not counted
    calls = []
    logits = Model.logits
    monkeypatch.setattr(Model, "logits", lambda self, d: calls.append(len(d)) or logits(self, d))
    deletion(model, scores)
    assert len(calls) == 5 * 2 * 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"removal": "burn"}, UsageError, "removal"),
        ({"levels": [0]}, UsageError, "per cent"),
        ({"levels": [100]}, UsageError, "per cent"),
        ({"levels": []}, UsageError, "per cent"),
        ({"draws": 0}, UsageError, "draws"),
    ],
)
def test_deletion_that_makes_no_sense(options, error, message):
    model = model_of()
    with pytest.raises(error, match=message):
        deletion(model, CellDifference(model).score(DOCUMENTS), **options)


def test_what_deletion_cannot_do():
    model = lexicon_network({"good": 1.0})
    scores = CellDecomposition(model).score([["good"], ["good"]])
    with pytest.raises(DataError, match="two words"):
        deletion(model, scores)
    other = lexicon_network({"good": 2.0})
    with pytest.raises(UsageError, match="fingerprint"):
        deletion(other, scores)
    bare = from_torch(random_module().eval())
    indices = [np.array([1, 2, 3])]
    with pytest.raises(NotApplicable, match="unknown word"):
        deletion(bare, CellDifference(bare).score(indices), removal="unknown")
    one = deletion(model, CellDecomposition(model).score([["good", "good"]]))
    assert "One document" in one.sentence
    assert np.isnan(one.aopc.comprehensiveness.low)


# Rank agreement ------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3])
def test_leave_one_out_by_definition(classes):
    model = model_of(classes=classes, seed=2)
    labels = model.predict(DOCUMENTS)
    effects = leave_one_out(model, model.encode(DOCUMENTS), labels)

    def logits(words):
        return model.logits([words])[0].tolist()

    for words, effect, label in zip(DOCUMENTS, effects, labels, strict=True):
        if len(words) == 1:
            assert np.isnan(effect).all()
        else:
            assert effect == pytest.approx(slow.leave_one_out(logits, words, label), abs=1e-10)


def test_leave_one_out_in_parts(monkeypatch):
    model = model_of()
    encoded, labels = model.encode(DOCUMENTS), model.predict(DOCUMENTS)
    whole = leave_one_out(model, encoded, labels)
    monkeypatch.setattr("rnnscope.fidelity.ranks.VARIANT_WORDS", 50)
    for a, b in zip(whole, leave_one_out(model, encoded, labels), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_rank_agreement_is_scipys_and_is_one_where_words_add_up():
    rng = np.random.default_rng(1)
    words = {f"w{k}": float(weight) for k, weight in enumerate(rng.normal(size=30))}
    model = lexicon_network(words, gain=1e-3)
    names = np.array(list(words))
    documents = [[str(w) for w in rng.permutation(names)[:n]] for n in (2, 3, 8, 12, 20)]
    scores = CellDecomposition(model).score(documents)
    found = rank_agreement(model, scores)
    assert found.spearman.value == pytest.approx(1)
    assert found.left_out == 1
    assert "more alike" in found.sentence
    against = rank_agreement(model, Constant(model).score(documents))
    assert not against.spearman.known
    assert "no order to compare" in against.sentence

    model = model_of()
    scores = CellDifference(model).score(DOCUMENTS)
    reference = CellDecomposition(model).score(DOCUMENTS)
    found = rank_agreement(model, scores, reference=reference)
    for k, (a, b) in enumerate(zip(scores, reference, strict=True)):
        if np.isfinite(found.by_document[k, 0]):
            x, y = a.contrast.numpy(), b.contrast.numpy()
            assert found.by_document[k, 0] == pytest.approx(stats.spearmanr(x, y).statistic)
            assert found.by_document[k, 1] == pytest.approx(stats.kendalltau(x, y).statistic)
    json.dumps(found.to_dict(), allow_nan=False)


def test_shuffled_scores_are_what_the_null_says():
    model = model_of()
    documents = random_documents(80, longest=12, seed=6)
    rng = np.random.default_rng(0)
    inside = 0
    answers = [rng.normal(size=len(d)) for d in documents]
    for seed in range(40):
        noise = [rng.normal(size=len(d)) for d in documents]
        found = ranks_of(noise, answers, method="noise", name="answers", seed=seed)
        inside += found.null.low <= found.spearman.value <= found.null.high
    assert inside >= 34
    assert rank_agreement(model, CellDifference(model).score([["good", "bad", "the"]])).sentence


def test_leave_one_out_credits_a_negator_that_the_memory_does_not():
    """What beta and gamma charge to "good", the network owes to "not"."""
    planted = planted_network({"good": 1.5}, negators=["not"], window=2)
    document = ["not", "the", "good", "film"]
    encoded = planted.model.encode([document])
    effect = leave_one_out(planted.model, encoded, np.array([0]))[0]
    assert effect == pytest.approx([3.0, 0, 1.5, 0], abs=1e-4)
    scores = CellDecomposition(planted.model).score([document])[0]
    assert scores.contrast.numpy() == pytest.approx([0, 0, -1.5, 0], abs=1e-4)


# Randomised weights --------------------------------------------------------------------------


def test_parts_are_randomised_from_the_readout_down():
    model = model_of(layers=2)
    parts = ["readout", "layer1", "layer0", "embedding"]
    before = {name: w.clone() for name, w in model.weights().items()}
    for depth in range(1, 5):
        other = randomised(model, depth=depth, seed=3)
        changed = {
            part
            for part in parts
            if any(
                name.startswith(part) and not torch.equal(w, before[name])
                for name, w in other.weights().items()
            )
        }
        assert changed == set(parts[:depth])
        for name, weight in other.weights().items():
            assert torch.equal(weight.reshape(-1).sort().values, before[name].reshape(-1).sort()[0])
    assert all(torch.equal(w, before[name]) for name, w in model.weights().items())
    drawn = randomised(model, depth=4, how="normal", seed=3)
    assert not torch.equal(drawn.embedding, model.embedding)


def test_a_single_logit_stays_a_single_logit():
    model = from_torch(random_module(classes=1).eval())
    other = randomised(model, depth=3, seed=1)
    assert other.readout.one_logit
    assert torch.equal(other.readout.weight[0], -other.readout.weight[1])
    assert torch.equal(other.readout.bias, model.readout.bias)


def rules_from(scores):
    return RuleList.from_phrases(mine_phrases(scores, min_count=2))


def test_randomised_weights_destroy_scores_and_rules():
    model = model_of(units=8, seed=4)
    documents = random_documents(150, longest=11, seed=1)
    held_out = random_documents(150, longest=11, seed=2)
    before = model.fingerprint
    state = torch.get_rng_state()
    found = randomisation_test(
        model, CellDifference, rules_from, documents, judged_on=held_out, seed=1
    )
    assert [stage.part for stage in found.stages] == ["readout", "layer 1", "embedding"]
    assert found.passed
    assert "nothing is left" in found.sentence
    assert found.original_agreement.low > found.stages[-1].agreement_null.high
    assert found.stages[-1].ranks.count == 5
    assert len(found.to_frame()) == 3
    json.dumps(found.to_dict(), allow_nan=False)
    assert "inside" in repr(found)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.fingerprint == before


def test_a_score_that_does_not_look_at_the_network_is_found_out():
    model = model_of(seed=1)
    found = randomisation_test(model, OfTheWord, None, random_documents(60, longest=11))
    assert found.passed is False
    assert all(stage.agreement is None for stage in found.stages)
    assert all("outside" in stage.sentence for stage in found.stages)
    assert "does not come from the network" in found.sentence


def test_a_sanity_check_that_can_say_nothing_says_so():
    model = lexicon_network({"good": 1.0, "bad": -1.0})
    documents = [["good", "bad", "bad"], ["bad", "good", "good"]] * 3
    found = randomisation_test(model, CellDecomposition, None, documents)
    assert found.stages[0].destroyed is None
    assert "too few different entries" in found.stages[0].sentence
    constant = randomisation_test(model_of(), Constant, None, DOCUMENTS)
    assert constant.passed is None
    json.dumps(constant.to_dict(), allow_nan=False)
    assert "cannot be said" in constant.sentence
    with pytest.raises(UsageError, match="twice"):
        randomisation_test(model, CellDecomposition, None, documents, repeats=2)
    with pytest.raises(DataError, match="at least one"):
        randomisation_test(model, CellDecomposition, None, [])


def test_scores_must_be_scores():
    model = model_of()
    with pytest.raises(UsageError, match="word scores"):
        deletion(model, DOCUMENTS)
    with pytest.raises(DataError, match="at least one"):
        rank_agreement(model, CellDifference(model).score([]))
    scores = CellDifference(model).score(DOCUMENTS)
    assert isinstance(scores, WordScores)
    scores.values[3] = np.nan
    with pytest.raises(DataError, match="finite"):
        deletion(model, scores)


def test_levels_are_a_list():
    """A generator was once used up by its check, and every figure NaN."""
    model = model_of()
    scores = CellDifference(model).score(DOCUMENTS)
    expected = deletion(model, scores, levels=[10, 20]).drops
    np.testing.assert_array_equal(
        deletion(model, scores, levels=np.array([20, 10])).drops, expected
    )
    for levels in ((level for level in (10, 20)), 10):
        with pytest.raises(UsageError, match="a list of numbers"):
            deletion(model, scores, levels=levels)


def test_other_words_of_the_same_lengths_are_not_what_was_scored():
    """Only the lengths were once compared: a test of one text's scores on another."""
    model = model_of()
    scores = CellDifference(model).score(DOCUMENTS)
    deletion(model, scores, documents=DOCUMENTS)
    with pytest.raises(DataError, match="other words or lengths"):
        deletion(model, scores, documents=[["good"] * len(d) for d in DOCUMENTS])


def test_one_randomised_network_says_nothing():
    """Its agreement has no interval, which was once read as outside of the null: not destroyed."""
    planted = planted_network({"good": 1.0, "bad": -1.0})
    documents = planted.documents(60, seed=0)
    found = [
        randomisation_test(
            planted.model, CellDecomposition, rules_from, documents, repeats=3, seed=seed
        ).stages[0]
        for seed in range(6)
    ]
    assert {len(stage.by_network) for stage in found} >= {1}
    for stage in found:
        if len(stage.by_network) == 1:
            assert stage.destroyed is None
            assert "one network only" in stage.sentence
