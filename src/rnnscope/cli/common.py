"""What every command shares: kinds of arguments, and where results and progress go."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from rnnscope.account import Account
from rnnscope.account.material import Material
from rnnscope.account.private import SUPPORT
from rnnscope.models import Model
from rnnscope.scores import (
    CellDecomposition,
    CellDifference,
    ContextualDecomposition,
    GradientTimesInput,
    IntegratedGradients,
    LeaveOneOut,
    Occlusion,
    Score,
)

DEMO = Path("runs/demo")

MemoryMethod = Literal["beta", "gamma"]
Method = Literal[
    "beta",
    "gamma",
    "gradient-x-input",
    "integrated-gradients",
    "occlusion",
    "leave-one-out",
    "contextual-decomposition",
]
METHODS: dict[str, Callable[[Model], Score]] = {
    "beta": CellDifference,
    "gamma": CellDecomposition,
    "gradient-x-input": GradientTimesInput,
    "integrated-gradients": IntegratedGradients,
    "occlusion": Occlusion,
    "leave-one-out": LeaveOneOut,
    "contextual-decomposition": ContextualDecomposition,
}

Flat = tyro.conf.OmitArgPrefixes
Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]
Json = Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff]
Where = Annotated[Path, tyro.conf.arg(metavar="DIR")]
Source = Annotated[str, tyro.conf.arg(metavar="FILE|NAME")]


def judged_on(material: Material) -> str:
    """On what a result was judged, in words."""
    judged: dict[str, Any] = material.description["judged_on"]
    return f"judged on {judged['documents']:,} documents ({judged['split']})"


def finish(
    account: Account,
    page: Path,
    as_json: bool,
    started: float,
    *,
    texts: bool = True,
    support: int = SUPPORT,
) -> None:
    if as_json:
        print_json(account.to_dict(texts=texts, support=support))
    elif not texts:
        verdict = account.to_dict(texts=False, support=support)["verdict"]
        print("\n".join([*verdict["sentences"], *verdict["findings"]]))
    else:
        print(account)
        for name, why in account.not_applied.items():
            print(f"left out: {name}: {why.splitlines()[0]}")
    say(f"done in {time.perf_counter() - started:.0f} s")
    print(f"report: {page}", file=sys.stderr if as_json else sys.stdout)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
