"""``rnnscope study``: many networks side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from rnnscope.cli.common import (
    Flag,
    Json,
    Where,
    print_json,
    say,
)
from rnnscope.errors import DataError
from rnnscope.study import Study, run_study, save_study, study_status


def study(
    file: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="FILE.toml")]],
    folder: Where | None = None,
    workers: int = 1,
    only: Literal["all", "status", "tables"] = "all",
    retry_failed: Flag = False,
    device: str | None = None,
    as_json: Json = False,
) -> None:
    """Train and measure a grid of networks, then write its tables, figures and page.

    What is finished is skipped and what was killed goes on, so run it again until all is done.
    Several processes may run one study at once.

    Example: rnnscope study studies/small.toml --workers 2

    Args:
        file: the grid, as TOML.
        folder: where everything goes; runs/NAME by default.
        workers: local processes.
        only: "status" to see how far it is, "tables" to write what is finished.
        retry_failed: also networks that failed before.
        device: where to train; a GPU if there is one.
        as_json: print as JSON.
    """
    grid = Study.read(file)
    root = folder or Path("runs") / grid.name
    if only == "all":
        done = run_study(
            grid,
            root,
            workers=workers,
            retry_failed=retry_failed,
            device=device,
            progress=not as_json,
        )
        say(repr(done))
    status = study_status(grid, root)
    if only == "status":
        if as_json:
            print_json(status)
            return
        for row in status:
            why = row["reason"].splitlines()[0] if row["reason"] else row["by"]
            print(f"{row['state']:9} {row['network']}" + (f": {why}" if why else ""))
        return
    written = save_study(grid, root)
    if as_json:
        print_json({"networks": status, "written": [str(path) for path in written]})
    else:
        print((root / "tables" / "tables.md").read_text(encoding="utf-8"))
        print(f"page: {written[0]}")
    failed = [row for row in status if row["state"] == "failed"]
    if failed and only == "all":
        raise DataError(
            "Not every network of the study could be finished.",
            got=f"{len(failed)} that failed: {failed[0]['network']}: {failed[0]['reason']}",
            fix="see --only status, and log.txt in the folder of each",
        )
