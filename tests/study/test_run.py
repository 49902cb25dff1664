"""A study is finished whatever happens to it: killed, broken, run twice at once, on a cluster."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnscope.cells import Vanilla
from rnnscope.data import Corpus, Vocabulary
from rnnscope.errors import TrainingError, UsageError
from rnnscope.models import Direction, Layer, Model, Readout, load
from rnnscope.study import StudyTables, run_study, save_study, study_status, study_tables
from rnnscope.study import work as working
from rnnscope.study.analyses import left_alone
from tests.helpers import stopped_after
from tests.study.grids import small

QUICK = {"points": 12, "examples": 3, "min_count": 2}


def stamps(root):
    """Every finished file and when it was written."""
    return {
        path.relative_to(root): path.stat().st_mtime_ns
        for path in Path(root).rglob("*")
        if path.is_file() and path.name != "study.json"
    }


def test_a_study_is_done_once(tmp_path):
    study = small(tmp_path)
    root = tmp_path / "out"
    run = run_study(study, root)
    assert run.done
    assert "4 finished" in repr(run)
    assert all(one.did == ("model", "accuracy", "methods") for one in run.outcomes)
    before = stamps(root)
    again = run_study(study, root)
    assert again.done
    assert all(one.did == () for one in again.outcomes)
    assert stamps(root) == before
    folder = root / study.tasks[0].folder
    assert load(folder / "model").classes == ("negative", "positive")
    assert not (folder / "training").exists()
    assert not (folder / "claim.json").exists()
    log = (folder / "log.txt").read_text()
    assert "trained" in log
    assert "finished" in log


def test_a_new_analysis_trains_nothing(tmp_path):
    root = tmp_path / "out"
    run_study(small(tmp_path, analyses={"accuracy": {}}), root)
    more = run_study(small(tmp_path, analyses={"accuracy": {}, "methods": {"max_rules": 3}}), root)
    assert all(one.did == ("methods",) for one in more.outcomes)


def test_a_network_that_fails_says_why_and_stops_no_other(tmp_path, monkeypatch):
    study = small(tmp_path)
    real = working.train

    def train(corpus, options, **keywords):
        if options.architecture == "gru" and options.seed == 0:
            raise TrainingError("The loss is not a number.")
        return real(corpus, options, **keywords)

    monkeypatch.setattr(working, "train", train)
    root = tmp_path / "out"
    run = run_study(study, root)
    assert run.counts == {"finished": 3, "failed": 1, "held": 0}
    status = [row for row in study_status(study, root) if row["state"] == "failed"]
    assert len(status) == 1
    assert "not a number" in status[0]["reason"]
    # It is not tried again unless asked to, and then it may succeed.
    monkeypatch.undo()
    assert run_study(study, root).counts["failed"] == 1
    assert run_study(study, root, retry_failed=True).done


def processes(count):
    # Forked ones may hang in what their parent's threads held, as polars' do.
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, processes])
def test_any_executor_gives_the_same(tmp_path, pool):
    study = small(tmp_path)
    alone = run_study(study, tmp_path / "alone")
    with pool(2) as executor:
        spread = run_study(study, tmp_path / "spread", executor=executor)
    assert spread.done
    for task, one in zip(study.tasks, alone.outcomes, strict=True):
        for name in task.analyses:
            contents = [
                json.loads((tmp_path / where / one.folder / task.file(name)).read_text())["result"]
                for where in ("alone", "spread")
            ]
            assert _timeless(contents[0]) == _timeless(contents[1])


def _timeless(value):
    if isinstance(value, dict):
        timed = ("seconds", "words_per_second")
        return {key: _timeless(one) for key, one in value.items() if key not in timed}
    return [_timeless(one) for one in value] if isinstance(value, list) else value


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
from rnnscope.study import run_study
from tests.study.grids import small
folder = Path(sys.argv[1])
run = run_study(small(folder, training={training!r}), folder / "out")
print(run.counts)
"""


def script(training):
    here = str(Path(__file__).resolve().parents[2])
    return SCRIPT.format(here=here, training=training)


