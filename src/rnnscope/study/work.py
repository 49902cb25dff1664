"""One network of a study: trained, saved, measured, each part once.

Its folder holds

settings.json       everything that decides what it is
training/           the trainer's checkpoints and the model, until it is finished
model/              the model
ANALYSIS-HASH.json  each analysis
report.html         the account's page
parts/              the account's parts, until it is finished
log.txt             what was done, and when
failed.json         why it went no further, if it failed

A file is there whole or not at all, so what is there is done. A killed process leaves a checkpoint,
or the parts of an account, that the next one goes on from.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnnscope.data import Corpus
from rnnscope.errors import NotApplicable
from rnnscope.models import Model, load
from rnnscope.storage import new_file
from rnnscope.study.analyses import RUN
from rnnscope.study.claim import claimed
from rnnscope.study.devices import gpu
from rnnscope.study.plan import Task
from rnnscope.training import TrainingOptions, train

ONE_AT_A_TIME = threading.Lock()
"""Threads of one process take turns: torch's random state and number of threads are the process's,
and a network trained beside another would not be the one that its seed gives."""

DEVICE = TrainingOptions().device
"""Of training options that name none."""

FAILED, LOG, SETTINGS = "failed.json", "log.txt", "settings.json"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one network in one run of the study.

    Attributes:
        folder: its folder's name.
        state: "finished", "failed" or "held" (by another process).
        did: the parts that this run did: "model" and names of analyses.
        seconds: it took.
        reason: why it failed; else "".
    """

    folder: str
    state: str
    did: tuple[str, ...]
    seconds: float
    reason: str = ""


def missing(task: Task, root: Path) -> list[str]:
    """The parts of a network that are not there yet."""
    folder = root / task.folder
    parts = [] if (folder / "model" / "model.json").exists() else ["model"]
    return parts + [name for name in task.analyses if not (folder / task.file(name)).exists()]


def work(task: Task, root: Path, *, retry: bool = False, device: str | None = None) -> Outcome:
    """Do what is missing of one network, if nobody else does.

    Args:
        root: the study's folder.
        retry: also if it failed before.
        device: where to train; None for a GPU where there is one.

    Raises:
        nothing that the network or its data cause: they make it ``failed``.
    """
    started = time.perf_counter()
    folder = root / task.folder
    folder.mkdir(parents=True, exist_ok=True)
    did: list[str] = []

    def outcome(state: str, reason: str = "") -> Outcome:
        seconds = time.perf_counter() - started
        return Outcome(
            folder=task.folder, state=state, did=tuple(did), seconds=seconds, reason=reason
        )

    with ONE_AT_A_TIME, claimed(folder) as mine:
        if not mine:
            return outcome("held")
        if not missing(task, root):
            (folder / FAILED).unlink(missing_ok=True)
            return outcome("finished")
        known = failure(folder)
        if known is not None and not retry:
            return outcome("failed", known)
        say = _logger(folder)
        say(f"begun by process {os.getpid()} on {socket.gethostname()}: {task}")
        write_json(folder / SETTINGS, task.settings)
        try:
            _do(task, folder, did, say, device)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            say(f"failed: {reason}\n{traceback.format_exc()}")
            write_json(folder / FAILED, {"reason": reason, "did": did})
            return outcome("failed", reason)
        (folder / FAILED).unlink(missing_ok=True)
        say("finished")
        return outcome("finished")


def failure(folder: Path) -> str | None:
    """Why a network failed; None where it did not."""
    try:
        return str(json.loads((folder / FAILED).read_text(encoding="utf-8"))["reason"])
    except (OSError, ValueError, KeyError):
        return None


def _do(
    task: Task,
    folder: Path,
    did: list[str],
    say: Callable[[str], None],
    device: str | None,
) -> None:
    corpus = task.data.load()
    parts = missing(task, folder.parent)
    if "model" in parts:
        model = _train(task, folder, corpus, say, device)
        did.append("model")
    else:
        model = load(folder / "model")
    for name in parts:
        if name == "model":
            continue
        begun = time.perf_counter()
        try:
            found = RUN[name](model, corpus, task.analyses[name], folder)
        except NotApplicable as error:
            found = {"not_applied": str(error)}
        seconds = time.perf_counter() - begun
        contents = {"options": task.analyses[name], "seconds": seconds, "result": found}
        write_json(folder / task.file(name), contents)
        did.append(name)
        say(f"{name}: {seconds:.1f} s")


def _train(
    task: Task, folder: Path, corpus: Corpus, say: Callable[[str], None], device: str | None
) -> Model:
    begun = time.perf_counter()
    run = folder / "training"
    options = replace(task.training, device=device or _device(task.training.device))
    model = train(corpus, options, directory=run)
    # The trainer's own folder may hold half a model after a kill; a renamed one is whole.
    (run / "model").rename(folder / "model")
    shutil.rmtree(run)
    say(f"trained on {options.device}: {time.perf_counter() - begun:.1f} s")
    return model


def _device(named: str) -> str:
    """A GPU where there is one, and the study names no device."""
    return (gpu() if named == DEVICE else None) or named


def write_json(path: Path, contents: Any) -> None:
    """Whole or not at all."""
    text = json.dumps(contents, indent=1, ensure_ascii=False, allow_nan=False, default=str)
    new_file(path, text, errors="backslashreplace")


def _logger(folder: Path) -> Callable[[str], None]:
    def say(what: str) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        with (folder / LOG).open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{stamp}  {what}\n")

    return say
