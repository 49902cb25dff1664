"""A study run: every network of the grid on whatever executor there is."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from rnnscope.errors import UsageError
from rnnscope.notebook import ShowsItself
from rnnscope.storage import as_path, require_writable
from rnnscope.study.claim import holder
from rnnscope.study.plan import Study, Task
from rnnscope.study.work import Outcome, failure, missing, work, write_json

DEATHS = 3
"""Times that a network may take its process with it before it counts as failed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyRun(ShowsItself):
    """What one run of a study did.

    Attributes:
        outcomes: one a network, in the order of the grid.
        folder: of the study.
    """

    outcomes: tuple[Outcome, ...]
    folder: Path

    @property
    def counts(self) -> dict[str, int]:
        """Networks by state."""
        states = [one.state for one in self.outcomes]
        return {state: states.count(state) for state in ("finished", "failed", "held")}

    @property
    def done(self) -> bool:
        """Whether every network is finished."""
        return self.counts["finished"] == len(self.outcomes)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count)
        failed = [f"  {one.folder}: {one.reason}" for one in self.outcomes if one.state == "failed"]
        return "\n".join([f"{len(self.outcomes)} networks: {counts}", *failed])


def run_study(
    study: Study,
    folder: str | Path,
    *,
    executor: Executor | None = None,
    workers: int = 1,
    retry_failed: bool = False,
    device: str | None = None,
    progress: bool = False,
) -> StudyRun:
    """Train and measure every network of a study that is not finished yet.

    Finished parts are skipped, a killed network goes on from its last checkpoint, one that fails
    says why and stops no other. Several processes, on several machines that share the folder, may
    run one study at once: each network is one's only.

    Args:
        study: the grid.
        folder: where everything goes.
        executor: any ``concurrent.futures.Executor``, such as a Dask client's
            (``client.get_executor()``), whose workers see the folder under the same path; it is
            not shut down. A process pool must start its processes by "spawn": forked ones may
            hang in locks of their parent. Threads take turns. Local processes when None.
        workers: how many of those.
        retry_failed: also networks that failed before.
        device: where networks are trained, as torch names it; a GPU where the worker has one and
            the study's training options name no device. They are measured on the CPU, in float64.
        progress: a bar on standard error.

    Raises:
        UsageError: a folder that is a file, or fewer workers than one.
    """
    root = as_path(folder).resolve()
    if root.exists() and not root.is_dir():
        raise UsageError("A study is kept in a folder.", expected="a folder", got=f"{root}, a file")
    if not isinstance(workers, int) or workers < 1:
        raise UsageError("A study is run by workers.", expected="1 or more", got=repr(workers))
    if executor is not None:
        _check_executor(executor)
    require_writable(root)
    tasks = study.tasks
    write_json(root / "study.json", {"name": study.name, "networks": [t.folder for t in tasks]})
    with tqdm(total=len(tasks), disable=not progress, unit="network") as bar:

        def tell(outcome: Outcome) -> None:
            bar.set_postfix_str(f"{outcome.folder}: {outcome.state}"[:60])
            bar.update()

        if executor is None and workers == 1:
            found: dict[int, Outcome] = {}
            for k, task in enumerate(tasks):
                found[k] = work(task, root, retry=retry_failed, device=device)
                tell(found[k])
        else:
            found = _spread(
                tasks, root, executor, workers, {"retry": retry_failed, "device": device}, tell
            )
    return StudyRun(outcomes=tuple(found[k] for k in range(len(tasks))), folder=root)


def study_status(study: Study, folder: str | Path) -> list[dict[str, Any]]:
    """Every network's state: finished, failed, running, begun or waiting; what is missing and why.

    Raises:
        nothing: what is not there is waiting.
    """
    root = as_path(folder)
    rows = []
    for task in study.tasks:
        own = root / task.folder
        left, why, who = missing(task, root), failure(own), holder(own)
        state = "waiting" if not own.exists() else "begun"
        if not left:
            state = "finished"
        elif who is not None:
            state = "running"
        elif why is not None:
            state = "failed"
        rows.append(
            {
                "network": str(task),
                "folder": task.folder,
                "state": state,
                "missing": left,
                "reason": why or "",
                "by": who or "",
            }
        )
    return rows


def _spread(
    tasks: tuple[Task, ...],
    root: Path,
    executor: Executor | None,
    workers: int,
    options: dict[str, Any],
    tell: Any,
) -> dict[int, Outcome]:
    """On an executor; a pool of our own that a network has broken is made anew."""
    found: dict[int, Outcome] = {}
    deaths = [0] * len(tasks)
    while len(found) < len(tasks):
        with nullcontext(executor) if executor is not None else _pool(workers) as pool:
            pending: dict[Future[Outcome], int] = {
                pool.submit(work, task, root, **options): k
                for k, task in enumerate(tasks)
                if k not in found
            }
            broken: list[int] = []
            for future in as_completed(pending):
                k = pending[future]
                try:
                    found[k] = future.result()
                except BrokenProcessPool:
                    broken.append(k)
                    continue
                tell(found[k])
        if not broken:
            break
        # Of those whose process died only the one that was being worked on is to blame.
        for k in broken:
            if (root / tasks[k].folder / "claim.json").exists():
                deaths[k] += 1
            if deaths[k] >= DEATHS:
                reason = f"its process died {DEATHS} times, as for want of memory"
                write_json(root / tasks[k].folder / "failed.json", {"reason": reason, "did": []})
                found[k] = Outcome(
                    folder=tasks[k].folder, state="failed", did=(), seconds=0.0, reason=reason
                )
                tell(found[k])
    return found


def _check_executor(pool: Any) -> None:
    """An executor has ``submit``.

    Raises:
        UsageError: it has not.
    """
    if not hasattr(pool, "submit"):
        raise UsageError(
            "A study runs on an executor.",
            expected="a concurrent.futures.Executor, such as client.get_executor() of Dask",
            got=type(pool).__name__,
        )


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes, one thread each: networks share a machine better than matrix products do."""
    context = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // workers)
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_threads, initargs=(threads,)
    ) as pool:
        yield pool


def _threads(count: int) -> None:
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(count)
    threadpool_limits(count)
