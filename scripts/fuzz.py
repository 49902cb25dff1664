"""Fuzz every public entry point and every command: documented errors only, inputs left alone.

Run: OMP_NUM_THREADS=1 python scripts/fuzz.py [--inputs 10000] [--seed 0] [--only X] [--out F]

Each input is drawn from its own seed, so that ``--seed S --inputs 1`` with the seed that is printed
runs a finding again. Saved files are also damaged at random and loaded. It fails if an exception is
not one of rnnscope.errors, an argument is changed, the state of a random number generator or a
global flag is another one after, a call takes longer than a minute, or the memory in use passes
the bound. Prints findings to standard error and one JSON object as the last line of standard
output.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import json
import os
import pickle
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import fuzz_targets as ft
import numpy as np
import torch
from fuzz_target import Target, draw
from fuzz_world import World, make_world

import rnnscope as rs

SECONDS, PATIENCE = 60, 600
"""The most that one call may take, of the processor and by the clock: other work may share it."""

MEGABYTES = 4_000
"""The most memory that the whole run may use."""

SAVED = {
    "model": rs.load,
    "table": rs.PhraseTable.load,
    "rules.json": rs.RuleList.load,
    "phrase_model.json": rs.PhraseModel.load,
    "modes": rs.load_result,
    "question_model": rs.load_question_model,
    "patterns.json": rs.PatternList.load,
    "questions.jsonl": rs.load_questions,
    "weights.pt": rs.from_weights,
    "reviews.csv": rs.load_corpus,
}
"""What is saved in the world's folder, and what loads it."""


class TooSlow(Exception):
    """A call took too long."""


def fingerprint(value: Any, depth: int = 0) -> str:
    """A digest of what a caller could see changed."""
    if depth > 6:
        return ""
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided:
            value = value.to_dense()
        data = value.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        return f"{value.shape}{value.dtype}{value.requires_grad}{hashlib.md5(data).hexdigest()}"
    if isinstance(value, np.ndarray):
        data = pickle.dumps(value) if value.dtype == object else value.tobytes()
        return f"{value.shape}{value.dtype}{hashlib.md5(data).hexdigest()}"
    if isinstance(value, torch.nn.Module):
        modes = [part.training for part in value.modules()]
        return f"{modes}" + fingerprint(dict(value.state_dict()), depth + 1)
    if isinstance(value, dict):
        return str([(repr(k), fingerprint(v, depth + 1)) for k, v in value.items()])
    if isinstance(value, list | tuple | set):
        return str([fingerprint(v, depth + 1) for v in value])
    if isinstance(value, rs.Model):
        return value.fingerprint
    if isinstance(value, str | int | float | complex | bytes | None | Path):
        return repr(value)
    return str(type(value))


def surroundings() -> tuple[Any, ...]:
    """The state of every generator and of the flags that a library may not touch."""
    return (
        hashlib.md5(torch.get_rng_state().numpy().tobytes()).hexdigest(),
        hash(random.getstate()),
        hashlib.md5(np.random.get_state()[1].tobytes()).hexdigest(),  # noqa: NPY002
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        float(torch.tensor([1e-310], dtype=torch.float64) * 1.0),
        os.getcwd(),  # noqa: PTH109
    )


