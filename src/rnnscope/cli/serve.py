"""``rnnscope serve``: the explorer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from rnnscope.cli.common import Flag, Json, print_json, say
from rnnscope.errors import UsageError
from rnnscope.explorer import open_run
from rnnscope.explorer import serve as serve_exhibits
from rnnscope.explorer.serving import check_host, check_installed

Runs = Annotated[tuple[Path, ...], tyro.conf.arg(metavar="RUN [RUN]")]


def serve(
    runs: tyro.conf.Positional[Runs],
    host: str = "127.0.0.1",
    port: int = 8765,
    token: str | None = None,
    open: Flag = False,
    data: Annotated[str | None, tyro.conf.arg(metavar="FILE|NAME")] = None,
    dynamics_data: Annotated[str | None, tyro.conf.arg(metavar="FILE|NAME")] = None,
    text: str = "text",
    label: str | None = None,
    as_json: Json = False,
) -> None:
    """Type a sentence in the browser and watch a network decide; two runs are compared.

    What a run lacks, its rules and fixed points, is computed at the first start and kept in its
    folder's "explorer". Stop with Ctrl-C.

    Example: rnnscope serve runs/demo --open

    Args:
        runs: one folder that demo or train wrote, or two to compare.
        host: what to listen on; only this machine by default, others only with --token.
        port: the port; 0 for any that is free.
        token: what a browser must bring, 16 letters and digits or more; it is part of the address
            that is printed.
        open: open the page in the browser.
        data: a file or an embedded set to search, and to mine rules from; by default the embedded
            set that the run was explained, or trained, on.
        dynamics_data: text whose states fixed points are sought from; by default likewise.
        text: the column of texts.
        label: the column of labels.
        as_json: print the address as JSON.
    """
    # Before minutes of work.
    if not 1 <= len(runs) <= 2:
        raise UsageError(
            "One run is explored, or two are compared.", expected="1 or 2", got=str(len(runs))
        )
    if not 0 <= port < 2**16:
        raise UsageError("A port is a number.", expected="0 to 65535", got=str(port))
    check_installed()
    check_host(host, token)
    exhibits = [
        open_run(run, data=data, dynamics_data=dynamics_data, text=text, label=label, say=say)
        for run in runs
    ]

    def tell(url: str) -> None:
        if as_json:
            print_json({"url": url})
        else:
            print(f"explorer: {url}", flush=True)

    serve_exhibits(exhibits, host=host, port=port, token=token, open_browser=open, say=tell)
