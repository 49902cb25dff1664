"""Public functions name the argument that is of another kind than it should be."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

import rnnscope as rs
from rnnscope.arguments import checked, fits
from rnnscope.cli import COMMANDS
from rnnscope.cli.questions import COMMANDS as QUESTION_COMMANDS
from rnnscope.errors import UsageError
from rnnscope.models import Model


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (int, [0, -3, np.int64(2)], [True, 1.0, "1", None, 2**70, np.array([1])]),
        (float, [0.5, 1, np.float32(2)], [True, "x", None, 1j, [1.0]]),
        (bool, [True, np.True_], [1, 0, None]),
        (str, ["", "a"], [b"a", None, 3]),
        (str | Path, ["a", Path("a")], [3, b"a"]),
        (int | None, [None, 2], ["2"]),
        (Sequence[str], [["a"], ("a",), np.array(["a"])], [3, {"a": 1}, np.array(1), ["a", 1]]),
        (Sequence[int], [[1], (), range(3), np.arange(2)], [[None], "a", [[1]], np.zeros((2, 2))]),
        (Sequence[Any], [["a", 1], [None]], [3, None]),
        (Iterable[Any], [["a"], iter([1]), {1}], [3, None, np.array(1.0), torch.tensor(1)]),
        (Mapping[str, int], [{}, {"a": 1}], [[("a", 1)], None, {1: 1}, {"a": "b"}]),
        (np.ndarray, [np.zeros(2), [1, 2], torch.zeros(1)], ["x", [[1], []], 3]),
        (Tensor, [torch.zeros(2)], [np.zeros(2), torch.zeros(2).to_sparse(), None]),
        (tuple[Model, ...], [()], [[1], "ab", np.zeros(0)]),
        # Regression: a pair was held to be a tuple of its last kind, so that no texts were taken.
        (
            tuple[Sequence[Any], np.ndarray],
            [(["a", "b"], np.zeros(2)), [(("a",),), [1]]],
            ["ab", (["a"],), (["a"], "x"), (3, np.zeros(2))],
        ),
        (Literal["a", "b"], ["a", "c"], [1.5, []]),
    ],
)
def test_kinds(kind, good, bad):
    assert all(fits(value, kind) for value in good)
    assert not any(fits(value, kind) for value in bad)


def test_the_argument_is_named_and_the_function_is_the_same():
    def halve(number: float, *, times: int = 1, **rest: Any) -> float:
        """Halve."""
        return number / 2**times

    guarded = checked(halve)
    assert guarded(4, times=2) == 1
    assert guarded.__doc__ == "Halve."
    with pytest.raises(UsageError, match=r"times of halve.*\n.*whole number\n.*'2'"):
        guarded(4, times="2")
    with pytest.raises(UsageError, match="documented with"):
        guarded()


@pytest.mark.parametrize("model", [None, "lstm", 3, [1]])
def test_public_functions_are_guarded(model):
    with pytest.raises(UsageError, match="argument model of linearize"):
        rs.linearize(model, [])


@pytest.mark.parametrize("valences", [None, [("good", 1)], {"good": "much"}, {3: 1.0}])
def test_public_class_methods_are_guarded(valences):
    with pytest.raises(UsageError, match=r"argument valences of WordClasses\.of_valences"):
        rs.WordClasses.of_valences(valences)


def test_every_public_name_and_every_command_is_fuzzed_or_it_is_said_why_not(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "scripts")
    fuzz = importlib.import_module("fuzz_targets")
    names = fuzz.covered(fuzz.targets())
    assert not set(rs.__all__) - names - fuzz.NOT_FUZZED.keys()
    assert set(rs.__all__) >= fuzz.NOT_FUZZED.keys()
    assert all(fuzz.NOT_FUZZED.values())
    results = fuzz.NOT_FUZZED.keys() - fuzz.ERRORS - {"CELLS", "figures", "serve"}
    assert all(isinstance(getattr(rs, name), type) for name in results), (
        "functions are entry points"
    )
    commands = {f"rnnscope {name}" for name in COMMANDS}
    commands |= {f"rnnscope qa {name}" for name in QUESTION_COMMANDS}
    # It does not return; its requests are tried in tests/explorer.
    assert commands - names == {"rnnscope serve"}