def megabytes() -> float:
    """The most memory that this process has used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def damage(world: World, rng: random.Random) -> Target:
    """A saved file with some of it changed, and its loader as a target."""
    name = rng.choice(list(SAVED))
    source, place = world.folder / name, world.folder / "damaged" / name
    if place.parent.is_file():  # A result was saved under this name.
        place.parent.unlink()
    shutil.rmtree(place.parent, ignore_errors=True)
    place.parent.mkdir()
    (shutil.copytree if source.is_dir() else shutil.copy)(source, place)
    files = sorted(p for p in ([place] if place.is_file() else place.rglob("*")) if p.is_file())
    file = rng.choice(files)
    data = bytearray(file.read_bytes())
    how = rng.choice(["flip", "cut", "insert", "empty", "swap", "link", "remove"])
    if how == "flip":
        for _ in range(rng.choice([1, 1, 3, 20])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif how == "cut":
        del data[rng.randrange(len(data)) :]
    elif how == "insert":
        at = rng.randrange(len(data))
        data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 50)))
    elif how == "empty":
        data.clear()
    elif how == "swap":
        a, b = sorted(rng.sample(range(len(data)), 2))
        data[a:b] = bytes(reversed(data[a:b]))
    file.write_bytes(bytes(data))
    if how in ("link", "remove"):
        file.unlink()
    if how == "link":
        file.symlink_to(file)
    return Target(name=f"load damaged {name}", call=lambda: SAVED[name](place), kinds={})


def one(world: World, targets: list[Target], seed: int) -> tuple[str, str, str]:
    """Draw and run one input: the target, how it ended, and the finding, if it is one."""
    rng = random.Random(seed)
    if rng.random() < 0.1:
        target = damage(world, rng)
    else:
        target = rng.choices(targets, weights=[1 / t.cost**2 for t in targets])[0]
    given = draw(world, target, rng)
    most = megabytes()
    before, around = {k: fingerprint(v) for k, v in given.items()}, surroundings()
    shutil.rmtree(world.folder / "out", ignore_errors=True)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(PATIENCE)
    try:
        target.call(**given)
        ended, finding = "returned", ""
    except rs.RnnscopeError as error:
        ended, finding = type(error).__name__, ""
        if not error.rule.strip() or not error.rule.rstrip().endswith("."):
            finding = f"an error whose rule is no sentence: {error.rule!r}"
    except KeyboardInterrupt:
        raise
    except target.also:
        ended, finding = "its own", ""
    except BaseException as error:
        ended = "other"
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        finding = f"{type(error).__name__}: {str(error)[:150]} at {place}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
    changed = [k for k, v in given.items() if fingerprint(v) != before[k]]
    if changed:
        finding = finding or f"changed its arguments: {', '.join(changed)}"
    after = surroundings()
    if after != around:
        where = [k for k, (a, b) in enumerate(zip(around, after, strict=True)) if a != b]
        finding = finding or f"changed its surroundings: {where}"
    if megabytes() > MEGABYTES and megabytes() > most + 100:
        finding = finding or f"{megabytes():,.0f} MB in use"
    if finding:
        shown = ", ".join(f"{k}={str(v)[:60]!r}" for k, v in given.items())
        finding = f"{target.name}({shown}): {finding}"
    return target.name, ended, finding


def _inside(folder: str) -> Path:
    """Where relative paths lead: targets that save are given names of every kind."""
    here = Path(folder) / "here"
    here.mkdir()
    return here


def _too_slow(signum: int, frame: FrameType | None) -> None:
    raise TooSlow(f"more than {SECONDS} s of the processor or {PATIENCE} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=0, help="stop after so many; 0: never")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None, help="write the result there too")
    parser.add_argument("--only", default="", help="targets whose name has this in it")
    arguments = parser.parse_args()
    arguments.out = arguments.out and arguments.out.resolve()
    faulthandler.enable()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_slow)
    signal.signal(signal.SIGPROF, _too_slow)
    torch.set_num_threads(1)
    ceiling = MEGABYTES * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (ceiling, ceiling))  # then a MemoryError, and no kill
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(_inside(folder)):
        world = make_world(Path(folder))
        every = ft.targets()
        missing = set(rs.__all__) - ft.covered(every) - ft.NOT_FUZZED.keys()
        if missing:
            print(f"public names without a target: {', '.join(sorted(missing))}", file=sys.stderr)
        without = ft.kinds(every) - world.good.keys() - {"any", "one", "bad_path"}
        if without:
            print(f"kinds without a value that fits: {', '.join(sorted(without))}", file=sys.stderr)
        targets = [t for t in every if arguments.only in t.name]
        ends: Counter[str] = Counter()
        by_target: Counter[str] = Counter()
        findings: list[str] = []
        first: dict[str, int] = {}
        for k in range(arguments.inputs):
            if arguments.seconds and time.perf_counter() - started > arguments.seconds:
                break
            seed = arguments.seed + k
            name, ended, finding = one(world, targets, seed)
            ends[ended] += 1
            by_target[name] += 1
            if finding:
                findings.append(finding)
                key = finding.split("): ", 1)[-1] + name
                if key not in first:
                    first[key] = seed
                    print(f"seed {seed}: {finding}", file=sys.stderr, flush=True)
    result = {
        "inputs": sum(ends.values()),
        "ends": dict(ends),
        "targets": len(by_target),
        "fewest_inputs_of_a_target": min(by_target.values(), default=0),
        "findings": len(findings),
        "distinct_findings": len(first),
        "public_names_without_a_target": sorted(missing),
        "peak_megabytes": round(megabytes()),
        "seconds": round(time.perf_counter() - started),
        "seed": arguments.seed,
    }
    print(json.dumps(result))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 1 if findings or missing or without else 0


if __name__ == "__main__":
    sys.exit(main())
