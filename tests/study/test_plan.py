"""What a study is, and what decides the name of a network's folder."""

from __future__ import annotations

import json

import pytest

from rnnscope.errors import DataError, UsageError
from rnnscope.study import Study
from tests.study.grids import small, write_reviews


def test_the_grid_is_the_product_of_its_axes(tmp_path):
    study = small(tmp_path, units=[4, 5], seeds=[0, 1, 2])
    assert len(study.tasks) == 2 * 2 * 3
    assert len({task.folder for task in study.tasks}) == 12
    assert study.tasks[0].training.architecture == "vanilla"


def test_a_folder_is_named_by_what_decides_the_network_and_nothing_else(tmp_path):
    study = small(tmp_path)
    names = [task.folder for task in study.tasks]
    assert names == [task.folder for task in small(tmp_path).tasks]
    # An analysis, the study's name and other networks are no part of it.
    other = small(tmp_path, analyses={"accuracy": {}}, name="other", seeds=[1])
    assert {task.folder for task in other.tasks} <= set(names)
    # An option of the trainer and the data are.
    changed = small(tmp_path, training={"embedding": 7, "epochs": 2, "min_count": 1})
    assert not {task.folder for task in changed.tasks} & set(names)
    write_reviews(tmp_path, 121)
    assert not {task.folder for task in Study.of(_table(tmp_path)).tasks} & set(names)


def _table(folder):
    return {
        "data": {"reviews": {"source": str(folder / "reviews.jsonl"), "classes": ["n", "p"]}},
        "architectures": ["vanilla", "gru"],
        "units": [5],
        "seeds": [0, 1],
        "training": {"embedding": 6, "epochs": 2, "min_count": 1},
    }


def test_a_moved_data_set_is_the_same_data_set(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a, b = small(tmp_path / "a"), small(tmp_path / "b")
    assert [task.folder for task in a.tasks] == [task.folder for task in b.tasks]


def test_an_analysis_is_named_by_its_options(tmp_path):
    one = small(tmp_path, analyses={"methods": {}}).tasks[0]
    two = small(tmp_path, analyses={"methods": {"max_rules": 10}}).tasks[0]
    assert one.folder == two.folder
    assert one.file("methods") != two.file("methods")


def test_options_for_one_cell_or_data_set(tmp_path):
    study = small(tmp_path, by_architecture={"gru": {"dropout": 0.1}})
    by_cell = {task.training.architecture: task.training.dropout for task in study.tasks}
    assert by_cell["gru"] == 0.1
    assert by_cell["vanilla"] != 0.1


def test_a_study_is_read_from_toml_with_paths_beside_it(tmp_path):
    write_reviews(tmp_path)
    file = tmp_path / "study.toml"
    file.write_text(
        'name = "x"\narchitectures = ["lstm"]\nunits = [4]\nseeds = [0]\n'
        '[data.reviews]\nsource = "reviews.jsonl"\n[analyses.accuracy]\n'
    )
    study = Study.read(file)
    assert study.data[0].source == str(tmp_path / "reviews.jsonl")
    assert len(study.data[0].load()) == 120


def test_splits_from_files_of_their_own_labels_dropped_and_documents_cut(tmp_path):
    rows = [{"text": f"word{k} and more words", "label": k % 3 - 1} for k in range(30)]
    for name in ("train", "test"):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    table = {
        "train": str(tmp_path / "train.jsonl"),
        "test": str(tmp_path / "test.jsonl"),
        "drop": [-1],
        "limit": 15,
        "longest": 2,
    }
    corpus = Study.of({"data": {"d": table}}).data[0].load()
    assert len(corpus.split("train")) == 15
    assert len(corpus.split("test")) == 15
    assert set(corpus.labels.tolist()) == {0, 1}
    assert set(corpus.documents) == {("more", "words")}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"architectures": []}, "one value or more"),
        ({"seeds": [0, 0]}, "each once"),
        ({"architectures": ["transformer"]}, "architecture"),
        ({"analyses": {"magic": {}}}, "analysis must be known"),
        ({"analyses": {"account": {"magic": 1}}}, "no such option"),
        ({"training": {"seed": 3}}, "grid sets"),
        ({"by_data": {"other": {}}}, "one of the data"),
        ({"magic": 1}, "no such entry"),
        ({"data": {}}, "names its data sets"),
        ({"data": {"x": {"source": "a.csv", "magic": 1}}}, "no such option"),
        ({"data": {"x": {}}}, "from one source"),
        ({"data": {"x": {"train": "a.csv"}}}, "test documents"),
        ({"data": {"../x": {"source": "a.csv"}}}, "name that a file can have"),
        ({"data": {"x": {"source": "a.csv", "limit": 0}}}, "whole number"),
    ],
)
def test_what_is_no_study(tmp_path, changes, match):
    with pytest.raises(UsageError, match=match):
        small(tmp_path, **changes)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="TOML file"):
        Study.read(tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("name = [")
    with pytest.raises(DataError, match="TOML"):
        Study.read(bad)
