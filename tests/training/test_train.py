from dataclasses import replace

import numpy as np
import pytest
import torch

import rnnscope.models as models
from rnnscope.data import Corpus, Vocabulary, pad
from rnnscope.errors import DataError, TrainingError, UsageError
from rnnscope.training import ARCHITECTURES, train
from rnnscope.training.network import TORCH, Network
from rnnscope.training.run import Run
from tests.training.tiny import accuracy, corpus, options, same_weights, unlearnable


@pytest.fixture(scope="module")
def tiny():
    return corpus()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_learns_a_learnable_task(architecture, tiny):
    chosen = options(architecture=architecture, units=12, epochs=15, patience=15)
    model = train(tiny, chosen)
    assert model.architecture.startswith(architecture)
    assert accuracy(model, tiny.split("test")) >= 0.97
    assert (model.certificate is not None) == (architecture in TORCH)
    if model.certificate is not None:
        assert model.certificate.data == "yours"
        assert model.certificate.logits <= 1e-4


def test_three_classes():
    three = corpus(classes=3)
    model = train(three, options(units=12, epochs=15, patience=15))
    assert model.classes == three.classes
    assert not model.require_readout().one_logit
    assert accuracy(model, three.split("test")) >= 0.97


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("classes", [2, 3])
def test_the_model_has_the_logits_of_the_network(architecture, classes):
    known = corpus(60, classes=classes)
    vocabulary = Vocabulary.build(known.documents)
    torch.manual_seed(3)
    network = Network(options(architecture=architecture), len(vocabulary), classes)
    documents = [vocabulary.encode(document) for document in known.documents]
    ids, lengths = pad(documents)
    with torch.no_grad():
        theirs = network(torch.as_tensor(ids.T.copy()), torch.as_tensor(lengths))
    ours = network.export(vocabulary, known.classes, documents[:8]).logits(documents)
    if classes == 2:
        ours, theirs = ours[:, 1] - ours[:, 0], theirs[:, 0]
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_centring_moves_the_mean_word_to_zero_and_no_logit(architecture):
    torch.manual_seed(5)
    network = Network(options(architecture=architecture), 20, 2).double()
    ids, lengths = torch.randint(20, (9, 6)), torch.tensor([9, 1, 4, 5, 9, 2])
    counts = torch.arange(20)
    with torch.no_grad():
        network.embedding.weight += 1
        before = network(ids, lengths)
        network.centre(counts)
        torch.testing.assert_close(network(ids, lengths), before, rtol=1e-10, atol=1e-12)
        mean = counts.double() @ network.embedding.weight / counts.sum()
    assert mean.abs().max() < 1e-12


def test_the_trained_model_reads_the_average_word_at_zero(tiny):
    model = train(tiny, options())
    words = np.concatenate([model.vocabulary.encode(d) for d in tiny.split("train").documents])
    assert model.embedding[words].mean(dim=0).norm() < 1e-5 * len(words) ** 0.5
    assert model.embedding.norm(dim=1).mean() > 0.1


@pytest.mark.parametrize("architecture", ["lstm", "ugrnn"])
def test_padding_and_order_do_not_matter(architecture):
    torch.manual_seed(0)
    network = Network(options(architecture=architecture), 20, 2)
    documents = [torch.randint(20, (length,)).numpy() for length in (3, 11, 1, 7)]

    def logits(order, longest):
        ids, lengths = pad([documents[k] for k in order])
        ids = np.pad(ids, ((0, 0), (0, longest)), constant_values=19)
        with torch.no_grad():
            out = network(torch.as_tensor(ids.T.copy()), torch.as_tensor(lengths))
        return out[np.argsort(order)]

    alone = torch.cat([logits([k], 0) for k in range(4)])
    for order, longest in (([0, 1, 2, 3], 0), ([2, 0, 3, 1], 5)):
        torch.testing.assert_close(logits(order, longest), alone, rtol=1e-5, atol=1e-6)


def test_seeds(tiny):
    first = train(tiny, options(seed=1))
    assert same_weights(first, train(tiny, options(seed=1)))
    assert not same_weights(first, train(tiny, options(seed=2)))


def test_the_kept_weights_are_those_of_the_best_epoch():
    noise = unlearnable()
    model = train(noise, options(epochs=30, patience=2))
    record = model.record
    assert record["best_epoch"] < record["epochs"]
    assert same_weights(model, train(noise, options(epochs=record["best_epoch"], patience=2)))
    best = max(entry["validation_accuracy"] for entry in record["history"])
    assert record["validation_accuracy"] == best == accuracy(model, noise.split("validation"))


def test_patience():
    record = train(unlearnable(), options(epochs=50, patience=2)).record
    assert record["epochs"] == record["best_epoch"] + 2 < 50


@pytest.mark.parametrize("splits", [("train",), ("train", "test"), None])
def test_what_validates_without_a_validation_split(splits, tiny):
    if splits is None:
        given = corpus(splits=False)
    else:
        given = tiny.take(np.isin(tiny.splits, splits))
    record = train(given, options(epochs=1)).record["documents"]
    learnt = len(given) if splits is None else len(given.split("train"))
    assert record["train"] + record["validation"] == learnt
    share = 0.2 if splits is None else 0.1
    assert record["validation"] / learnt == pytest.approx(share, abs=0.02)


def test_saved_and_read_again(tmp_path, tiny):
    model = train(tiny, options(), directory=tmp_path / "run")
    again = models.load(tmp_path / "run")
    assert same_weights(model, again)
    assert again.record == model.record
    assert again.vocabulary == model.vocabulary


def test_the_tokenizer_is_recorded(tiny):
    assert train(tiny, options(epochs=1)).vocabulary.tokenizer == "words"
    cut = tuple(tuple(f"{word.upper()}_" for word in document) for document in tiny.documents)
    other = replace(tiny, documents=cut)
    assert train(other, options(epochs=1)).vocabulary.tokenizer == "custom"


def test_without_labels(tiny):
    with pytest.raises(DataError, match="no labels"):
        train(Corpus(documents=tiny.documents), options())


def test_one_class(tiny):
    alone = replace(tiny, labels=np.zeros(len(tiny), dtype=int), classes=("good",))
    with pytest.raises(DataError, match="two classes"):
        train(alone, options())


def test_a_device_that_is_not_here(tiny):
    with pytest.raises(UsageError, match="cpu"):
        train(tiny, options(device="nowhere"))


def test_a_loss_that_is_not_a_number(tmp_path, tiny, monkeypatch):
    train(tiny, options(epochs=1), directory=tmp_path)
    kept = (tmp_path / "checkpoint.safetensors").read_bytes()
    monkeypatch.setattr(Run, "_loss", lambda self, logits, labels: logits.sum() * float("nan"))
    with pytest.raises(TrainingError, match=r"(?s)nan in epoch 2.*learning_rate \(now 0.02\)"):
        train(tiny, options(epochs=2), directory=tmp_path)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == kept


def test_a_gradient_that_is_not_finite(tiny, monkeypatch):
    monkeypatch.setattr(Run, "_loss", lambda self, logits, labels: (logits * 0).sum().sqrt())
    with pytest.raises(TrainingError, match=r"(?s)gradient.*nan in epoch 1"):
        train(tiny, options())
