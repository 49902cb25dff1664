import pytest
import torch

from rnnscope.training.network import CellLayer, Network, Noise
from tests.training.tiny import options


def noise(*, words=0.0, entries=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Noise(words=words, entries=entries, unknown=1, generator=generator)


def test_words_are_dropped_at_their_rate():
    ids = torch.full((300, 100), 7)
    seen = noise(words=0.2).on_words(ids)
    assert set(seen.unique().tolist()) == {1, 7}
    assert (seen == 1).double().mean() == pytest.approx(0.2, abs=0.01)
    assert (ids == 7).all()


def test_entries_are_dropped_at_their_rate_and_keep_the_mean():
    vectors = torch.ones(300, 100)
    seen = noise(entries=0.25).on_entries(vectors)
    assert (seen == 0).double().mean() == pytest.approx(0.25, abs=0.01)
    assert seen.mean() == pytest.approx(1, abs=0.02)
    assert (vectors == 1).all()


def test_no_noise_changes_nothing():
    quiet = noise()
    ids = torch.randint(9, (5, 4))
    assert torch.equal(quiet.on_words(ids), ids)
    assert torch.equal(quiet.on_entries(ids.double()), ids.double())


def test_noise_is_its_seed():
    network = Network(options(), 20, 2)
    ids, lengths = torch.randint(20, (7, 3)), torch.tensor([7, 3, 5])
    first, again, other = (
        network(ids, lengths, noise(words=0.3, entries=0.5, seed=seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_memory_starts_open():
    for architecture, start in (("lstm", 8), ("gru", 8), ("gru_reset_first", 8), ("ugrnn", 0)):
        network = Network(options(architecture=architecture), 20, 2)
        recurrent = network.recurrent
        bias = recurrent.b if isinstance(recurrent, CellLayer) else recurrent.bias_ih_l0
        assert bias[start : start + 8].mean() > 0.5
        assert bias.sum() - bias[start : start + 8].sum() < 4
    V = Network(options(architecture="vanilla"), 20, 2).recurrent.weight_hh_l0
    torch.testing.assert_close(V @ V.mT, torch.eye(8))
