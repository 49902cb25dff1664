"""Keras files: equal to Keras' equations written as loops, and, where it is installed, to Keras."""

from __future__ import annotations

import json
import os
import zipfile

import numpy as np
import pytest

import rnnscope.models as models
from rnnscope.errors import ModelError, RnnscopeError, UsageError
from tests.reference import frameworks as reference

h5py = pytest.importorskip("h5py")

D, N = 3, 4


def legacy(path, kind, weights, **options):
    """A Sequential model of one recurrent layer, as Keras 2 writes it to HDF5."""
    layer = {"name": "rnn", "units": N, "activation": "tanh", "use_bias": True, **options}
    config = {
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [{"class_name": kind, "config": layer}]},
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"rnn"]
        own = group.create_group("rnn")
        own.attrs["weight_names"] = [f"rnn/cell/{k}:0".encode() for k in range(len(weights))]
        for k, weight in enumerate(weights):
            own[f"rnn/cell/{k}:0"] = weight
    return path


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "GRU reset first", "SimpleRNN"])
def test_the_published_equations(kind, tmp_path):
    rng = np.random.default_rng(0)
    k = {"L": 4, "G": 3, "S": 1}[kind[0]]
    kernel, recurrent = rng.normal(size=(D, k * N)), rng.normal(size=(N, k * N))
    bias = rng.normal(size=(2, k * N) if kind == "GRU" else k * N)
    options = {"reset_after": kind == "GRU"} if kind.startswith("GRU") else {}
    path = legacy(tmp_path / "m.h5", kind.split()[0], [kernel, recurrent, bias], **options)
    xs = rng.normal(size=(5, D))
    found = models.from_keras(path).trajectory([xs]).pooled[0].numpy()
    loops = {
        "LSTM": reference.keras_lstm,
        "SimpleRNN": reference.keras_rnn,
        "GRU": lambda *a: reference.keras_gru(*a, reset_after=True),
        "GRU reset first": lambda *a: reference.keras_gru(*a, reset_after=False),
    }
    np.testing.assert_allclose(found, loops[kind](xs, kernel, recurrent, bias), atol=1e-12)


def small(tmp_path):
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=s) for s in ((D, 4 * N), (N, 4 * N), (4 * N,))]
    return legacy(tmp_path / "m.h5", "LSTM", weights), weights


@pytest.mark.parametrize(
    "options",
    [{"recurrent_activation": "hard_sigmoid"}, {"activation": "relu"}, {"use_bias": False}],
)
def test_options_without_equations_are_refused(options, tmp_path):
    _, weights = small(tmp_path)
    with pytest.raises(ModelError):
        models.from_keras(legacy(tmp_path / "n.h5", "LSTM", weights, **options))


