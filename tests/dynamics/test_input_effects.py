"""What words do: along any mode, in subspaces, by class, against a lexicon."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from rnnscope.cells import Vanilla
from rnnscope.dynamics import (
    WordClasses,
    class_effects,
    instantaneous_effects,
    lexicon_agreement,
    linearize,
    subspace_projections,
    word_projections,
)
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Direction, Layer
from tests.dynamics import line_networks as ln

STATES = 0.1 * torch.randn(5, 24, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


@pytest.fixture(scope="module")
def study():
    model = ln.line_network(count=20)
    return model, linearize(model, STATES, count=6)


def spiral():
    """A model whose slowest modes are a complex pair at every state."""
    model = ln.line_network(count=20)
    generator = torch.Generator().manual_seed(1)
    V = 0.3 * torch.randn(24, 24, generator=generator, dtype=torch.float64) / 24**0.5
    V[:2] = V[:, :2] = 0
    V[:2, :2] = 0.9 * torch.tensor([[0.8, 0.6], [-0.6, 0.8]], dtype=torch.float64)
    old = model.layers[0].directions[0].cell
    cell = Vanilla(W=old.W, V=V, b=old.b)
    return replace(model, layers=(Layer(directions=(Direction(cell=cell),)),))


def test_projections_on_every_real_mode(study):
    model, modes = study
    for mode in range(3):
        found = word_projections(model, modes, ["positive0", "neutral1"], mode=mode)
        rows = [model.vocabulary.index(word) for word in found.words]
        for place, point in enumerate(found.points.tolist()):
            J = modes.cell.J_inp(modes.held.vector, modes.states[point])
            for k, row in enumerate(rows):
                push = modes.left[point, mode].real @ (J @ model.embedding[row])
                assert float(found.projections[place, k]) == pytest.approx(float(push), abs=1e-14)
        assert found.mode == mode
    with pytest.raises(UsageError, match="0 to"):
        word_projections(model, modes, mode=99)


def test_the_held_input_is_taken_off(study):
    model, _ = study
    modes = linearize(model, STATES, "positive0")
    found = word_projections(model, modes, ["positive0"])
    assert float(found.projections.abs().max()) < 1e-15
    assert float(instantaneous_effects(model, modes, ["positive0"]).abs().max()) < 1e-15


def test_effects_are_one_steps_change(study):
    model, modes = study
    effect = instantaneous_effects(model, modes, ["negative3"], points=torch.tensor([2]))
    x = model.embedding[model.vocabulary.index("negative3")]
    tiny = 1e-6
    zero = torch.zeros_like(x)
    change = (modes.cell.step(tiny * x, STATES[2]) - modes.cell.step(zero, STATES[2])) / tiny
    torch.testing.assert_close(effect[0, 0], change, atol=1e-6, rtol=1e-5)


def test_a_subspace_is_the_sum_of_its_modes(study):
    model, modes = study
    found = subspace_projections(model, modes, ["positive0", "negative1"], size=3)
    x = model.embedding[[model.vocabulary.index(word) for word in found.words]]
    for place, point in enumerate(found.points.tolist()):
        J = modes.J_inp[point]
        P = (modes.right[point, :, :3] @ modes.left[point, :3]).real
        torch.testing.assert_close(found.effects[place], x @ (P @ J).mT, atol=1e-12, rtol=0)
        torch.testing.assert_close(
            found.basis[place].mT @ found.basis[place], torch.eye(3, dtype=torch.float64)
        )
    length = found.effects.norm(dim=-1)
    torch.testing.assert_close(found.mean, length.mean(0))
    assert len(found) == 2


def test_a_complex_pair_is_read_as_a_plane():
    model = spiral()
    modes = linearize(model, torch.zeros(2, 24, dtype=torch.float64), count=4)
    assert modes.oscillating[:, 0].all()
    with pytest.raises(NotApplicable, match="real"):
        word_projections(model, modes)
    with pytest.raises(NotApplicable, match="cut no pair"):
        subspace_projections(model, modes, size=1)
    found = subspace_projections(model, modes, ["positive0"], size=2)
    # The pair's plane is that of the first two units, apart from all others.
    x = model.embedding[model.vocabulary.index("positive0")]
    expected = (modes.cell.W @ x)[:2]
    torch.testing.assert_close(found.effects[0, 0, :2], expected, atol=1e-12, rtol=0)
    assert float(found.effects[0, 0, 2:].abs().max()) < 1e-12
    with pytest.raises(UsageError, match="kept modes"):
        subspace_projections(model, modes, size=40)


def test_classes_push_as_built(study):
    model, modes = study
    found = class_effects(model, modes, ln.classes(20))
    assert found.mean["positive"] > 5 * abs(found.mean["neutral"])
    assert found.mean["negative"] < -5 * abs(found.mean["neutral"])
    pushes = word_projections(model, modes, list(ln.names(20)["positive"])).projections
    assert found.mean["positive"] == pytest.approx(float(pushes.mean()))
    assert found.spread["positive"] == pytest.approx(float(pushes.mean(1).std(correction=0)))
    over_words = float(pushes.mean(0).std(correction=0))
    assert found.spread_over_words["positive"] == pytest.approx(over_words)
    effects = instantaneous_effects(model, modes, list(ln.names(20)["positive"]))
    torch.testing.assert_close(found.effects["positive"], effects.mean(1))
    json.dumps(found.summary(), allow_nan=False)
    assert "positive +" in repr(found)


def test_words_the_model_does_not_know_are_left_out(study):
    model, modes = study
    some = WordClasses(positive=("positive1", "what"), negative=("who",), neutral=(), values={})
    assert class_effects(model, modes, some).words == {"positive": ("positive1",)}
    none = WordClasses(positive=("what",), negative=(), neutral=(), values={})
    with pytest.raises(DataError, match="none"):
        class_effects(model, modes, none)


def test_a_lexicon_agrees_where_words_push_by_it(study):
    model, modes = study
    pushes = word_projections(model, modes)
    rng = np.random.default_rng(0)
    true = dict(zip(pushes.words, (pushes.mean + 5).tolist(), strict=True))
    found = lexicon_agreement(pushes, true)
    assert found.pearson.value == pytest.approx(1)
    assert found.spearman.value == pytest.approx(1)
    by_chance = lexicon_agreement(pushes, {word: rng.normal() for word in pushes.words})
    assert by_chance.pearson.value < by_chance.null_high + 0.1
    assert by_chance.null_high == pytest.approx(1.645 / 60**0.5, rel=0.2)
    json.dumps(found.summary(), allow_nan=False)
    assert "60 words" in repr(found)
    for wrong in ({}, {"positive1": 1.0}, dict.fromkeys(pushes.words, 1.0)):
        with pytest.raises(DataError, match="3 or more words"):
            lexicon_agreement(pushes, wrong)
