"""A Keras model of film reviews, saved by Keras and read without it, explained on one page.

Needs Keras 3 on its torch backend and h5py (`pip install keras h5py`). The reviews (Maas et al.,
ACL 2011) are fetched by every user himself, for instance as `stanfordnlp/imdb` of the Hugging Face
hub; write train.parquet and test.parquet with the columns text and label (0 negative, 1 positive).

python examples/keras_imdb.py FOLDER    about four minutes
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import polars as pl
from common import write

import rnnscope as rs

LONGEST, TRAIN, TEST = 120, 4000, 1000


def read(file: Path, limit: int) -> tuple[list[list[str]], np.ndarray]:
    table = pl.read_parquet(file).sample(limit, seed=0, shuffle=True)
    texts = [rs.tokenize(text.replace("<br />", " "))[-LONGEST:] for text in table["text"]]
    return texts, table["label"].to_numpy()


def main() -> None:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    folder, out = Path(sys.argv[1]), Path("runs/keras_imdb")
    out.mkdir(parents=True, exist_ok=True)
    texts, labels = read(folder / "train.parquet", TRAIN)
    held_out, truth = read(folder / "test.parquet", TEST)
    words = rs.Vocabulary.build(texts, min_count=4)
    padded = np.zeros((len(texts), LONGEST), dtype="int32")
    for row, text in enumerate(texts):
        padded[row, LONGEST - len(text) :] = words.encode(text)  # the padding is row 0, and masked

    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(len(words), 48, mask_zero=True),
            keras.layers.SpatialDropout1D(0.3),
            keras.layers.GRU(48),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    net.optimizer.learning_rate = 3e-3
    net.fit(padded, labels, batch_size=64, epochs=3, verbose=2)
    net.save(out / "model.keras")

    model = rs.from_keras(
        out / "model.keras",
        vocabulary=words,
        classes=("negative", "positive"),
        predict=lambda ids: net(ids[None].astype("int32")),
        documents=held_out[:100],
    )
    corpus = rs.Corpus(
        documents=tuple(map(tuple, [*texts, *held_out])),
        labels=np.concatenate([labels, truth]),
        classes=("negative", "positive"),
        splits=np.array(["train"] * len(texts) + ["test"] * len(held_out)),
        name="film reviews",
    )
    account = rs.explain(model, corpus, points=100)
    account.save(out / "report.html")
    print(account)
    write(
        out,
        certificate=model.certificate.to_dict() if model.certificate else None,
        accuracy=float((model.predict(held_out) == truth).mean()),
    )


if __name__ == "__main__":
    main()
