"""Results in files: read back equal, damaged files refused, nothing executed."""

from __future__ import annotations

import json
import pickle
from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load as load_arrays
from torch import Tensor

from rnnscope import dynamics
from rnnscope.cells import Autodiff, Stack
from rnnscope.dynamics import (
    FixedPointOptions,
    Outcome,
    Points,
    continue_in_input,
    find_continua,
    find_cycles,
    find_fixed_points,
    find_fixed_points_by_direction,
    fit_manifold,
    line_attractor_verdict,
    linearize,
    load_result,
    long_run,
    mode_groups,
    save_result,
    saving,
    trace_slow_curve,
    trace_slow_surface,
)
from rnnscope.dynamics.packing import CLASSES, pack, unpack
from rnnscope.errors import DataError, NotApplicable, UsageError
from rnnscope.models import from_torch
from rnnscope.storage import digest_of
from rnnscope.synthetic import attractors as built
from rnnscope.synthetic import bifurcations as built_bifurcations
from rnnscope.synthetic import simplex_model
from tests.helpers import GATES, WORDS, random_cell, random_documents, random_module


def differ(a, b, where="result"):
    """Every place where two results differ; nan equals nan."""
    if type(a) is not type(b):
        return [f"{where}: {type(a)} {type(b)}"]
    if isinstance(a, Tensor):
        alike = a.dtype == b.dtype and a.shape == b.shape
        return [] if alike and torch.equal(a.nan_to_num(7e77), b.nan_to_num(7e77)) else [where]
    if isinstance(a, np.ndarray):
        return [] if a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True) else [where]
    if is_dataclass(a):
        names = [one.name for one in fields(a)]
        return [d for n in names for d in differ(getattr(a, n), getattr(b, n), f"{where}.{n}")]
    if isinstance(a, dict):
        if list(a) != list(b):
            return [where]
        return [d for key in a for d in differ(a[key], b[key], f"{where}[{key}]")]
    if isinstance(a, list | tuple):
        if len(a) != len(b):
            return [where]
        pairs = enumerate(zip(a, b, strict=True))
        return [d for k, (x, y) in pairs for d in differ(x, y, f"{where}[{k}]")]
    same = a == b or (isinstance(a, float) and a != a and b != b)
    return [] if same else [f"{where}: {a} {b}"]


def round_trip(result, folder):
    return load_result(save_result(result, folder))


@pytest.fixture(scope="module")
def points():
    line = built.leaky_line()
    return find_fixed_points(line.cell, line.seeds(12), [0.1])


def test_fixed_points_come_back_equal_and_work_as_before(points, tmp_path):
    again = round_trip(points, tmp_path / "found")
    assert differ(points, again) == []
    assert repr(again) == repr(points)
    assert again.summary() == points.summary()
    assert [again.sentence(k) for k in range(12)] == [points.sentence(k) for k in range(12)]
    cell = built.leaky_line().cell
    assert differ(linearize(cell, again), linearize(cell, points)) == []


def test_every_kind_of_point_and_outcome(tmp_path):
    for k, network in enumerate((built.fold_ghost(), built.ring(), built.flip_flop(bits=1))):
        found = find_fixed_points(network.cell, network.seeds(10), basins=False)
        assert differ(found, round_trip(found, tmp_path / str(k))) == []
    nothing = found.ghosts
    assert len(nothing) == 0
    assert differ(nothing, round_trip(nothing, tmp_path / "none")) == []


def test_branches_long_runs_curves_and_surfaces(tmp_path):
    net = built_bifurcations.hysteresis()
    line = built.leaky_line()
    points = find_fixed_points(line.cell, line.seeds(30))
    ring = built_bifurcations.turning_plane(rotation=0.1382)
    found = [
        continue_in_input(net.cell, net.roots[0], net.direction),
        long_run(net.cell, net.roots + 0.05),
        long_run(ring.cell, ring.seeds(2)),
        trace_slow_curve(line.cell, points),
    ]
    model = simplex_model()
    states = 0.5 * torch.rand(20, model.cell.state_size, dtype=torch.float64)
    found.append(trace_slow_surface(model, find_fixed_points(model, states), max_points=9))
    for k, one in enumerate(found):
        again = round_trip(one, tmp_path / str(k))
        assert differ(one, again) == []
        assert repr(one) == repr(again)


