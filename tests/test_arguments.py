"""Public functions name the argument that is of another kind than it should be."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

import rnnscope as rs
from rnnscope.arguments import checked, fits
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
        (Sequence[str], [["a"], ("a",), np.array(["a"])], [3, {"a": 1}, np.array(1)]),
        (Iterable[Any], [["a"], iter([1]), {1}], [3, None, np.array(1.0), torch.tensor(1)]),
        (Mapping[str, int], [{}, {"a": 1}], [[("a", 1)], None]),
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


def test_every_public_name_has_a_target_of_the_fuzzer():
    """And a hundred of its inputs give documented errors only."""
    scripts = Path(__file__).parent.parent / "scripts"
    specification = importlib.util.spec_from_file_location(
        "fuzz_targets", scripts / "fuzz_targets.py"
    )
    module = importlib.util.module_from_spec(specification)
    sys.modules["fuzz_targets"] = module
    try:
        specification.loader.exec_module(module)
        names = module.covered(module.targets())
        assert not set(rs.__all__) - names - module.NOT_FUZZED
        assert set(rs.__all__) >= module.NOT_FUZZED
    finally:
        del sys.modules["fuzz_targets"]
