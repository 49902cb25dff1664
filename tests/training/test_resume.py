import json
import os
import signal
import subprocess
import sys
import time

import pytest
from safetensors import safe_open

from rnnscope.errors import TrainingError, UsageError
from rnnscope.training import train
from rnnscope.training.checkpoint import CHECKPOINT
from tests.training.tiny import corpus, options, same_weights, unlearnable


@pytest.fixture(scope="module")
def tiny():
    return corpus()


def epochs_in(folder):
    if not (folder / CHECKPOINT).exists():
        return 0
    with safe_open(folder / CHECKPOINT, framework="pt") as file:
        return json.loads(file.metadata()["progress"])["epoch"]


def losses(model):
    return [(entry["train_loss"], entry["validation_loss"]) for entry in model.record["history"]]


@pytest.mark.parametrize("architecture", ["lstm", "ugrnn", "vanilla"])
def test_two_epochs_and_two_are_four(tmp_path, tiny, architecture):
    chosen = {"architecture": architecture, "patience": 9, "learning_rate": 0.05}
    straight = train(tiny, options(epochs=4, **chosen))
    train(tiny, options(epochs=2, **chosen), directory=tmp_path)
    resumed = train(tiny, options(epochs=4, **chosen), directory=tmp_path)
    assert same_weights(resumed, straight)
    assert losses(resumed) == losses(straight)


def test_more_patience_goes_on(tmp_path):
    noise = unlearnable()
    straight = train(noise, options(epochs=30, patience=3))
    short = train(noise, options(epochs=30, patience=1), directory=tmp_path)
    assert short.record["epochs"] < straight.record["epochs"]
    resumed = train(noise, options(epochs=30, patience=3), directory=tmp_path)
    assert same_weights(resumed, straight)
    assert losses(resumed) == losses(straight)


def test_a_finished_run_is_not_trained_again(tmp_path, tiny):
    model = train(tiny, options(), directory=tmp_path)
    kept = (tmp_path / CHECKPOINT).stat().st_mtime_ns
    assert same_weights(train(tiny, options(), directory=tmp_path), model)
    assert (tmp_path / CHECKPOINT).stat().st_mtime_ns == kept


KILLED = """
import sys
from rnnscope.training import train
from tests.training.tiny import corpus, options
train(corpus(1000), options(epochs=500, patience=500), directory=sys.argv[1])
"""


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        while epochs_in(folder) < 2:
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    reached = epochs_in(folder)
    assert 2 <= reached < 490
    goal = options(epochs=reached + 2, patience=500)
    resumed = train(corpus(1000), goal, directory=folder)
    assert resumed.record["epochs"] == reached + 2
    assert same_weights(resumed, train(corpus(1000), goal))


def test_a_writer_that_dies_leaves_the_old_checkpoint(tmp_path, tiny, monkeypatch):
    train(tiny, options(epochs=1), directory=tmp_path)
    kept = (tmp_path / CHECKPOINT).read_bytes()

    def stop(handle):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rnnscope.storage.os.fsync", stop)
        with pytest.raises(KeyboardInterrupt):
            train(tiny, options(epochs=2), directory=tmp_path)
    assert (tmp_path / CHECKPOINT).read_bytes() == kept
    resumed = train(tiny, options(epochs=2), directory=tmp_path)
    assert same_weights(resumed, train(tiny, options(epochs=2)))
    assert sorted(p.name for p in tmp_path.iterdir()) == [CHECKPOINT, "model"]


def test_a_checkpoint_with_one_bit_changed_is_refused(tmp_path, tiny):
    train(tiny, options(epochs=1), directory=tmp_path)
    data = bytearray((tmp_path / CHECKPOINT).read_bytes())
    data[-5] ^= 1
    (tmp_path / CHECKPOINT).write_bytes(data)
    with pytest.raises(TrainingError, match="not those that were written"):
        train(tiny, options(epochs=2), directory=tmp_path)


def test_a_directory_that_cannot_be_written_is_named_before_any_work(tiny, monkeypatch):
    monkeypatch.setattr("rnnscope.training.trainer.Run", None)
    with pytest.raises(UsageError, match="can be written to"):
        train(tiny, options(epochs=1), directory="/dev/null/x")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 7}, "seed 7 .now. and 0 .then."),
        ({"units": 9}, "units 9 .now. and 8 .then."),
        ({"architecture": "gru"}, "architecture gru .now. and lstm .then."),
    ],
)
def test_a_checkpoint_of_another_run(tmp_path, tiny, changes, named):
    train(tiny, options(), directory=tmp_path)
    kept = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(TrainingError, match=named):
        train(tiny, options(**changes), directory=tmp_path)
    assert (tmp_path / CHECKPOINT).read_bytes() == kept


def test_a_checkpoint_of_other_data(tmp_path, tiny):
    train(tiny, options(), directory=tmp_path)
    kept = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(TrainingError, match="training data"):
        train(corpus(seed=1), options(), directory=tmp_path)
    assert (tmp_path / CHECKPOINT).read_bytes() == kept


def test_a_run_is_not_made_shorter(tmp_path, tiny):
    train(tiny, options(epochs=2), directory=tmp_path)
    with pytest.raises(TrainingError, match="epochs of 2 or more"):
        train(tiny, options(epochs=1), directory=tmp_path)


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "flipped header"])
def test_a_damaged_checkpoint(tmp_path, tiny, damage):
    train(tiny, options(), directory=tmp_path)
    path = tmp_path / CHECKPOINT
    whole = path.read_bytes()
    damaged = {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "text": b"not a checkpoint",
        "flipped header": whole[:20] + bytes([whole[20] ^ 255]) + whole[21:],
    }[damage]
    path.write_bytes(damaged)
    with pytest.raises(TrainingError, match=r"(?s)must be readable.*remove it to start anew"):
        train(tiny, options(epochs=4), directory=tmp_path)
    assert path.read_bytes() == damaged