@pytest.mark.parametrize("kind", GATES)
def test_modes_of_every_cell_with_complex_pairs(kind, tmp_path):
    cell = random_cell(kind)
    states = 0.1 * torch.ones(2, cell.state_size, dtype=torch.float64)
    modes = linearize(cell, states)
    assert modes.right.is_complex()
    again = round_trip(modes, tmp_path / "modes")
    assert differ(modes, again) == []
    assert type(again.cell) is type(cell)
    x = torch.ones(3, dtype=torch.float64)
    assert torch.equal(again.cell.step(x, states[0]), cell.step(x, states[0]))
    assert again.signed_time_constants.equal(modes.signed_time_constants)


def test_a_stack_and_results_that_hold_results(points, tmp_path):
    model = from_torch(random_module("gru", layers=2, scale=0.6), vocabulary=WORDS)
    found = find_fixed_points(model, random_documents(), count=5, basins=False)
    modes = linearize(model, found.roots)
    assert isinstance(modes.cell, Stack)
    assert differ((found, modes), round_trip((found, modes), tmp_path / "both")) == []
    two = from_torch(random_module("vanilla", bidirectional=True, scale=0.6), vocabulary=WORDS)
    by_direction = find_fixed_points_by_direction(two, random_documents(), count=5, basins=False)
    again = round_trip(by_direction, tmp_path / "directions")
    assert list(again) == ["forward", "backward"]
    assert differ(by_direction, again) == []


def test_what_is_made_of_fixed_points(tmp_path):
    model = built.line_model()
    seeds = 0.5 * torch.randn(30, model.cell.state_size, generator=torch.Generator().manual_seed(0))
    found = find_fixed_points(model, seeds)
    modes = linearize(model, found)
    line = fit_manifold(found, modes)
    results = {
        "manifold": line,
        "continua": find_continua(model, found),
        "groups": mode_groups(modes),
        "verdict": line_attractor_verdict(found, modes, line),
        "cycles": find_cycles(model, seeds[:4]),
    }
    again = round_trip(results, tmp_path / "all")
    assert differ(results, again) == []
    assert again["verdict"].sentence == results["verdict"].sentence
    assert torch.equal(again["manifold"].coordinate(seeds), line.coordinate(seeds))


numbers = st.floats(width=64) | st.integers() | st.complex_numbers(allow_nan=False)
plain = st.none() | st.booleans() | st.text(max_size=4) | numbers | st.sampled_from(Outcome)
keys = st.text(max_size=3) | st.integers()
nested = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(nested)
def test_any_plain_value_comes_back_through_json(value):
    packed = pack(value)
    written = json.loads(json.dumps(packed.value, allow_nan=False))
    assert written == packed.value
    assert differ(value, unpack(packed)) == []


TENSORS = {
    "complex": torch.tensor([1 + 2j, complex("nan"), complex(0, float("inf"))]),
    "conjugate": torch.tensor([[1 + 2j, 3 - 1j]], dtype=torch.complex128).mH,
    "transposed": torch.arange(6.0).reshape(2, 3).mT,
    "expanded": torch.ones(1, dtype=torch.float64).expand(4),
    "bool": torch.tensor([True, False]),
    "whole": torch.tensor([2**62, -1]),
    "none of them": torch.empty(0, 3, dtype=torch.float64),
    "one": torch.tensor(3.5, dtype=torch.float32),
    "differentiated": torch.ones(2, requires_grad=True),
}


