"""Peak memory and time of one very long document.

Run: OMP_NUM_THREADS=1 python benchmarks/long_documents.py [--words 1000000] [--units 64]

Prints one JSON object: for a GRU and an LSTM (float32, mean of all states, 1,000 words) the seconds
that the logits take and how many megabytes the process grew by, beside what the states and
gates' inputs of all steps would take at once.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np
import torch
from torch import nn

import rnnscope as rs


class Mean(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], units: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1000, 32)
        self.recurrent = kind(32, units, batch_first=True)
        self.readout = nn.Linear(units, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.readout(self.recurrent(self.embedding(ids))[0].mean(1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=1_000_000)
    parser.add_argument("--units", type=int, default=64)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    document = np.random.default_rng(0).integers(1, 1000, size=arguments.words)
    result = {"words": arguments.words, "units": arguments.units}
    for kind, numbers in ((nn.GRU, 4), (nn.LSTM, 6)):
        model = rs.from_torch(Mean(kind, arguments.units), pooling="mean")
        model.logits([document[:17_000]])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        model.logits([document])
        result[kind.__name__.lower()] = {
            "seconds": round(time.perf_counter() - started, 1),
            "megabytes": round(
                (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            ),
            "megabytes_at_once": round(4 * arguments.words * arguments.units * numbers / 2**20),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