def test_code_and_links_and_damage_are_refused(tmp_path):
    path, weights = small(tmp_path)
    data = path.read_bytes()
    (tmp_path / "cut.h5").write_bytes(data[: len(data) // 2])
    (tmp_path / "cut.keras").write_bytes(data)
    with h5py.File(path, "r+") as file:
        del file["model_weights/rnn/rnn/cell/0:0"]
        file["model_weights/rnn/rnn/cell/0:0"] = h5py.ExternalLink("/etc/other.h5", "/w")
    with pytest.raises(ModelError, match="link to elsewhere"):
        models.from_keras(path)
    with h5py.File(path, "r+") as file:
        del file["model_weights/rnn/rnn/cell/0:0"]
        file["model_weights/rnn/rnn"].create_dataset(
            "cell/0:0", shape=(10**6, 10**6), chunks=(1000, 1000), compression="gzip", dtype="f4"
        )
    with pytest.raises(ModelError, match="max_bytes"):
        models.from_keras(path)
    with h5py.File(path, "r+") as file:
        del file["model_weights/rnn/rnn/cell/0:0"]
        file["model_weights/rnn/rnn"].create_dataset(
            "cell/0:0", shape=(10**4, 10**4), chunks=(1000, 1000), compression="gzip", dtype="f4"
        )
    with pytest.raises(ModelError, match="thousand times"):
        models.from_keras(path)
    for bad in ("cut.h5", "cut.keras"):
        with pytest.raises(ModelError, match="whole"):
            models.from_keras(tmp_path / bad)
    evil = legacy(tmp_path / "l.h5", "Lambda", weights, function="marshalled")
    with pytest.raises(ModelError, match="code"):
        models.from_keras(evil)


def test_archives_that_are_bombs_or_lie(tmp_path):
    bomb = tmp_path / "bomb.keras"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", bytes(30_000_000))
    with pytest.raises(ModelError, match="thousand times"):
        models.from_keras(bomb)
    deep = tmp_path / "deep.keras"
    with zipfile.ZipFile(deep, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("config.json", "[" * 200_000)
    with pytest.raises(RnnscopeError):
        models.from_keras(deep)
    with pytest.raises(UsageError, match="ending"):
        models.from_keras(legacy(tmp_path / "m.txt", "LSTM", []))


def keras_models(keras):
    """Architectures that people train, by name, with random weights."""
    L = keras.layers
    words = lambda: keras.Input((None,), dtype="int32")  # noqa: E731
    vectors = lambda: keras.Input((None, D))  # noqa: E731

    def classifier(*layers, mask=False):
        x = given = words()
        for layer in (L.Embedding(12, 5, mask_zero=mask), *layers):
            x = layer(x)
        return keras.Model(given, x)

    two = lambda: L.Dense(2)  # noqa: E731
    yield "lstm", classifier(L.LSTM(4), two())
    yield "gru", classifier(L.GRU(4), two(), mask=True)
    yield "gru reset first", classifier(L.GRU(4, reset_after=False), two())
    yield (
        "simple rnn",
        classifier(L.SimpleRNN(4, activation="relu"), L.Dense(1, activation="sigmoid")),
    )
    yield "no bias", classifier(L.LSTM(4, use_bias=False), two())
    yield "backwards", classifier(L.GRU(4, go_backwards=True), two())
    yield (
        "bidirectional stack",
        classifier(
            L.Bidirectional(L.LSTM(4, return_sequences=True)),
            L.Dropout(0.5),
            L.Bidirectional(L.GRU(3)),
            L.Dense(6, activation="relu"),
            L.BatchNormalization(),
            L.Dense(3, activation="softmax"),
        ),
    )
    yield (
        "norm and mean",
        classifier(
            L.LSTM(4, return_sequences=True),
            L.LayerNormalization(),
            L.GRU(5, return_sequences=True),
            L.GlobalAveragePooling1D(),
            two(),
        ),
    )
    yield (
        "projected and max",
        classifier(
            L.TimeDistributed(L.Dense(6, activation="tanh")),
            L.LSTM(4, return_sequences=True),
            L.GlobalMaxPooling1D(),
            L.Dense(1, activation="sigmoid"),
        ),
    )
    yield "vectors", keras.Sequential([vectors(), L.Dense(5), L.LSTM(4), two()])


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras")


NAMES = ["lstm", "gru", "gru reset first", "simple rnn", "no bias", "backwards"]
NAMES += ["bidirectional stack", "norm and mean", "projected and max", "vectors"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_keras_itself(keras, name, tmp_path):
    """Optional: each file format, against Keras' own answers, float32."""
    keras.utils.set_random_seed(1)
    net = dict(keras_models(keras))[name]
    net.set_weights([np.random.default_rng(0).uniform(0.1, 1, w.shape) - 0.4 * (w.ndim > 1)
                     for w in net.get_weights()])  # fmt: skip

    def predict(document):
        return net(document[None].astype("float32" if document.ndim == 2 else "int32"))

    net.save(tmp_path / "m.keras")
    net.save(tmp_path / "m.h5")
    net.save_weights(tmp_path / "m.weights.h5")
    for file in ("m.keras", "m.h5", "m.weights.h5"):
        config = net.to_json() if file == "m.weights.h5" else None
        model = models.from_keras(tmp_path / file, config=config, predict=predict, tolerance=1e-5)
        assert model.certificate.logits <= 1e-5 * 10
    with pytest.raises(UsageError, match="to_json"):
        models.from_keras(tmp_path / "m.weights.h5")
