"""One process works on a folder, and a dead one's claim is taken over."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from rnnscope.study import claim
from rnnscope.study.claim import claimed, holder


def test_a_folder_is_held_once_and_then_free(tmp_path):
    with claimed(tmp_path) as mine:
        assert mine
        assert str(os.getpid()) in holder(tmp_path)
        with claimed(tmp_path) as second:
            assert not second
        # The one that did not get it leaves it held.
        assert holder(tmp_path) is not None
    assert holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    with claimed(tmp_path) as again:
        assert again


def test_of_many_that_try_at_once_one_gets_it(tmp_path):
    def attempt(_):
        with claimed(tmp_path) as mine:
            time.sleep(0.2)
            return mine

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def write_claim(folder, process, machine, age=0.0):
    path = folder / claim.NAME
    path.write_text(json.dumps({"process": process, "machine": machine, "token": "old"}))
    old = time.time() - age
    os.utime(path, (old, old))


def dead_process():
    child = multiprocessing.get_context("spawn").Process(target=int)
    child.start()
    child.join()
    return child.pid


def test_a_dead_process_claim_is_taken_over_by_one(tmp_path):
    write_claim(tmp_path, dead_process(), socket.gethostname())
    assert holder(tmp_path) is None

    def attempt(_):
        with claimed(tmp_path) as mine:
            time.sleep(0.2)
            return mine

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert list(tmp_path.iterdir()) == []


def test_another_machine_is_believed_until_it_is_silent_for_long(tmp_path):
    write_claim(tmp_path, 1, "elsewhere", age=claim.STALE / 2)
    with claimed(tmp_path) as mine:
        assert not mine
    write_claim(tmp_path, 1, "elsewhere", age=2 * claim.STALE)
    with claimed(tmp_path) as mine:
        assert mine


def test_a_claim_is_touched_while_it_is_held(tmp_path, monkeypatch):
    monkeypatch.setattr(claim, "BEAT", 0.05)
    with claimed(tmp_path):
        path = tmp_path / claim.NAME
        os.utime(path, (1, 1))
        time.sleep(0.3)
        assert path.stat().st_mtime > 1


def test_a_claim_that_is_no_json_is_stale_only_by_age(tmp_path):
    (tmp_path / claim.NAME).write_text("nonsense")
    with claimed(tmp_path) as mine:
        assert not mine
    os.utime(tmp_path / claim.NAME, (1, 1))
    with claimed(tmp_path) as mine:
        assert mine
