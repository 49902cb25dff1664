"""Fixed points, side by side with FixedPointFinder: one run, the same seeds, the same network.

Run: python benchmarks/fixed_points.py --network shared/bench/dynamics/gru_line.safetensors \
         --seeds 1024 [--finder PATH] [--scaling] [--solvers] [--write]

``--finder`` is a checkout of FixedPointFinder (https://github.com/mattgolub/fixed-point-finder);
without it the rival's rows are left out. It is run as it is, at the settings of its published
example (lr_init .01, 5,000 iterations), with uniqueness, Jacobians and their decompositions;
LSTMs it refuses. It takes minutes.

Prints progress to standard error and one JSON object as the last line of standard output:
    seconds         end to end: verdict and basin of every seed, all roots, 8 slow modes left and
                    right at every point of the line; without the check by plain iteration
    roots           number of isolated roots
    unjudged        seeds without a verdict: not converged
    outcomes        seeds by verdict
    check           the flows held against plain iteration, and the seconds that took
    stages          seconds of each stage by itself: projection, flow of every seed to q' <= 1e-8,
                    Jacobian and modes a point
    matrix_product  seconds of one step of all the seeds at the machine's matrix-product rate
    finder          the rival's figures, what the points it calls fixed are, and the ratios
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from rnnscope.cells import GRU, LSTM, Cell, Vanilla
from rnnscope.dynamics import FixedPointOptions, find_fixed_points, linearize
from rnnscope.dynamics.inputs import study_cell
from rnnscope.dynamics.problem import Problem, finder_speed
from rnnscope.dynamics.projection import project
from rnnscope.dynamics.seeds import seed_scale
from rnnscope.dynamics.terminal import SOLVERS
from rnnscope.synthetic import leaky_line

COUNT = 8


def read(path: Path) -> tuple[Cell, torch.Tensor, dict[str, torch.Tensor]]:
    """The cell, the states it visits, and the weights as torch names them."""
    data = load_file(path)
    weights = {name.removeprefix("rnn."): value for name, value in data.items() if "rnn." in name}
    W, V = weights["weight_ih_l0"], weights["weight_hh_l0"]
    b, a = weights["bias_ih_l0"].clone(), weights["bias_hh_l0"]
    gates = len(V) // V.shape[1]
    if gates == 3:
        b[: 2 * V.shape[1]] += a[: 2 * V.shape[1]]
        return GRU(W=W, V=V, b=b, a=a[2 * V.shape[1] :]), data["seeds"], weights
    kind = LSTM if gates == 4 else Vanilla
    return kind(W=W, V=V, b=b + a), data["seeds"], weights


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def end_to_end(cell: Cell, seeds: torch.Tensor) -> dict[str, Any]:
    """All that a user asks of a network, once; the check by plain iteration timed apart."""
    options = FixedPointOptions(checks=0)
    points, found = timed(lambda: find_fixed_points(cell, seeds, options=options))
    at = points.line_states if len(points.line_states) else points.roots.states
    modes, decomposed = timed(lambda: linearize(cell, at, count=COUNT))
    check, checked = timed(lambda: find_fixed_points(cell, seeds).check)
    residuals = modes.residuals
    return {
        "seconds": found + decomposed,
        "find_seconds": found,
        "modes_seconds": decomposed,
        "modes_points": len(modes),
        "modes_worst_residual": None if residuals is None else float(residuals.max()),
        "roots": len(points.roots),
        "ghosts": len(points.ghosts),
        "unjudged": points.counts["not_converged"],
        "outcomes": points.counts,
        "seeds_to_each_root": points.basin_sizes.tolist(),
        "check": {
            "agree": check.agree,
            "disagree": check.disagree,
            "open": check.open,
            "seconds_with_search": checked,
        },
    }


def stages(cell: Cell, seeds: torch.Tensor) -> dict[str, Any]:
    quick = study_cell(cell)
    problem = Problem(cell=quick, x=torch.zeros(quick.input_size, dtype=torch.float64))
    h = seeds.double()
    scale = seed_scale(h)
    landed, projection = timed(
        lambda: project(problem, h, slow_time=20.0, tolerance=1e-4 * scale, scale=scale)
    )
    fine = float((landed.fast <= 1e-4 * scale).double().mean())
    flow, flowing = timed(
        lambda: SOLVERS["flow"](problem, h, max_steps=100, stationarity=1e-8, reach=1e3 * scale)
    )
    at_rest = float((finder_speed(problem.residual(flow.states)) <= 1e-8).double().mean())
    few = landed.states[:64]
    single = problem.to(torch.float32)
    tangent = single.tangent(few.float())
    _, jacobians = timed(lambda: [tangent.matrix() for _ in range(10)])
    modes, decomposed = timed(lambda: linearize(cell, few, count=COUNT, method="krylov"))
    dense, full = timed(lambda: linearize(cell, few[:8], count=COUNT, method="dense"))
    return {
        "projection_seconds": projection,
        "projection_share_within_1e-4_scale": fine,
        "flow_seconds": flowing,
        "flow_share_at_rest": at_rest,
        "jacobian_milliseconds": 1e3 * jacobians / 10 / len(few),
        "modes_milliseconds": 1e3 * decomposed / len(few),
        "modes_worst_residual": float(modes.residuals[:, :COUNT].max()),
        "dense_modes_milliseconds": 1e3 * full / len(dense),
    }


def matrix_product(cell: Cell, count: int) -> float:
    """Seconds that a step's products of this many states take at the machine's own rate."""
    V = torch.randn(cell.parameters["V"].shape)
    h = torch.randn(count, V.shape[1])
    return min(timed(lambda: h @ V.mT)[1] for _ in range(20))


def finder(
    path: Path, cell: Cell, weights: dict[str, torch.Tensor], seeds: torch.Tensor
) -> dict[str, Any]:
    """The rival, unmodified, in its own words, and what its points are."""
    sys.path.insert(0, str(path))
    from FixedPointFinderTorch import FixedPointFinderTorch

    rows, units = weights["weight_hh_l0"].shape
    kind = {1: torch.nn.RNN, 3: torch.nn.GRU}[rows // units]
    rnn = kind(weights["weight_ih_l0"].shape[1], units, batch_first=True)
    rnn.load_state_dict(weights)
    with contextlib.redirect_stdout(io.StringIO()):
        search = FixedPointFinderTorch(
            rnn, lr_init=0.01, max_iters=5000, verbose=False, super_verbose=False
        )
        (unique, every), seconds = timed(
            lambda: search.find_fixed_points(
                seeds.float().numpy().copy(),
                torch.zeros(1, rnn.input_size).numpy(),
            )
        )
    q = torch.as_tensor(every.qstar)
    named = find_fixed_points(cell, torch.as_tensor(unique.xstar).double(), checks=0)
    return {
        "seconds": seconds,
        "seeds": len(seeds),
        "unique_fixed_points": int(unique.n),
        "what_they_are": {name: count for name, count in named.counts.items() if count},
        "roots_among_them": len(named.roots),
        "share_q_below_1e-8": float((q <= 1e-8).double().mean()),
        "q_quantiles": torch.quantile(
            q.double(), torch.tensor([0.05, 0.5, 0.95]).double()
        ).tolist(),
    }


def solvers(cell: Cell, seeds: torch.Tensor) -> dict[str, Any]:
    """Every descent from the same seeds: how many come to rest, how far they went, and the time."""
    quick = study_cell(cell)
    problem = Problem(cell=quick, x=torch.zeros(quick.input_size, dtype=torch.float64))
    h = seeds.double()
    scale = seed_scale(h)
    rows = {}
    for name, solver in SOLVERS.items():
        descent, seconds = timed(
            lambda solver=solver: solver(
                problem, h, max_steps=100, stationarity=1e-8, reach=1e3 * scale
            )
        )
        q = finder_speed(problem.residual(descent.states))
        rows[name] = {
            "milliseconds_a_seed": 1e3 * seconds / len(h),
            "share_q_below_1e-8": float((q <= 1e-8).double().mean()),
            "share_q_below_1e-22": float((q <= 1e-22).double().mean()),
            "median_moved_scales": float((descent.states - h).norm(dim=-1).median()) / scale,
        }
        say(f"  {name}: {rows[name]}")
    return rows


def scaling(cell: Cell, seeds: torch.Tensor) -> list[dict[str, Any]]:
    """Seconds and peak memory against the number of seeds, each in a process of its own."""
    rows = []
    for count in (64, 256, 1024, 8192):
        command = [sys.executable, __file__, "--network", str(args.network), "--only", str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        say(f"  {rows[-1]}")
    return rows


def units() -> list[dict[str, Any]]:
    """Seconds against the width, of networks whose answer is known: one root at the end of a slow
    line (``synthetic.leaky_line``)."""
    rows = []
    for width in (64, 128, 256, 512, 1024):
        net = leaky_line(units=width)
        generator = torch.Generator().manual_seed(0)
        values, vectors = torch.linalg.eig(net.cell.V)
        slow = vectors[:, values.abs().argmax()].real
        along = 2 * torch.rand(256, 1, generator=generator, dtype=torch.float64) - 1
        noise = torch.randn(256, width, generator=generator, dtype=torch.float64)
        seeds = along * slow + 0.1 * noise / width**0.5
        options = FixedPointOptions(checks=0)
        points, seconds = timed(partial(find_fixed_points, net.cell, seeds, options=options))
        at = points.line_states[:64]
        modes, decomposed = timed(partial(linearize, net.cell, at, count=COUNT))
        rows.append(
            {
                "units": width,
                "seeds": len(seeds),
                "milliseconds_a_seed": 1e3 * seconds / len(seeds),
                "modes_milliseconds_a_point": 1e3 * decomposed / max(1, len(modes)),
                "roots": len(points.roots),
                "distance_to_the_known_root": float(
                    (points.roots.states[:, None] - net.roots[None]).norm(dim=-1).min()
                )
                if len(points.roots)
                else None,
                "manifold": len(points.manifold),
                "slowest": float(modes.eigenvalues[:, 0].abs().max()),
            }
        )
        say(f"  {rows[-1]}")
    return rows


def only(cell: Cell, seeds: torch.Tensor, count: int) -> dict[str, Any]:
    """Verdicts and basins of ``count`` seeds; beyond those at hand, states mixed of pairs."""
    generator = torch.Generator().manual_seed(0)
    while len(seeds) < count:
        order = torch.randperm(len(seeds), generator=generator)
        seeds = torch.cat([seeds, (seeds + seeds[order]) / 2])
    options = FixedPointOptions(checks=0)
    points, seconds = timed(lambda: find_fixed_points(cell, seeds[:count], options=options))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "seeds": count,
        "seconds": seconds,
        "milliseconds_a_seed": 1e3 * seconds / count,
        "peak_gib": peak,
        "roots": len(points.roots),
        "unjudged": points.counts["not_converged"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    shared = Path(os.environ.get("RNNSCOPE_SHARED", Path(__file__).parents[2] / "shared"))
    default = shared / "bench" / "dynamics" / "gru_line.safetensors"
    parser.add_argument("--network", type=Path, default=default)
    parser.add_argument("--seeds", type=int, default=1024)
    parser.add_argument("--finder", type=Path)
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--solvers", action="store_true", help="compare the descents")
    parser.add_argument("--only", type=int, help="verdicts of so many seeds, and nothing else")
    parser.add_argument("--units", action="store_true", help="against the width, known networks")
    parser.add_argument("--write", action="store_true", help="to docs/results/fixed_points.json")
    args = parser.parse_args()
    cell, seeds, weights = read(args.network)
    if args.only:
        print(json.dumps(only(cell, seeds, args.only)))
        raise SystemExit
    if args.solvers:
        print(json.dumps(solvers(cell, seeds[: args.seeds])))
        raise SystemExit
    if args.units:
        rows = units()
        if args.write:
            out = Path(__file__).parents[1] / "docs" / "results" / "fixed_points.json"
            known = json.loads(out.read_text()) if out.exists() else {}
            known["units"] = rows
            out.write_text(json.dumps(known, indent=1) + "\n")
        print(json.dumps(rows))
        raise SystemExit
    say(f"{args.network.stem}: {args.seeds} seeds, {torch.get_num_threads()} threads")
    seeds = seeds[: args.seeds]
    result: dict[str, Any] = {"network": args.network.stem, "seeds": len(seeds)}
    result["threads"] = torch.get_num_threads()
    result |= end_to_end(cell, seeds)
    say(f"  end to end {result['seconds']:.2f} s, {result['roots']} roots")
    result["stages"] = stages(cell, seeds)
    say(f"  {result['stages']}")
    result["matrix_product"] = matrix_product(cell, len(seeds))
    result["in_matrix_products"] = result["seconds"] / result["matrix_product"]
    if args.scaling:
        result["scaling"] = scaling(cell, seeds)
    if args.finder and len(weights["weight_hh_l0"]) // weights["weight_hh_l0"].shape[1] != 4:
        rival = finder(args.finder, cell, weights, seeds)
        rival["ratio_end_to_end"] = rival["seconds"] / result["seconds"]
        rival["ratio_of_the_search"] = rival["seconds"] / result["find_seconds"]
        result["finder"] = rival
        say(f"  FixedPointFinder {rival}")
    if args.write:
        out = Path(__file__).parents[1] / "docs" / "results" / "fixed_points.json"
        known = json.loads(out.read_text()) if out.exists() else {}
        known[result["network"]] = result
        out.write_text(json.dumps(known, indent=1) + "\n")
    print(json.dumps(result))