def start(folder, training):
    return subprocess.Popen(
        [sys.executable, "-c", script(training), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_share_a_study(tmp_path):
    training = {"embedding": 6, "epochs": 20, "patience": 20, "min_count": 1}
    both = [start(tmp_path, training) for _ in range(2)]
    told = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    study = small(tmp_path, training=training)
    for task in study.tasks:
        log = (tmp_path / "out" / task.folder / "log.txt").read_text()
        # No network was trained twice.
        assert log.count("trained on") == 1
        assert log.count("accuracy:") == 1
    assert run_study(study, tmp_path / "out").done


def test_a_killed_study_goes_on_where_it_was(tmp_path):
    training = {"embedding": 6, "epochs": 400, "patience": 400, "min_count": 1}
    process = start(tmp_path, training)
    root = tmp_path / "out"
    deadline = time.monotonic() + 120
    while not list(root.glob("*/training/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert list(root.glob("*/claim.json"))
    training_again = training | {"epochs": 3, "patience": 3}
    del training_again
    study = small(tmp_path, training=training, architectures=["vanilla"], seeds=[0])
    finished = set(root.glob("*/model"))
    before = {path: path.stat().st_mtime_ns for path in finished}
    assert run_study(study, root).done
    # Nothing that was finished is done again.
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())


def test_a_network_stopped_within_its_account_goes_on_there(tmp_path, monkeypatch):
    study = small(tmp_path, architectures=("lstm",), seeds=(0,), analyses={"account": QUICK})
    run_study(study, tmp_path / "whole")
    names = stopped_after(monkeypatch, 6, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run_study(study, tmp_path / "out")
    (folder,) = (tmp_path / "out").glob("*/parts")
    assert len(list(folder.glob("*/*/result.json"))) == 6
    assert run_study(study, tmp_path / "out").done
    assert len(set(names)) == len(names) > 6, "a part was made twice"
    assert not folder.exists()
    task = study.tasks[0]
    told = [
        json.loads((tmp_path / root / task.folder / task.file("account")).read_text())["result"]
        for root in ("whole", "out")
    ]
    assert told[0]["verdict"] == told[1]["verdict"]
    assert told[0]["dynamics"] == told[1]["dynamics"]
    assert told[0]["rules"] == told[1]["rules"]


def test_a_cluster_loses_a_worker_and_nothing_else(tmp_path):
    distributed = pytest.importorskip("distributed")
    study = small(tmp_path, training={"embedding": 6, "epochs": 60, "patience": 60, "min_count": 1})
    root = tmp_path / "out"
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        workers = [worker["pid"] for worker in _processes(client)]
        with ThreadPoolExecutor(1) as beside:
            running = beside.submit(run_study, study, root, executor=client.get_executor())
            deadline = time.monotonic() + 60
            while not list(root.glob("*/claim.json")) and time.monotonic() < deadline:
                time.sleep(0.02)
            os.kill(workers[0], signal.SIGKILL)
            run = running.result(timeout=200)
    assert run.counts["failed"] == 0
    # What a dead worker held may be left for the next run, never lost or done twice.
    assert run_study(study, root).done
    for task in study.tasks:
        assert (root / task.folder / "log.txt").read_text().count("trained on") == 1


def _processes(client):
    return [{"pid": pid} for pid in client.run(os.getpid).values()]


def test_tables_figures_and_the_page(tmp_path):
    analyses = {"accuracy": {}, "methods": {}, "account": {"points": 20}, "approximation": {}}
    study = small(tmp_path, analyses=analyses | {"long_run": {"count": 16}})
    root = tmp_path / "out"
    nothing = study_tables(study, root)
    assert nothing.networks == ()
    assert len(nothing.unfinished) == 4
    run_study(study, root)
    tables = study_tables(study, root)
    assert len(tables.networks) == 4
    assert len(tables.methods) >= 8
    accuracy = [row["accuracy"] for row in tables.networks if row["architecture"] == "gru"]
    shown = tables.accuracies()[0]["gru"]
    assert shown.startswith(f"{sum(accuracy) / 2:.3g}")
    written = save_study(study, root)
    assert all(path.stat().st_size for path in written)
    page = written[0].read_text()
    assert "<script" not in page
    assert "report.html" in page
    for name in ("networks.csv", "accuracies.csv", "long_runs.csv", "fates.csv", "tables.md"):
        assert root / "tables" / name in written
    for name in ("accuracies", "findings", "variance", "time_constants", "one_step", "rules"):
        assert root / "figures" / f"{name}.svg" in written
        assert f"study-{name}" in page


def test_differences_are_within_networks_with_an_interval_over_seeds():
    key = {"data": "d", "architecture": "gru", "units": 4}
    networks = [
        key | {"seed": seed, "accuracy": 0.8 + seed / 100, "bag_of_words": 0.75}
        for seed in range(3)
    ]
    methods = [
        key | {"seed": seed, "method": method, "accuracy": value + seed / 100}
        for seed in range(3)
        for method, value in (("gamma", 0.7), ("beta", 0.6))
    ]
    tables = StudyTables(
        networks=tuple(networks), predictions=(), methods=tuple(methods), unfinished=()
    )
    row = tables.differences()[0]
    # Mean .06, standard deviation .01, three seeds: Student's 4.303 / sqrt(3) times .01.
    assert row["network - bag of words"] == "+0.060 [+0.035, +0.085], 3 of 3"
    assert row["gamma - beta"] == "+0.100 [+0.100, +0.100], 3 of 3"
    assert row["beta - gradient"] == ""


def test_a_network_that_oscillates_is_seen_to():
    """h -> tanh(-1.5 h) ends in a cycle of two steps from everywhere but 0; h -> tanh(.9 h) rests,
    and its slowest mode does not turn."""
    fates = {}
    for weight in (-1.5, 0.9):
        cell = Vanilla(W=torch.eye(2), V=weight * torch.eye(2), b=torch.zeros(2))
        words = ("<unk>", "up", "down")
        model = Model(
            layers=(Layer(directions=(Direction(cell=cell),)),),
            embedding=torch.tensor([[0.0, 0.0], [0.5, 0.2], [-0.5, 0.1]]),
            vocabulary=Vocabulary(words=words),
            readout=Readout.of(torch.eye(2)),
            classes=("a", "b"),
        )
        texts = [["up", "down"], ["up", "up"], ["down", "down"], ["down", "up"]] * 5
        corpus = Corpus(
            documents=tuple(map(tuple, texts)),
            labels=np.array([0, 1] * 10),
            classes=("a", "b"),
            splits=np.array(["test"] * 20),
        )
        fates[weight] = left_alone(model, corpus, {"count": 20}, Path())
    assert fates[-1.5]["run"]["fates"]["cycle"] == 20
    assert {one["period"] for one in fates[-1.5]["run"]["attractors"]} == {2}
    assert fates[-1.5]["turning"] == 1
    assert fates[-1.5]["period"] == 2
    assert fates[0.9]["run"]["fates"]["rest"] == 20
    assert fates[0.9]["turning"] == 0
    assert fates[0.9]["period"] is None


def test_a_study_trains_where_it_is_told_to(tmp_path):
    study = small(tmp_path, architectures=["gru"], seeds=[0], analyses={"accuracy": {}})
    failed = run_study(study, tmp_path / "out", device="nowhere")
    assert "device must be one" in failed.outcomes[0].reason
    assert run_study(study, tmp_path / "out", device="cpu", retry_failed=True).done


def test_before_anything_is_finished_the_page_says_so(tmp_path):
    study = small(tmp_path)
    (tmp_path / "out").mkdir()
    page = save_study(study, tmp_path / "out")[0].read_text()
    assert "No network is finished yet" in page


def test_a_hostile_name_is_escaped(tmp_path):
    study = small(tmp_path, name="<script>alert(1)</script>")
    (tmp_path / "out").mkdir()
    assert "<script" not in save_study(study, tmp_path / "out")[0].read_text()


def test_wrong_use(tmp_path):
    study = small(tmp_path)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="folder"):
        run_study(study, file)
    with pytest.raises(UsageError, match="workers"):
        run_study(study, tmp_path / "out", workers=0)
    with pytest.raises(UsageError, match="executor"):
        run_study(study, tmp_path / "out", executor="many")
