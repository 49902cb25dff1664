"""Sentiment towards a target: the target in the tweet is one word, and the GRU reads around it.

The tweets are those of Dong et al. (ACL 2014), acl-14-short-data, which every user fetches himself
(for instance from the repository of ABSA-PyTorch). Write train.parquet and test.parquet with the
columns template (the tweet with $T$ where the target stands) and label (0 to 2).

python examples/target_sentiment.py FOLDER      about two minutes
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import torch
from common import fit, write
from torch import nn

import rnnscope as rs

CLASSES = ("negative", "neutral", "positive")


class Reader(nn.Module):
    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, 64)
        self.drop = nn.Dropout(0.5)
        self.gru = nn.GRU(64, 64, batch_first=True)
        self.out = nn.Linear(64, 3)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.out(self.drop(self.gru(self.drop(self.words(ids)))[0].amax(dim=1)))


def read(file: Path) -> tuple[list[list[str]], np.ndarray]:
    table = pl.read_parquet(file)
    texts = [rs.tokenize(text.replace("$T$", " thetarget ")) for text in table["template"]]
    keep = [k for k, words in enumerate(texts) if words]
    return [texts[k] for k in keep], table["label"].to_numpy()[keep]


def main() -> None:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    texts, labels = read(folder / "train.parquet")
    held_out, truth = read(folder / "test.parquet")
    words = rs.Vocabulary.build(texts, min_count=2)
    torch.manual_seed(0)
    module = Reader(len(words))
    fit(module, [words.encode(d) for d in texts], labels, epochs=8)
    model = rs.from_torch(module, vocabulary=words, classes=CLASSES, documents=held_out[:200])
    corpus = rs.Corpus(
        documents=tuple(map(tuple, [*texts, *held_out])),
        labels=np.concatenate([labels, truth]),
        classes=CLASSES,
        splits=np.array(["train"] * len(texts) + ["test"] * len(held_out)),
        name="tweets with targets",
    )
    account = rs.explain(model, corpus, points=100)
    account.save("runs/target_sentiment/report.html")
    print(account)
    certificate = model.certificate
    write(
        Path("runs/target_sentiment"),
        certificate=certificate.to_dict() if certificate else None,
        accuracy=float((model.predict(held_out) == truth).mean()),
        majority=float(np.bincount(truth).max() / len(truth)),
    )


if __name__ == "__main__":
    main()
