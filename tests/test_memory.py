"""A memory budget changes when things are computed, and never what."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import rnnscope as rs
from rnnscope import memory
from rnnscope.errors import UsageError


def test_a_budget_holds_inside_and_nests(monkeypatch):
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    assert memory.budget() == memory.DEFAULT
    assert memory.at_once(10**9, 8) == 10**9
    with rs.memory_budget(1):
        assert memory.budget() == 2**30
        assert memory.at_once(10**9, 8) == 2**27
        assert memory.at_once(5, 2**40) == 1
        with rs.memory_budget(0.5):
            assert memory.budget() == 2**29
        assert memory.budget() == 2**30
    assert memory.budget() == memory.DEFAULT


def test_commands_read_it_from_the_environment(monkeypatch):
    monkeypatch.setenv(memory.VARIABLE, "0.25")
    assert memory.budget() == 2**28
    with rs.memory_budget(1):
        assert memory.budget() == 2**30
    monkeypatch.setenv(memory.VARIABLE, "a lot")
    with pytest.raises(UsageError, match="RNNSCOPE_MEMORY: 'a lot'"):
        memory.budget()


@pytest.mark.parametrize("gib", [0, -1, float("nan"), float("inf"), "x", None, True])
def test_what_is_no_budget(gib):
    with pytest.raises(UsageError), rs.memory_budget(gib):
        pass


class Network(nn.Module):
    def __init__(self, units: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 4)
        self.recurrent = nn.GRU(4, units, batch_first=True)
        self.out = nn.Linear(units, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.out(self.recurrent(self.embedding(ids))[0][:, -1])


def test_results_are_those_without(monkeypatch):
    """Batches of a few words, and documents in stretches: a budget far below any real one."""
    rng = np.random.default_rng(0)
    documents = [rng.integers(0, 20, size=n) for n in (1, 7, 60, 33, 8)]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = rs.from_torch(Network(6).double())
    tasks = {
        "logits": lambda: model.logits(documents),
        "final": lambda: model.final_states(documents),
        "beta": lambda: rs.CellDifference(model).score(documents).values,
        "gamma": lambda: rs.CellDecomposition(model).score(documents).values,
        "gradient": lambda: rs.GradientTimesInput(model).score(documents).values,
        "norm": lambda: rs.GradientNorm(model).score(documents).values,
        "integrated": lambda: rs.IntegratedGradients(model).score(documents).values,
        "roots": lambda: rs.find_fixed_points(model, documents).terminals,
    }
    whole = {name: torch.as_tensor(task()) for name, task in tasks.items()}
    monkeypatch.setattr(memory, "_asked", lambda: 40_000)
    for name, task in tasks.items():
        found = torch.as_tensor(task())
        torch.testing.assert_close(found, whole[name], atol=1e-10, rtol=0)
    parts = list(model.stretches(documents[2], steps=16))
    assert [len(part) for part in parts] == [16, 16, 16, 12]
    states = model.trajectory([documents[2]]).states[0]
    torch.testing.assert_close(torch.cat(parts), states, atol=1e-12, rtol=0)


PEAK = """
import re
from pathlib import Path
import numpy as np, torch
import rnnscope as rs
from tests.test_memory import Network
torch.set_num_threads(1)
def peak():
    # Of this program alone: ru_maxrss begins with that of the process it was forked from.
    return int(re.search("VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
model = rs.from_torch(Network(128))
rng = np.random.default_rng(0)
documents = [rng.integers(0, 20, size=400) for _ in range(40)]
rs.CellDecomposition(model).score(documents[:1]).values
before = peak()
rs.CellDecomposition(model).score(documents).values
print((peak() - before) / 1024)
"""


def test_the_peak_of_scoring_follows_the_budget(monkeypatch):
    """Sixteen thousand words at once take a hundred megabytes here; a budget of 20 is kept."""

    def peak() -> float:
        done = subprocess.run([sys.executable, "-c", PEAK], check=True, capture_output=True)
        return float(done.stdout)

    monkeypatch.delenv(memory.VARIABLE, raising=False)
    without = peak()
    monkeypatch.setenv(memory.VARIABLE, "0.02")
    within = peak()
    assert within < 30 < without
