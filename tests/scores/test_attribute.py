"""captum's call shape, and equality with captum where both define the same thing."""

from __future__ import annotations

import pytest
import torch

from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.scores import (
    CellDifference,
    ContextualDecomposition,
    GradientNorm,
    GradientTimesInput,
    IntegratedGradients,
    LeaveOneOut,
    Occlusion,
)
from tests.helpers import random_documents, random_module
from tests.scores.networks import ids_of, model_of

ALL = [
    CellDifference,
    ContextualDecomposition,
    GradientNorm,
    GradientTimesInput,
    IntegratedGradients,
    LeaveOneOut,
    Occlusion,
]


@pytest.mark.parametrize("method", ALL)
def test_attributions_are_the_scores_of_the_target(method):
    model = model_of(classes=3)
    documents = random_documents(5)
    targets = [0, 1, 2, 1, 0]
    score = method(model)
    found = score.attribute(documents, targets)
    expected = score.score(documents)
    assert found.shape == (5, max(map(len, documents)))
    for k, document in enumerate(expected):
        size = len(document.tokens)
        torch.testing.assert_close(found[k, :size], document.values[:, targets[k]])
        assert not found[k, size:].any()
    same = score.attribute(documents, 1)
    torch.testing.assert_close(same[1], found[1])


def test_padded_tensors():
    model = model_of()
    documents = [["good", "bad", "film"], ["not"]]
    ids = torch.zeros(2, 5, dtype=torch.long)
    for row, document in enumerate(documents):
        ids[row, : len(document)] = torch.tensor(ids_of(document))
    method = GradientTimesInput(model)
    found = method.attribute(ids, 1, lengths=torch.tensor([3, 1]))
    assert found.shape == (2, 5)
    torch.testing.assert_close(found[:, :3], method.attribute(documents, 1))
    assert not found[:, 3:].any()
    whole = method.attribute(ids, 1)
    torch.testing.assert_close(whole[0], method.attribute([ids[0]], 1)[0])


@pytest.mark.parametrize("method", [CellDifference, IntegratedGradients])
@pytest.mark.parametrize("classes", [1, 3])
def test_the_delta_is_what_the_sum_misses(method, classes):
    model = model_of(classes=classes, scale=2.0)
    documents = random_documents(5)
    target = None if classes == 1 else 2
    score = method(model)
    found, delta = score.attribute(documents, target, return_convergence_delta=True)
    scores = score.score(documents)
    for k, document in enumerate(scores):
        change = document.logits - document.bias - document.initial
        change = change[1] - change[0] if classes == 1 else change[2]
        torch.testing.assert_close(delta[k], found[k].sum() - change, atol=1e-13, rtol=0)


def test_a_single_logit_needs_no_target():
    model = model_of(classes=1)
    document = ["good", "not", "bad"]
    method = Occlusion(model)
    found = method.attribute([document])
    torch.testing.assert_close(found[0], method.score([document])[0].contrast)


@pytest.mark.parametrize("target", [None, 2, -1, 0.5, "positive", [0], [0, 1, 1], True])
def test_targets_that_are_no_classes_are_refused(target):
    with pytest.raises(UsageError, match="A target is a class index"):
        GradientTimesInput(model_of()).attribute([["good"], ["bad"]], target)


@pytest.mark.parametrize("method", [m for m in ALL if not m.complete])
def test_a_delta_that_does_not_exist_is_refused(method):
    with pytest.raises(NotApplicable, match="no completeness"):
        method(model_of()).attribute([["good"]], 0, return_convergence_delta=True)


def test_lengths_that_do_not_fit_are_refused():
    method = GradientTimesInput(model_of())
    ids = torch.zeros(2, 3, dtype=torch.long)
    for lengths in ([3], [0, 3], [4, 1], [1.0, 2.0]):
        with pytest.raises(DataError, match="one length a row"):
            method.attribute(ids, 0, lengths=lengths)
    with pytest.raises(UsageError, match="padded tensor"):
        method.attribute([["good"]], 0, lengths=[1])
    with pytest.raises(DataError, match="at least one word"):
        method.attribute([[]], 0)


class AfterEmbedding(torch.nn.Module):
    """The classifier from its vectors on, as captum wants it."""

    def __init__(self, module):
        super().__init__()
        self.rnn, self.out = module.rnn, module.out

    def forward(self, vectors):
        outputs, _ = self.rnn(vectors)
        return self.out(outputs[:, -1])


@pytest.fixture
def pair():
    """A classifier for captum, the same as a model, and a batch of word indices."""
    module = random_module(units=6, classes=3, scale=2.0).eval()
    import rnnscope.models as models

    model = models.from_torch(module)
    ids = torch.randint(0, 10, (4, 7), generator=torch.Generator().manual_seed(0))
    return AfterEmbedding(module), module.emb(ids).detach(), model, ids


def captum():
    """The rival, which brings warnings of its own."""
    return pytest.importorskip("captum.attr", reason="captum is not installed")


def test_gradient_times_input_is_captums(pair):
    rival = captum().InputXGradient(pair[0])
    expected = rival.attribute(pair[1].requires_grad_(), target=1).sum(-1).detach()
    found = GradientTimesInput(pair[2]).attribute(pair[3], 1)
    torch.testing.assert_close(found, expected, atol=1e-13, rtol=0)


def test_integrated_gradients_are_captums(pair):
    rival = captum().IntegratedGradients(pair[0])
    expected, rival_delta = rival.attribute(
        pair[1], target=2, n_steps=50, method="gausslegendre", return_convergence_delta=True
    )
    method = IntegratedGradients(pair[2], points=50, tolerance=10.0)
    found, delta = method.attribute(pair[3], 2, return_convergence_delta=True)
    # captum keeps its points and weights in float32.
    torch.testing.assert_close(found, expected.sum(-1).detach(), atol=1e-8, rtol=0)
    torch.testing.assert_close(delta, rival_delta.detach(), atol=1e-8, rtol=0)


def test_occlusion_is_captums(pair):
    rival = captum().Occlusion(pair[0])
    width = pair[1].shape[-1]
    expected = rival.attribute(pair[1], sliding_window_shapes=(1, width), target=0)[..., 0]
    found = Occlusion(pair[2]).attribute(pair[3], 0).float()  # captum answers in float32
    torch.testing.assert_close(found, expected.detach(), atol=1e-6, rtol=0)
