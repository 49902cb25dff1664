"""FixedPointFinder's own flip-flop example, searched by it and by rnnscope from the same states.

Run: python benchmarks/flip_flop_example.py --finder PATH [--write]

``--finder`` is a checkout of FixedPointFinder (https://github.com/mattgolub/fixed-point-finder).
Its example is run as it is published: its data, its network (tanh, 16 units), its training, its
states (1,024 visited ones with noise) and its settings of the search. Then, for every fixed point
it reports, the nearest root that rnnscope certifies, and what rnnscope says of the points that are
none.

Prints progress to standard error and one JSON object as the last line of standard output.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnnscope.cells import Vanilla
from rnnscope.dynamics import find_fixed_points
from rnnscope.dynamics.problem import Problem, finder_speed

RESULT = Path(__file__).parent.parent / "docs" / "results" / "flip_flop_example.json"
SAME = 1e-2
"""One of its points this close to a root, in scales, has found it."""


def example(path: Path) -> tuple[Any, dict[str, np.ndarray], float]:
    """Its network, trained by its own code, and what that does on its validation trials."""
    for part in (path, path / "examples" / "torch", path / "examples" / "helper"):
        sys.path.insert(0, str(part))
    from FlipFlop import FlipFlop
    from FlipFlopData import FlipFlopData

    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - what its code draws from
    data = FlipFlopData()
    train, valid = data.generate_data(n_trials=512), data.generate_data(n_trials=128)
    network = FlipFlop(n_inputs=3, n_hidden=16, n_outputs=3, rnn_type="tanh")
    start = time.perf_counter()
    network.train(train, valid, learning_rate=1 / np.sqrt(128), batch_size=128)
    return network, network.predict(valid), time.perf_counter() - start


def its_search(network: Any, predictions: dict[str, np.ndarray]) -> dict[str, Any]:
    from FixedPointFinderTorch import FixedPointFinderTorch

    search = FixedPointFinderTorch(
        network.rnn,
        max_iters=10_000,
        lr_init=1.0,
        outlier_distance_scale=10.0,
        verbose=False,
        super_verbose=False,
    )
    seeds = search.sample_states(predictions["hidden"], n_inits=1024, noise_scale=0.5)
    start = time.perf_counter()
    unique, every = search.find_fixed_points(seeds, np.zeros([1, 3]))
    return {
        "seconds": time.perf_counter() - start,
        "seeds": torch.as_tensor(seeds).double(),
        "unique": torch.as_tensor(unique.xstar).double(),
        "unique_q": torch.as_tensor(unique.qstar).double(),
        "all": int(every.n),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finder", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()

    with contextlib.redirect_stdout(io.StringIO()):
        network, predictions, trained = example(options.finder)
        its = its_search(network, predictions)
    print(f"trained in {trained:.1f} s", file=sys.stderr)

    rnn = network.rnn
    cell = Vanilla(
        W=rnn.weight_ih_l0.detach().double(),
        V=rnn.weight_hh_l0.detach().double(),
        b=(rnn.bias_ih_l0 + rnn.bias_hh_l0).detach().double(),
    )
    start = time.perf_counter()
    points = find_fixed_points(cell, its["seeds"])
    seconds = time.perf_counter() - start

    roots, scale = points.roots.states, points.scale
    apart = torch.cdist(its["unique"], roots) / scale
    found = apart.amin(-1) <= SAME
    problem = Problem(cell=cell, x=torch.zeros(3, dtype=torch.float64))
    values = [torch.linalg.eigvals(problem.jacobian(root[None])[0]) + 1 for root in roots]
    index = [int((one.abs() > 1).sum()) for one in values]
    others = its["unique"][~found]
    named = find_fixed_points(cell, others, solver="levenberg_marquardt") if len(others) else None
    result = {
        "finder": {
            "seconds": its["seconds"],
            "seeds": len(its["seeds"]),
            "unique": len(its["unique"]),
            "at_a_certified_root": int(found.sum()),
            "at_none": int((~found).sum()),
            "distinct_roots_found": int((apart <= SAME).any(0).sum()),
            "largest_q": float(its["unique_q"].max()),
        },
        "rnnscope": {
            "seconds": seconds,
            "roots": len(roots),
            "proved": int(points.roots.proved.sum()),
            "largest_q": float(finder_speed(problem.residual(roots)).max()),
            "roots_by_growing_modes": {str(k): index.count(k) for k in sorted(set(index))},
            "continua": len(points.continua),
            "ghosts": len(points.ghosts),
            "outcomes": points.counts,
        },
        "roots_the_finder_has_and_rnnscope_has_not": 0,
        "its_other_points": None
        if named is None
        else {
            "what they are": {k: v for k, v in named.counts.items() if v},
            "distance_to_where_they_lead_in_scales": (
                (named.terminals - others).norm(dim=-1) / scale
            ).tolist(),
        },
        "ratio_of_seconds": its["seconds"] / seconds,
    }
    # A point of its that a descent takes to a root that the search had missed would show here.
    if named is not None and len(named.roots):
        missed = torch.cdist(named.roots.states, roots).amin(-1) > 1e-6 * scale
        near = torch.cdist(named.roots.states, others).amin(-1) <= SAME * scale
        result["roots_the_finder_has_and_rnnscope_has_not"] = int((missed & near).sum())
    if options.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
