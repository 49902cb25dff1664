"""ONNX files: equal to the operators' equations written as loops, and to onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rnnscope.models as models
from rnnscope.errors import ModelError
from tests.helpers import random_module
from tests.reference import frameworks as reference

onnx = pytest.importorskip("onnx")
helper, numpy_helper = onnx.helper, onnx.numpy_helper

D, N = 3, 4


def one_operator(path, op, weights, **attributes):
    """X (T, 1, d) -> one recurrent operator -> Y."""
    names = ["X", "W", "R", "B"]
    node = helper.make_node(op, names, ["Y"], hidden_size=N, **attributes)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("X", 1, ["T", 1, D])],
        [helper.make_tensor_value_info("Y", 1, None)],
        [numpy_helper.from_array(w, n) for n, w in zip("WRB", weights, strict=True)],
    )
    onnx.save(helper.make_model(graph), path)
    return path


@pytest.mark.parametrize("op", ["LSTM", "GRU", "GRU linear_before_reset", "RNN"])
def test_the_published_equations(op, tmp_path):
    rng = np.random.default_rng(0)
    k = {"L": 4, "G": 3, "R": 1}[op[0]]
    W, R, B = (rng.normal(size=s).astype("f4") for s in ((k * N, D), (k * N, N), (2 * k * N,)))
    after = op.endswith("reset")
    options = {"linear_before_reset": 1} if after else {}
    path = one_operator(tmp_path / "m.onnx", op.split()[0], (W[None], R[None], B[None]), **options)
    xs = rng.normal(size=(6, D)).astype("f4")
    found = models.from_onnx(path).trajectory([xs]).pooled[0].numpy()
    if op == "LSTM":
        expected = reference.onnx_lstm(xs, W, R, B)
    elif op == "RNN":
        expected = reference.keras_rnn(xs, W.T, R.T, B[:N] + B[N:])
    else:
        expected = reference.onnx_gru(xs, W, R, B, linear_before_reset=after)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_options_without_equations_and_damage_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=s).astype("f4") for s in ((1, 16, D), (1, 16, N), (1, 32))]
    for options in ({"clip": 1.0}, {"input_forget": 1}, {"activations": ["Tanh"] * 3}):
        with pytest.raises(ModelError, match="equations for"):
            models.from_onnx(one_operator(tmp_path / "m.onnx", "LSTM", weights, **options))
    path = one_operator(tmp_path / "m.onnx", "LSTM", weights)
    data = path.read_bytes()
    for k, cut in enumerate((data[: len(data) // 2], b"", b"\xff" * 100)):
        bad = tmp_path / f"bad{k}.onnx"
        bad.write_bytes(cut)
        with pytest.raises(ModelError):
            models.from_onnx(bad)
    whole = onnx.load(path)
    whole.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    onnx.external_data_helper.set_external_data(whole.graph.initializer[0], "../../etc/passwd")
    whole.graph.initializer[0].ClearField("raw_data")
    path.write_bytes(whole.SerializeToString())
    with pytest.raises(ModelError, match="another file"):
        models.from_onnx(path)
    with pytest.raises(ModelError, match="max_bytes"):
        models.from_onnx(one_operator(tmp_path / "m.onnx", "LSTM", weights), max_bytes=300)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["vanilla", "relu", "gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("original", ["torch", "onnxruntime"])
def test_exports_of_torch(kind, bidirectional, pooling, original, tmp_path):
    """Against the module that was exported, and where it is installed against the runtime."""
    ort = pytest.importorskip("onnxruntime") if original == "onnxruntime" else None
    module = random_module(
        kind, layers=2, bidirectional=bidirectional, pooling=pooling, dtype=torch.float32
    ).eval()
    path = tmp_path / "m.onnx"
    torch.onnx.export(
        module,
        torch.randint(1, 10, (1, 6)),
        path,
        dynamo=False,
        input_names=["ids"],
        dynamic_axes={"ids": {1: "T"}},
    )

    def predict(ids):
        if ort is None:
            return module(torch.as_tensor(ids[None])).detach()
        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        return session.run(None, {"ids": ids[None]})[0]

    model = models.from_onnx(path, predict=predict, tolerance=1e-5)
    assert model.pooling == pooling
    assert model.certificate.logits <= 1e-4
    assert len(model.layers) == 2
