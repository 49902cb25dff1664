"""Scores are computed where their model is, and are those of the CPU.

Held on a second device that is pretended, in a process of its own: see ``pretend``. That a GPU's
own arithmetic gives the same is not tested here.
"""

from __future__ import annotations

import pytest

from tests.helpers import run_apart


@pytest.fixture(scope="module")
def found():
    return run_apart("tests.devices.scoring")


def test_the_pretended_device_refuses_what_a_gpu_refuses(found):
    assert "tensors on two devices" in found["mixed"]


def test_every_score_keeps_to_the_device_of_its_model(found):
    assert len(found["scores"]) == 75
    failed = [row for row in found["scores"] if "error" in row]
    assert not failed
    assert all(row["device"] == "pretend" for row in found["scores"])
    assert all(row["result"] == "cpu" for row in found["scores"])
    assert max(row["difference"] for row in found["scores"]) < 1e-12


def test_a_corpus_is_mined_on_the_worker_s_own_device(found):
    """Each shard asks for it once; the phrases are the CPU's, and the model stays where it is."""
    here, there, on_disk = found["mined"]["phrases"]
    assert found["mined"]["asked"] == 6
    assert found["mined"]["model"] == "cpu"
    assert len(here) > 3
    for other in (there, on_disk):
        assert [row[:2] for row in other] == [row[:2] for row in here]
        for a, b in zip(here, other, strict=True):
            assert a[2] == pytest.approx(b[2], rel=1e-9)


def test_a_network_on_another_device_has_the_same_account(found):
    assert found["same"] == {"lstm": [], "gru": []}