@pytest.mark.parametrize("name", TENSORS)
def test_arrays_of_every_kind(name, tmp_path):
    value = TENSORS[name]
    before = value.detach().clone()
    again = round_trip([value], tmp_path / "array")[0]
    assert differ(value.detach().resolve_conj(), again) == []
    assert differ(value.detach(), before) == []
    if not value.requires_grad:
        array = value.resolve_conj().numpy()
        assert differ([array], round_trip([array], tmp_path / "numpy")) == []


def test_complex_numbers_are_two_float64_numbers(tmp_path):
    values = torch.tensor([[1 + 2j, 3 - 4j]], dtype=torch.complex128)
    folder = save_result({"values": values}, tmp_path / "r")
    (array,) = load_arrays((folder / saving.ARRAYS).read_bytes()).values()
    assert array.dtype == torch.float64
    assert array.tolist() == [[[1, 2], [3, -4]]]


def test_an_array_in_two_fields_is_written_once(points, tmp_path):
    assert points.roots.residual is points.roots.drift
    packed = pack(points.roots)
    arrays = [one for one in fields(Points) if isinstance(getattr(points.roots, one.name), Tensor)]
    assert len(packed.arrays) == len(arrays) - 1
    again = round_trip(points.roots, tmp_path / "r")
    assert again.residual is again.drift


def test_the_result_is_left_alone(points, tmp_path):
    kept = pack(points)
    packed = pack(points)
    for array in packed.arrays.values():
        array.zero_()
    assert all(
        torch.equal(a.nan_to_num(7e77), b.nan_to_num(7e77))
        for a, b in zip(kept.arrays.values(), pack(points).arrays.values(), strict=True)
    )


def test_every_public_result_is_known():
    """Whatever is no argument of a search, no system and holds no whole network."""
    left_out = {"Box", "Drawn", "Runs", "Rest", "System", "StandIn", "Jacobians", "StatePlane"}
    public = {
        name
        for name in dynamics.__all__
        if isinstance(one := getattr(dynamics, name), type)
        and is_dataclass(one)
        and not issubclass(one, Enum)
    }
    assert public - left_out - set(CLASSES) == set()


def test_saving_again_replaces_and_leaves_nothing_else(points, tmp_path):
    folder = tmp_path / "r"
    save_result(points.roots, folder)
    save_result(points.manifold, folder)
    assert differ(points.manifold, load_result(folder)) == []
    assert [one.name for one in tmp_path.iterdir()] == ["r"]
    assert {one.name for one in folder.iterdir()} == {saving.ARRAYS, saving.DESCRIPTION}
    for file in folder.iterdir():
        assert differ(points.manifold, load_result(file)) == []


def test_a_save_that_is_cut_off_leaves_what_was_there(points, tmp_path, monkeypatch):
    folder = save_result(points.roots, tmp_path / "r")

    def cut_off(draft, path):
        raise KeyboardInterrupt

    monkeypatch.setattr("rnnscope.storage.put_in_place", cut_off)
    with pytest.raises(KeyboardInterrupt):
        save_result(points.manifold, folder)
    assert [one.name for one in tmp_path.iterdir()] == ["r"]
    assert differ(points.roots, load_result(folder)) == []


