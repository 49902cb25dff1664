"""Imported networks beside their originals: architectures x frameworks, the certified difference.

Run: OMP_NUM_THREADS=1 python benchmarks/imports.py [--write]

Needs the frameworks: keras (on torch), onnx and onnxruntime, flax and equinox; one that is not
installed is left out and named. Networks have random weights, 64 units, a vocabulary of 1,000
words and embeddings of 50; documents are random, 1 to 34 words. Prints a table to standard error
and one JSON object as the last line of standard output:
    rows        each: framework, format, network, states and logits (largest absolute difference),
                and for torch the differences of both precisions
    versions    of every framework
    missing     frameworks that are not installed
--write puts it into docs/results/imports.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import torch
from torch import nn

import rnnscope as rs

WORDS, WIDTH, UNITS = 1000, 50, 64
RESULTS = Path(__file__).parent.parent / "docs" / "results" / "imports.json"
Row = dict[str, Any]


class Classifier(nn.Module):
    def __init__(self, recurrent: nn.Module, pooling: str, width: int, head: nn.Module) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.recurrent, self.pooling, self.head = recurrent, pooling, head
        self.score = nn.Linear(width, 1) if pooling == "attention" else None

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        y, hidden = self.recurrent(self.embedding(ids))
        if self.pooling == "mean":
            pooled = y.mean(1)
        elif self.pooling == "max":
            pooled = y.amax(1)
        elif self.score is not None:
            pooled = (torch.softmax(self.score(y), 1) * y).sum(1)
        else:
            h = hidden[0] if isinstance(hidden, tuple) else hidden
            pooled = torch.cat(list(h[-(1 + self.recurrent.bidirectional) :]), -1)
        return self.head(pooled)


def torch_networks() -> Iterator[tuple[str, nn.Module]]:
    kinds = {
        "rnn tanh": lambda **o: nn.RNN(WIDTH, UNITS, batch_first=True, **o),
        "rnn relu": lambda **o: nn.RNN(WIDTH, UNITS, nonlinearity="relu", batch_first=True, **o),
        "gru": lambda **o: nn.GRU(WIDTH, UNITS, batch_first=True, **o),
        "lstm": lambda **o: nn.LSTM(WIDTH, UNITS, batch_first=True, **o),
        "lstm proj_size=32": lambda **o: nn.LSTM(WIDTH, UNITS, proj_size=32, batch_first=True, **o),
    }
    for name, make in kinds.items():
        n = 32 if "proj" in name else UNITS
        yield name, Classifier(make(), "last", n, nn.Linear(n, 2))
        both = make(num_layers=2, bidirectional=True, dropout=0.3)
        yield (
            f"2-layer bidirectional {name}, mean",
            Classifier(both, "mean", 2 * n, nn.Linear(2 * n, 2)),
        )
    for name in ("gru", "lstm"):
        for pooling in ("max", "attention"):
            yield (
                f"{name}, {pooling}",
                Classifier(kinds[name](), pooling, UNITS, nn.Linear(UNITS, 2)),
            )
        head = nn.Sequential(
            nn.LayerNorm(UNITS), nn.Linear(UNITS, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 3)
        )
        yield f"{name}, layer norm, hidden layer", Classifier(kinds[name](), "last", UNITS, head)


def of_torch(folder: Path) -> Iterator[Row]:
    for name, module in torch_networks():
        certificate = rs.from_torch(module.eval()).certificate
        assert certificate is not None
        yield {
            "framework": "torch",
            "format": "module",
            "network": name,
            "states": certificate.states,
            "logits": certificate.logits,
            "precisions": certificate.precisions,
        }


def of_state_dicts(folder: Path) -> Iterator[Row]:
    from safetensors.torch import save_file

    for name, module in torch_networks():
        if "attention" in name or "layer norm" in name:
            continue
        path = folder / "weights.safetensors"
        save_file(module.state_dict(), path)
        pooling = name.split(", ")[1] if ", " in name else "last"

        def predict(ids: np.ndarray, module: nn.Module = module) -> Any:
            return module.eval()(torch.as_tensor(ids)[None])

        relu = "relu" if "relu" in name else "tanh"
        model = rs.from_weights(path, pooling=pooling, nonlinearity=relu, predict=predict)
        yield _row("torch", "safetensors", name, model)


def of_keras(folder: Path) -> Iterator[Row]:
    keras = import_module("keras")
    keras.utils.set_random_seed(0)
    L = keras.layers
    networks = {
        "lstm": [L.LSTM(UNITS)],
        "gru": [L.GRU(UNITS)],
        "gru reset first": [L.GRU(UNITS, reset_after=False)],
        "simple rnn": [L.SimpleRNN(UNITS)],
        "bidirectional lstm": [L.Bidirectional(L.LSTM(UNITS))],
        "2-layer bidirectional gru, mean": [
            L.Bidirectional(L.GRU(UNITS, return_sequences=True)),
            L.Bidirectional(L.GRU(UNITS, return_sequences=True)),
            L.GlobalAveragePooling1D(),
        ],
        "lstm, layer norm, hidden layer": [
            L.LSTM(UNITS),
            L.LayerNormalization(),
            L.Dense(32, activation="relu"),
        ],
    }
    for name, layers in networks.items():
        given = keras.Input((None,), dtype="int32")
        x = L.Embedding(WORDS, WIDTH)(given)
        for layer in (*layers, L.Dense(2)):
            x = layer(x)
        net = keras.Model(given, x)
        rng = np.random.default_rng(0)
        net.set_weights([rng.normal(scale=0.15, size=w.shape) for w in net.get_weights()])
        for ending in ("keras", "h5", "weights.h5"):
            path = folder / f"model.{ending}"
            (net.save_weights if ending == "weights.h5" else net.save)(path)
            model = rs.from_keras(
                path,
                config=net.to_json() if ending == "weights.h5" else None,
                predict=lambda ids, net=net: net(ids[None]),
            )
            yield _row("keras", f".{ending}", name, model)


def of_onnx(folder: Path) -> Iterator[Row]:
    import_module("onnx")
    ort = import_module("onnxruntime")
    for name, module in torch_networks():
        if "proj" in name:
            continue  # ONNX's LSTM has no projection
        path = folder / "model.onnx"
        torch.onnx.export(
            module.eval(),
            torch.randint(1, WORDS, (1, 9)),
            path,
            dynamo=False,
            opset_version=17,
            input_names=["ids"],
            dynamic_axes={"ids": {1: "steps"}},
        )
        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])

        def predict(ids: np.ndarray, session: Any = session) -> Any:
            return session.run(None, {"ids": ids[None]})[0]

        yield _row("onnx", ".onnx", name, rs.from_onnx(path, predict=predict))


def of_jax(folder: Path) -> Iterator[Row]:
    jax = import_module("jax")
    linen = import_module("flax.linen")
    serialization = import_module("flax.serialization")
    for cell in (linen.LSTMCell, linen.OptimizedLSTMCell, linen.GRUCell, linen.SimpleCell):
        rnn = linen.RNN(cell(UNITS))
        variables = rnn.init(jax.random.key(0), np.zeros((3, WIDTH), np.float32))
        path = folder / "weights.msgpack"
        path.write_bytes(serialization.to_bytes(variables))

        def predict(xs: np.ndarray, rnn: Any = rnn, variables: Any = variables) -> Any:
            return np.asarray(rnn.apply(variables, xs.astype(np.float32)))[-1]

        yield _row("flax", ".msgpack", cell.__name__, rs.from_weights(path, predict=predict))


def of_equinox(folder: Path) -> Iterator[Row]:
    jax, equinox = import_module("jax"), import_module("equinox")
    for make in (equinox.nn.LSTMCell, equinox.nn.GRUCell):
        cell = make(WIDTH, UNITS, key=jax.random.key(0))

        def predict(xs: np.ndarray, cell: Any = cell) -> Any:
            zero = np.zeros(UNITS, np.float32)
            state = (zero, zero) if isinstance(cell, equinox.nn.LSTMCell) else zero
            for x in xs.astype(np.float32):
                state = cell(x, state)
            return np.asarray(state[0] if isinstance(state, tuple) else state)

        yield _row("equinox", "tree", make.__name__, rs.from_weights(cell, predict=predict))


def _row(framework: str, kind: str, name: str, model: rs.Model) -> Row:
    certificate = model.certificate
    assert certificate is not None
    return {
        "framework": framework,
        "format": kind,
        "network": name,
        "states": certificate.states,
        "logits": certificate.logits,
    }


SOURCES = {
    "torch": of_torch,
    "safetensors": of_state_dicts,
    "keras": of_keras,
    "onnx": of_onnx,
    "flax": of_jax,
    "equinox": of_equinox,
}
PACKAGES = ("torch", "keras", "h5py", "onnx", "onnxruntime", "flax", "jax", "equinox")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    rows: list[Row] = []
    missing: list[str] = []
    for name, source in SOURCES.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                for row in source(Path(folder)):
                    rows.append(row)
                    largest = row["logits"] if row["logits"] is not None else row["states"]
                    text = f"{row['framework']:8} {row['format']:12} {row['network']:44}"
                    print(f"{text} {largest:.1e}", file=sys.stderr)
            except ImportError as error:
                missing.append(f"{name}: {error}")
    result = {
        "rows": rows,
        "versions": {name: version(name) for name in PACKAGES if _installed(name)},
        "missing": missing,
        "python": platform.python_version(),
    }
    if arguments.write:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


def _installed(name: str) -> bool:
    try:
        version(name)
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    main()
