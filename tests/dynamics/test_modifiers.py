"""Modifiers: found where they are built in, absent where they are not, and a coordinate of use."""

from __future__ import annotations

import pytest
import torch

from rnnscope.cells import Autodiff
from rnnscope.data import Vocabulary
from rnnscope.dynamics import linearize
from rnnscope.dynamics.charts import principal_chart, slow_chart, with_directions
from rnnscope.dynamics.modifiers import find_modifiers
from rnnscope.dynamics.reduced import reduced_model
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import Direction, Layer, Model, Readout, from_torch
from tests.helpers import WORDS, random_documents, random_module

VECTORS = {"the": (0.0, 0.0), "good": (0.1, 0.0), "bad": (-0.1, 0.0), "very": (0.0, 1.0)}


def adding_model():
    """``h_1' = h_1 + (1 + 2 h_2) x_1``, ``h_2' = h_2 / 2 + x_2``, ``h_3' = h_3 / 4``: a line, and
    beside it what "very" leaves behind, which doubles and triples what comes next."""

    def step(x, h):
        line = h[..., 0] + (1 + 2 * h[..., 1]) * x[..., 0]
        return torch.stack([line, h[..., 1] / 2 + x[..., 1], h[..., 2] / 4], dim=-1)

    cell = Autodiff(function=step, inputs=2, states=3, like=torch.zeros((), dtype=torch.float64))
    weight = torch.tensor([[-1.0, 0, 0], [1.0, 0, 0]], dtype=torch.float64)
    return Model(
        layers=(Layer(directions=(Direction(cell=cell),)),),
        embedding=torch.tensor(list(VECTORS.values()), dtype=torch.float64),
        vocabulary=Vocabulary(words=tuple(VECTORS)),
        readout=Readout(weight=weight, bias=torch.zeros(2, dtype=torch.float64)),
    )


def test_a_modifier_is_found_and_nothing_else():
    found = find_modifiers(adding_model(), torch.zeros(3), probes=["good", "bad"])
    assert found.strongest(1)[0][0] == "very"
    strengths = dict(zip(found.words, found.strength.tolist(), strict=True))
    assert strengths["very"] == pytest.approx(2.0)
    for word in ("the", "good", "bad"):
        assert strengths[word] == pytest.approx(0)
    direction = found.directions(1, count=1)[:, 0]
    torch.testing.assert_close(direction.abs(), torch.tensor([0.0, 1, 0], dtype=torch.float64))
    assert "very" in repr(found)


def test_the_line_alone_misses_modifiers_and_their_coordinate_mends_it():
    model = adding_model()
    documents = random_documents(200, words=tuple(VECTORS))
    modes = linearize(model, torch.zeros(1, 3), count=3)
    line = slow_chart(modes, 0, 1)
    directions = find_modifiers(model, torch.zeros(3)).directions(1, count=1)
    both = with_directions(line, directions, name="modifiers")
    truth = model.logits(documents)
    alone = reduced_model(model, line, "lifted").logits(documents)
    assert float((alone - truth).abs().max()) > 0.1
    mended = reduced_model(model, both, "lifted").logits(documents)
    torch.testing.assert_close(mended, truth, atol=1e-10, rtol=0)
    # An expansion has the coordinate and not its effect, which is a product.
    expanded = reduced_model(model, both, "expansion").logits(documents)
    torch.testing.assert_close(expanded, alone, atol=1e-10, rtol=0)
    with pytest.raises(NotApplicable):
        with_directions(both, directions, name="modifiers")


def test_strength_is_that_of_the_definition():
    model = from_torch(random_module("gru", units=4), vocabulary=WORDS)
    cell, table = model.cell, model.embedding
    h = torch.linspace(-0.5, 0.5, 4, dtype=torch.float64)
    found = find_modifiers(model, h, ["not", "very"], probes=["good", "dull"])
    zero = torch.zeros(cell.input_size, dtype=torch.float64)

    def reads(state):
        J = torch.autograd.functional.jacobian(lambda x: cell.step(x, state), zero)
        return torch.stack([J @ table[WORDS.index(w)] for w in ("good", "dull")])

    for k, word in enumerate(("not", "very")):
        moved = cell.step(table[WORDS.index(word)], h) - cell.step(zero, h)
        want = (reads(h + moved) - reads(h)).norm() / reads(h).norm()
        assert float(found.strength[k]) == pytest.approx(float(want))
        torch.testing.assert_close(found.displacements[k], moved)
    line = principal_chart(torch.eye(4, dtype=torch.float64) * h, 1)
    beside = find_modifiers(model, h, beside=line)
    assert float((beside.displacements @ line.left.mT).abs().max()) < 1e-12


def test_bad_input():
    model = adding_model()
    with pytest.raises(UsageError, match="vocabulary"):
        find_modifiers(model, torch.zeros(3), ["nothing"])
    with pytest.raises(DataError):
        find_modifiers(model, torch.zeros(4))
    with pytest.raises(UsageError, match="displacements"):
        find_modifiers(model, torch.zeros(3)).directions(9)
    with pytest.raises(NotApplicable):
        find_modifiers(from_torch(torch.nn.GRU(3, 4)), torch.zeros(4))