def test_a_folder_with_something_else_is_not_touched(points, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        save_result(points, tmp_path)
    with pytest.raises(UsageError, match="holds something else"):
        save_result(points, tmp_path / "notes.txt")
    with pytest.raises(UsageError, match="can be used"):
        save_result(points, tmp_path / "notes.txt" / "below")
    with pytest.raises(UsageError, match="can be used"):
        save_result(points, "a\0b")
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_code_is_not_saved(tmp_path):
    like = torch.zeros((), dtype=torch.float64)
    cell = Autodiff(function=lambda x, h: h / 2 + x, inputs=1, states=1, like=like)
    modes = linearize(cell, torch.zeros(1, 1))
    with pytest.raises(NotApplicable, match=r"Autodiff at Modes\.cell"):
        save_result(modes, tmp_path / "r")
    model = from_torch(random_module("gru"), vocabulary=WORDS)
    with pytest.raises(NotApplicable, match=r"(?s)Model at dict\['m'\].*model\.save"):
        save_result({"m": model}, tmp_path / "r")
    for thing in (
        object(),
        len,
        np.array([None]),
        np.array(["a"]),
        {1, 2},
        torch.eye(2).to_sparse(),
    ):
        with pytest.raises(NotApplicable, match="numbers, words and the results"):
            save_result([thing], tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_a_class_of_the_same_name_is_not_taken_for_ours(tmp_path):
    class Points:
        states = torch.zeros(1, 1)

    with pytest.raises(NotApplicable, match="Points at Points"):
        save_result(Points(), tmp_path / "r")


# Files that are not as they were written ----------------------------------------------------


def rewrite(folder, change, *, digest=True):
    """Change the description, with a digest that fits what it then holds."""
    file = folder / saving.DESCRIPTION
    description = json.loads(file.read_text())
    change(description)
    if digest:
        description["result_sha256"] = digest_of(description["result"])
    file.write_text(json.dumps(description))


def test_nothing_there(tmp_path):
    with pytest.raises(UsageError, match="nothing there"):
        load_result(tmp_path / "none")
    with pytest.raises(UsageError, match="nothing in it"):
        load_result(tmp_path)
    (tmp_path / "x").write_text("")
    with pytest.raises(UsageError, match="a directory with"):
        load_result(tmp_path)
    with pytest.raises(UsageError, match="no part of a saved result"):
        load_result(tmp_path / "x")


def test_damaged_files(points, tmp_path):
    folder = save_result(points, tmp_path / "r")
    arrays = folder / saving.ARRAYS
    data = arrays.read_bytes()
    arrays.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DataError, match="another digest of what is in arrays"):
        load_result(folder)
    arrays.unlink()
    with pytest.raises(DataError, match="must be readable"):
        load_result(folder)
    arrays.write_bytes(data)
    rewrite(folder, lambda d: d["result"]["fields"].update(scale=2.0), digest=False)
    with pytest.raises(DataError, match=r"another digest of what is in result\.json"):
        load_result(folder)
    text = (folder / saving.DESCRIPTION).read_text()
    for damaged in (text[: len(text) // 2], "", "[]", "null", '{"format": 1}', "[" * 100_000):
        (folder / saving.DESCRIPTION).write_text(damaged)
        with pytest.raises(DataError, match="must be readable"):
            load_result(folder)
    (folder / saving.DESCRIPTION).write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="must be readable"):
        load_result(folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: d.update(format=2), "format 2"),
        (lambda d: d["result"].update({"$": "System"}), "class"),
        (lambda d: d["result"]["fields"].update(more=1), r"FixedPointOptions\.more"),
        (lambda d: d["result"]["fields"].update(count=-1), "count"),
        (lambda d: d["result"].pop("fields"), "readable"),
        (lambda d: d["result"].update({"$": ["tuple"]}), "readable"),
        (lambda d: d.update(result={"$": "tensor", "name": "a0", "complex": False}), "readable"),
        (lambda d: d.update(result={"$": "Outcome", "name": "BEST"}), "readable"),
    ],
)
def test_what_this_version_does_not_know(change, sentence, tmp_path):
    folder = save_result(FixedPointOptions(), tmp_path / "r")
    rewrite(folder, change)
    with pytest.raises(DataError, match=sentence):
        load_result(folder)


def test_nothing_is_executed(tmp_path):
    """A pickle in place of either file is refused unread."""
    ran = tmp_path / "ran"

    class Runs:
        def __reduce__(self):
            return (open, (str(ran), "w"))

    folder = save_result([torch.zeros(1)], tmp_path / "r")
    for name in (saving.ARRAYS, saving.DESCRIPTION):
        (folder / name).write_bytes(pickle.dumps(Runs()))
        with pytest.raises(DataError):
            load_result(folder)
    assert not ran.exists()
