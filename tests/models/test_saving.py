"""Saved models: equal when read again, whole or not at all, and never code."""

from __future__ import annotations

import json

import pytest
import torch

import rnnscope.models as models
from rnnscope.cells import Autodiff
from rnnscope.errors import ModelError, NotApplicable, UsageError
from tests.helpers import WORDS, random_cell, random_documents, random_module


def saved(tmp_path, **shape):
    module = random_module(**shape)
    model = models.from_torch(module, vocabulary=WORDS, classes=())
    model.save(tmp_path / "model")
    return model


@pytest.mark.parametrize(
    "shape",
    [
        {"kind": "lstm"},
        {"kind": "relu", "layers": 2, "bidirectional": True, "classes": 3},
        {"kind": "gru", "classes": 1, "dtype": torch.float32, "pooling": "mean"},
        {"kind": "lstm", "projection": 3, "layers": 2, "bidirectional": True},
    ],
    ids=str,
)
def test_a_model_comes_back_equal(tmp_path, shape):
    model = saved(tmp_path, **shape)
    again = models.load(tmp_path / "model")
    assert again.fingerprint == model.fingerprint
    assert again.describe() == model.describe()
    documents = random_documents()
    assert torch.equal(again.logits(documents), model.logits(documents))
    assert models.load(tmp_path).fingerprint == model.fingerprint


def test_an_initial_state_and_our_own_cells_come_back(tmp_path):
    direction = models.Direction(
        cell=random_cell("ugrnn"), initial=torch.ones(4, dtype=torch.float64)
    )
    model = models.Model(layers=(models.Layer(directions=(direction,)),))
    model.save(tmp_path / "m")
    again = models.load(tmp_path / "m")
    assert again.fingerprint == model.fingerprint
    assert torch.equal(again.layers[0].directions[0].start, direction.start)


def test_saving_again_replaces_the_model_whole(tmp_path):
    saved(tmp_path, seed=0)
    second = saved(tmp_path, seed=1)
    assert models.load(tmp_path / "model").fingerprint == second.fingerprint
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]


def test_a_folder_with_other_things_is_never_written_to(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    model = models.from_torch(random_module(), vocabulary=WORDS)
    with pytest.raises(UsageError, match="nothing was written"):
        model.save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_links_and_odd_paths(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    model = models.from_torch(random_module(), vocabulary=WORDS)
    model.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert models.load(tmp_path / "real").fingerprint == model.fingerprint
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "x", tmp_path / ("n" * 300), "a\0b"):
        with pytest.raises(UsageError, match="can be written"):
            model.save(path)
    with pytest.raises(UsageError):
        models.load("a" * 5000)


def test_a_kill_while_saving_leaves_the_old_model(tmp_path, monkeypatch):
    model = saved(tmp_path)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("rnnscope.storage.put_in_place", killed)
    with pytest.raises(KeyboardInterrupt):
        saved(tmp_path, seed=1)
    assert models.load(tmp_path / "model").fingerprint == model.fingerprint
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]


def damaged(path, change):
    description = json.loads(path.read_text())
    change(description)
    path.write_text(json.dumps(description))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format=99), "format 99"),
        (lambda d: d.update(weights_sha256="0"), "another digest"),
        (lambda d: d.pop("layers"), "KeyError"),
        (lambda d: d["layers"][0][0].update(kind="os.system"), "KeyError"),
        (lambda d: d.update(classes=["only one"]), "one class name per logit"),
        (lambda d: d.update(classes=[1, 2]), "not a string"),
        (lambda d: d.update(record=[]), "not an object"),
    ],
)
def test_damaged_descriptions_are_refused(tmp_path, change, message):
    saved(tmp_path)
    damaged(tmp_path / "model" / "model.json", change)
    with pytest.raises(ModelError, match=message):
        models.load(tmp_path / "model")


def test_truncated_files_are_refused(tmp_path):
    saved(tmp_path)
    for name in ("model.safetensors", "model.json"):
        path = tmp_path / "model" / name
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ModelError):
            models.load(tmp_path / "model")
        path.write_bytes(whole)


def test_a_missing_model_says_what_is_there(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match=r"notes\.txt"):
        models.load(tmp_path)
    with pytest.raises(UsageError, match="nothing there"):
        models.load(tmp_path / "nowhere")


def test_code_is_not_saved(tmp_path):
    cell = Autodiff(function=lambda x, h: torch.tanh(x + h), inputs=3, states=3)
    model = models.Model(layers=(models.Layer(directions=(models.Direction(cell=cell),)),))
    with pytest.raises(NotApplicable, match="holds numbers, not code"):
        model.save(tmp_path / "m")
