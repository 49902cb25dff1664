"""Ctrl-C within a step, on whatever thread: everything is as it was, and the next search works."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from rnnscope.cells import GRU, Autodiff
from rnnscope.dynamics import Runs, find_fixed_points, linearize
from rnnscope.numerics import denormals_are_flushed
from tests.dynamics.wide import normal, wide_random
from tests.helpers import random_cell

NEVER = float("inf")


@dataclass(frozen=True, kw_only=True, eq=False)
class Interrupted(GRU):
    """A GRU in whose n-th step the user loses patience; of those on other threads, if so told."""

    calls: ClassVar[list[int]] = [0]
    at: ClassVar[list[float]] = [NEVER]
    by_signal: ClassVar[list[bool]] = [False]
    elsewhere: ClassVar[list[bool]] = [False]
    lock: ClassVar[threading.Lock] = threading.Lock()

    def activate(self, drive, state):
        counts = not self.elsewhere[0] or threading.current_thread() != threading.main_thread()
        with self.lock:
            self.calls[0] += counts
            now = counts and self.calls[0] == self.at[0]
        if now and self.by_signal[0]:
            signal.raise_signal(signal.SIGINT)
        elif now:
            raise KeyboardInterrupt
        return super().activate(drive, state)


def tell(at=NEVER, *, by_signal=False, elsewhere=False):
    """From here on, steps are counted again."""
    told = Interrupted
    told.calls[0], told.at[0] = 0, at
    told.by_signal[0], told.elsewhere[0] = by_signal, elsewhere


@pytest.fixture(params=[(2, False, True), (1, True, False)], ids=["as usual", "unusual"])
def settings_of_torch(request):
    """Threads, the denormal flag and the grad mode, and what they are at any moment."""
    before = torch.get_num_threads(), denormals_are_flushed(), torch.is_grad_enabled()

    def put(threads, flushed, grad):
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushed)
        torch.set_grad_enabled(grad)

    def now():
        return torch.get_num_threads(), denormals_are_flushed(), torch.is_grad_enabled()

    put(*request.param)
    yield now
    put(*before)
    tell()


def works(cell, seeds):
    """Everything that a search and a linearization compute."""
    points = find_fixed_points(cell, seeds, checks=4)
    return points.terminals, points.basin, linearize(cell, points.seeds).eigenvalues


@pytest.mark.parametrize("by_signal", [False, True], ids=["raised", "signal"])
def test_ctrl_c_leaves_everything_as_it_was(settings_of_torch, by_signal):
    cell, seeds = Interrupted(**random_cell("gru").parameters), normal(24, 4).numpy()
    kept, weights = seeds.copy(), {k: w.clone() for k, w in cell.parameters.items()}
    before, rng = settings_of_torch(), torch.get_rng_state()
    tell()
    whole = works(cell, seeds)
    total = Interrupted.calls[0]
    # A signal reaches Python a moment later: not in the very last step.
    for at in np.linspace(1, total - 2 * by_signal, 10).astype(int).tolist():
        tell(at, by_signal=by_signal)
        with pytest.raises(KeyboardInterrupt):
            works(cell, seeds)
        assert settings_of_torch() == before
        assert torch.equal(torch.get_rng_state(), rng)
        assert np.array_equal(seeds, kept)
        assert all(torch.equal(w, weights[k]) for k, w in cell.parameters.items())
    tell()
    for first, second in zip(whole, works(cell, seeds), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("by_signal", [False, True], ids=["raised", "signal"])
def test_ctrl_c_on_a_thread_of_its_own(by_signal):
    """Chunks of a wide network's seeds are worked on by two threads."""
    cell, seeds = Interrupted(**wide_random("gru").parameters), normal(140, 100)
    threads, running = torch.get_num_threads(), set(threading.enumerate())
    torch.set_num_threads(2)
    try:
        tell(elsewhere=True)
        whole = find_fixed_points(cell, seeds, basins=False, searches=1)
        total = Interrupted.calls[0]
        assert total >= 4
        for at in (1, total // 2, total - 2 * by_signal):
            tell(at, by_signal=by_signal, elsewhere=True)
            with pytest.raises(KeyboardInterrupt):
                find_fixed_points(cell, seeds, basins=False, searches=1)
            # A signal that comes while the threads are waited for lets them end by themselves.
            for thread in set(threading.enumerate()) - running:
                thread.join(60)
            assert set(threading.enumerate()) == running
            assert torch.get_num_threads() == 2
            assert not denormals_are_flushed()
        tell()
        again = find_fixed_points(cell, seeds, basins=False, searches=1)
        assert torch.equal(again.terminals, whole.terminals)
    finally:
        tell()
        torch.set_num_threads(threads)


def test_ctrl_c_while_a_derivative_is_taken(settings_of_torch):
    """Within torch's function transforms, whose levels must be left too."""
    calls, at = [0], [float("inf")]

    def step(x, h):
        calls[0] += 1
        if calls[0] == at[0]:
            raise KeyboardInterrupt
        return torch.tanh(2 * h) + 0 * x

    cell = Autodiff(function=step, inputs=2, states=2, like=torch.zeros((), dtype=torch.float64))
    seeds, before = np.linspace(-1, 1, 8).reshape(4, 2), settings_of_torch()
    calls[0] = 0
    whole = works(cell, seeds)
    total = calls[0]
    for count in sorted({*range(1, 12), *range(12, total + 1, max(1, total // 12))}):
        calls[0], at[0] = 0, count
        with pytest.raises(KeyboardInterrupt):
            works(cell, seeds)
        assert settings_of_torch() == before
    at[0] = float("inf")
    for first, second in zip(whole, works(cell, seeds), strict=True):
        assert torch.equal(first, second)


def test_ctrl_c_while_a_network_is_run_on_arrays(settings_of_torch):
    cell = Interrupted(**random_cell("gru").parameters)
    runs = np.random.default_rng(0).normal(size=(3, 9, 3))
    kept, before = runs.copy(), settings_of_torch()
    tell(5)
    with pytest.raises(KeyboardInterrupt):
        find_fixed_points(cell, Runs(inputs=runs))
    assert settings_of_torch() == before
    assert np.array_equal(runs, kept)
