"""What a target of the fuzzer is, and how its arguments are drawn."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fuzz_world import World


@dataclass(frozen=True, kw_only=True)
class Target:
    """One entry point.

    Args:
        name: the public name, or the command.
        call: runs it.
        kinds: for each argument, its kind.
        cost: how rarely it is drawn: 1 often, 5 seldom.
        also: what else it may raise: scikit-learn's estimators have its own errors.
        names: other public names that it calls, by what it is given.
    """

    name: str
    call: Callable[..., Any]
    kinds: dict[str, str]
    cost: int = 1
    also: tuple[type[Exception], ...] = ()
    names: tuple[str, ...] = ()


def draw(world: World, target: Target, rng: random.Random) -> dict[str, Any]:
    """Arguments: all that fit, or one or two that may not."""
    given = {}
    fixed = ("its ", "bad_path", "one")
    free = [name for name, kind in target.kinds.items() if not kind.startswith(fixed)]
    odd = set(rng.sample(free, min(len(free), rng.choice([0, 0, 1, 1, 2]))))
    for name, kind in target.kinds.items():
        good = world.good.get(kind.removeprefix("its "), world.odd["any"])
        pool = world.odd.get(kind, world.odd["any"])
        if name in odd:
            given[name] = rng.choice(world.odd["any"] if rng.random() < 0.3 else pool)
        elif kind == "one":
            given[name] = 1
        elif kind == "bad_path":
            given[name] = "/dev/null/x"
        else:
            given[name] = rng.choice(good)
    return given
