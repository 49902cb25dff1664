"""Networks out of named arrays: equal to each framework's equations as loops, and to itself."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import rnnscope.models as models
from rnnscope.errors import ModelError, RnnscopeError, UsageError
from tests.helpers import WORDS, random_documents, random_module
from tests.reference import frameworks as reference

D, N = 3, 4


def arrays(rng, **shapes):
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def linear(rng):
    return arrays(rng, A=(N, D), W=(N, N), b=(N,))


def flax(rng, inputs, states, with_bias):
    tree = {name: arrays(rng, kernel=(D, N)) for name in inputs}
    tree |= {name: arrays(rng, kernel=(N, N)) for name in states}
    for name in with_bias:
        tree[name]["bias"] = rng.normal(size=N)
    return tree


def final(model, xs):
    return model.trajectory([xs]).pooled[0].numpy()


def cases():
    rng = np.random.default_rng(0)
    lstm = flax(rng, ["ii", "if", "ig", "io"], ["hi", "hf", "hg", "ho"], ["hi", "hf", "hg", "ho"])
    gru = flax(rng, ["ir", "iz", "in"], ["hr", "hz", "hn"], ["ir", "iz", "in", "hn"])
    yield (
        "flax lstm",
        {"params": {"LSTMCell_0": lstm}},
        {},
        lambda xs: reference.flax_lstm(xs, lstm),
    )
    yield "flax gru", {"params": {"cell": gru}}, {}, lambda xs: reference.flax_gru(xs, gru)
    for kind, gates in {
        "vanilla": ["weights"],
        "ugrnn": ["update_gate", "cell_state"],
        "gru": ["update_gate", "reset_gate", "cell_state"],
        "lstm": ["forget_gate", "update_gate", "output_gate", "cell_state"],
    }.items():
        tree = {gate: linear(rng) for gate in gates}
        tree["initial_state"] = rng.normal(size=2 * N if kind == "lstm" else N)
        options = {"forget_bias": 1.0, "gate_bias": 0.7}
        yield (
            f"renn {kind}",
            tree,
            options,
            lambda xs, tree=tree, kind=kind: reference.renn(xs, tree, kind, gate_bias=0.7),
        )
    kernel, bias = rng.normal(size=(D + N, 4 * N)), rng.normal(size=4 * N)
    yield (
        "tensorflow lstm",
        {"rnn/basic_lstm_cell/kernel": kernel, "rnn/basic_lstm_cell/bias": bias},
        {"forget_bias": 1.0},
        lambda xs: reference.tensorflow_lstm(xs, kernel, bias),
    )
    gates = arrays(rng, kernel=(D + N, 2 * N), bias=(2 * N,))
    candidate = arrays(rng, kernel=(D + N, N), bias=(N,))
    yield (
        "tensorflow gru",
        {"rnn/gru_cell/gates": gates, "rnn/gru_cell/candidate": candidate},
        {},
        lambda xs: reference.tensorflow_gru(
            xs, gates["kernel"], gates["bias"], candidate["kernel"], candidate["bias"]
        ),
    )


CASES = {name: rest for name, *rest in cases()}


@pytest.mark.parametrize("name", CASES)
def test_the_equations_of_each_framework(name):
    tree, options, expected = CASES[name]
    xs = np.random.default_rng(1).normal(size=(6, D))
    model = models.from_weights(tree, **options)
    np.testing.assert_allclose(final(model, xs), expected(xs), atol=1e-12)


def state_dict(**options):
    module = random_module(**options).eval()
    return module, {k: v.contiguous() for k, v in module.state_dict().items()}


@pytest.mark.parametrize("kind", ["vanilla", "gru", "lstm"])
@pytest.mark.parametrize("ending", ["safetensors", "pt", "npz", "tree"])
def test_state_dicts_of_torch(kind, ending, tmp_path):
    module, state = state_dict(kind=kind, layers=2, bidirectional=True)
    path = tmp_path / f"weights.{ending}"
    if ending == "safetensors":
        save_file(state, path)
    elif ending == "pt":
        torch.save({"state_dict": state, "epoch": 3}, path)
    elif ending == "npz":
        np.savez(path, **{k: v.numpy() for k, v in state.items()})
    source = state if ending == "tree" else path
    before = {k: v.clone() for k, v in state.items()}

    def predict(ids):
        return module(torch.as_tensor(ids)[None]).detach().numpy()

    documents = random_documents(5)
    model = models.from_weights(source, vocabulary=WORDS, predict=predict, documents=documents)
    assert model.certificate.logits <= 1e-12
    assert all(torch.equal(before[k], v) for k, v in state.items())


def test_heads_and_stacks_are_said_in_order():
    rng = torch.Generator().manual_seed(0)
    net = nn.ModuleDict(
        {
            "emb": nn.Embedding(10, 3),
            "low": nn.LSTM(3, 4, batch_first=True),
            "norm": nn.LayerNorm(4),
            "high": nn.GRU(4, 5, batch_first=True),
            "fc": nn.Linear(5, 6),
            "out": nn.Linear(6, 2),
        }
    ).double()
    for weight in net.parameters():
        nn.init.normal_(weight, generator=rng)
    with pytest.raises(ModelError, match="order must be said"):
        models.from_weights(net.state_dict())

    def predict(ids):
        x = net["low"](net["emb"](torch.as_tensor(ids)[None]))[0]
        x = net["high"](net["norm"](x))[0].mean(1)
        return net["out"](torch.relu(net["fc"](x))).detach()

    order = ["emb", "low", "norm", "high", "pool", "fc", "relu", "out"]
    model = models.from_weights(
        net.state_dict(), order=order, pooling="mean", predict=predict, documents=[[1, 2, 3], [4]]
    )
    assert model.certificate.logits <= 1e-12
    with pytest.raises(ModelError, match="difference of at most"):
        models.from_weights(net.state_dict(), order=order, pooling="last", predict=predict)
    with pytest.raises(UsageError, match="'middle'"):
        models.from_weights(net.state_dict(), order=["emb", "middle"])


def hostile_files(folder):
    """Files that a stranger might send, by what is wrong with them."""
    _, state = state_dict()
    good = folder / "good.safetensors"
    save_file(state, good)
    data = good.read_bytes()

    def write(name, content):
        (folder / name).write_bytes(content)
        return folder / name

    yield "truncated", write("truncated.safetensors", data[: len(data) // 2])
    yield "header of a petabyte", write("huge.safetensors", (2**50).to_bytes(8, "little") + data)
    claim = b'{"w":{"dtype":"F64","shape":[9999999999,9999],"data_offsets":[0,8]}}'
    yield (
        "array of a petabyte",
        write("claim.safetensors", len(claim).to_bytes(8, "little") + claim + bytes(8)),
    )
    deep = b"[" * 100_000
    yield "nested", write("deep.safetensors", len(deep).to_bytes(8, "little") + deep)
    yield "no file of its kind", write("text.pt", b"hello")
    yield "empty", write("empty.npz", b"")

    class Evil:
        def __reduce__(self):
            return (exec, ("raise SystemExit('code was run')",))

    yield "bare pickle", write("bare.pt", pickle.dumps(Evil()))
    torch.save({"w": Evil()}, folder / "evil.pt")
    yield "pickle in a checkpoint", folder / "evil.pt"
    stream = io.BytesIO()
    np.save(stream, np.array([Evil()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(folder / "evil.npz", "w") as archive:
        archive.writestr("w.npy", stream.getvalue())
    yield "pickle in an npz", folder / "evil.npz"
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", bytes(50_000_000))
    yield "zip bomb", folder / "bomb.npz"
    with zipfile.ZipFile(folder / "claim.npz", "w") as archive:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 10**6)}
        )
        archive.writestr("w.npy", header.getvalue())
    yield "npz of a yottabyte", folder / "claim.npz"
    with zipfile.ZipFile(folder / "up.npz", "w") as archive:
        archive.writestr("../../outside.npy", b"x")
    yield "name that climbs", folder / "up.npz"
    (folder / "loop.pt").symlink_to(folder / "loop.pt")
    yield "link to itself", folder / "loop.pt"
    yield "folder", folder
    yield "nothing", folder / "missing.pt"


def test_hostile_files_are_refused_and_nothing_is_written(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    for what, path in hostile_files(inside):
        before = sorted(p.name for p in tmp_path.rglob("*"))
        with pytest.raises(RnnscopeError):
            models.from_weights(path)
        assert what
        assert sorted(p.name for p in tmp_path.rglob("*")) == before


def test_weights_beyond_the_limit_are_refused():
    _, state = state_dict()
    with pytest.raises(ModelError, match="max_bytes"):
        models.from_weights(state, max_bytes=100)


def test_arrays_of_no_known_part_are_named():
    _, state = state_dict()
    with pytest.raises(ModelError, match=r"mystery \(3,\)"):
        models.from_weights({**state, "mystery": torch.ones(3)})


FLAX = Path(__file__).parent / "flax"


@pytest.mark.parametrize("cell", ["LSTMCell", "OptimizedLSTMCell", "GRUCell", "SimpleCell"])
def test_trees_that_flax_wrote(cell, tmp_path):
    """From ``scripts/build_flax_trees.py``: the files and the answers of Flax itself."""
    pytest.importorskip("msgpack")
    known = json.loads((FLAX / "answers.json").read_text())
    xs = np.array(known["inputs"], dtype=np.float32)
    found = final(models.from_weights(FLAX / f"{cell}.msgpack"), xs)
    np.testing.assert_allclose(found, known["answers"][cell], atol=1e-5)
    half = tmp_path / "half.msgpack"
    data = (FLAX / f"{cell}.msgpack").read_bytes()
    half.write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="whole"):
        models.from_weights(half)


def test_flax_itself():
    """Optional: the same trees run by Flax and Equinox, float32."""
    jax = pytest.importorskip("jax")
    linen = pytest.importorskip("flax.linen")
    equinox = pytest.importorskip("equinox")
    serialization = pytest.importorskip("flax.serialization")
    xs = np.random.default_rng(2).normal(size=(9, D)).astype(np.float32)
    for cell in (linen.LSTMCell, linen.OptimizedLSTMCell, linen.GRUCell, linen.SimpleCell):
        rnn = linen.RNN(cell(N))
        variables = rnn.init(jax.random.key(0), xs)
        expected = np.asarray(rnn.apply(variables, xs))[-1]
        found = final(models.from_weights(jax.device_get(variables)), xs)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert serialization.to_bytes(variables)
    for make in (equinox.nn.LSTMCell, equinox.nn.GRUCell):
        cell = make(D, N, key=jax.random.key(1))
        state = np.zeros(N, np.float32)
        state = (state, state) if make is equinox.nn.LSTMCell else state
        for x in xs:
            state = cell(x, state)
        expected = np.asarray(state[0] if isinstance(state, tuple) else state)
        np.testing.assert_allclose(final(models.from_weights(cell), xs), expected, atol=1e-5)


def test_flax_files(tmp_path):
    pytest.importorskip("msgpack")
    jax = pytest.importorskip("jax")
    linen = pytest.importorskip("flax.linen")
    serialization = pytest.importorskip("flax.serialization")
    xs = np.ones((4, D), np.float32)
    rnn = linen.RNN(linen.GRUCell(N))
    variables = rnn.init(jax.random.key(0), xs)
    path = tmp_path / "weights.msgpack"
    data = serialization.to_bytes(variables)
    path.write_bytes(data)
    expected = np.asarray(rnn.apply(variables, xs))[-1]
    np.testing.assert_allclose(final(models.from_weights(path), xs), expected, atol=1e-5)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="whole"):
        models.from_weights(path)
