"""The command line: one function a command. Results on standard output, progress on standard error.

Exit codes: 0 done, 1 failed on the data or the network, 2 wrong usage.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence

import tyro

from rnnscope.cli.accounts import compare, demo, report, train
from rnnscope.cli.common import METHODS
from rnnscope.cli.dynamics import dynamics
from rnnscope.cli.questions import qa
from rnnscope.cli.questions import run as run_qa
from rnnscope.cli.rules import judge, rules, score
from rnnscope.cli.serve import serve
from rnnscope.cli.study import study
from rnnscope.errors import RnnscopeError, UsageError

__all__ = ["COMMANDS", "METHODS", "main"]

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "train": train,
    "report": report,
    "compare": compare,
    "rules": rules,
    "judge": judge,
    "score": score,
    "dynamics": dynamics,
    "study": study,
    "serve": serve,
    "qa": qa,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. tyro itself exits with 2 on a wrong command line."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A word that the terminal cannot show is written out, not an error.
        sys.stdout.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["qa"]:
            run_qa(given[1:])
            return 0
        tyro.extras.subcommand_cli_from_dict(
            COMMANDS,
            prog="rnnscope",
            description="Reverse engineer a trained recurrent network: the rules it follows and "
            "the dynamical system it runs.",
            args=given,
        )
    except RnnscopeError as error:
        print(f"rnnscope: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print("rnnscope: stopped; what was finished is kept", file=sys.stderr)
        return 1
    except BrokenPipeError:
        if sys.stdout is sys.__stdout__:
            # Who read it is gone; the interpreter, which flushes at its end, should not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"rnnscope: {error}", file=sys.stderr)
        return 1
    return 0
