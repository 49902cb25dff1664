"""A small study that takes seconds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from rnnscope.study import Study


def write_reviews(folder: Path, count: int = 120, *, rng: int = 0) -> Path:
    """Generated reviews of a few words each, with splits and labels."""
    generator = np.random.default_rng(rng)
    good, bad = ["good", "fine", "great", "warm"], ["bad", "dull", "poor", "cold"]
    rest = ["the", "film", "a", "plot", "was", "it"]
    rows = []
    for k in range(count):
        label = int(generator.integers(2))
        words = list(generator.choice(rest, 5)) + list(generator.choice(good if label else bad, 2))
        generator.shuffle(words)
        split = "test" if k % 4 == 0 else "validation" if k % 4 == 1 else "train"
        rows.append({"text": " ".join(words), "label": label, "split": split})
    path = folder / "reviews.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def small(folder: Path, **changes: object) -> Study:
    """Two cells, two seeds, one data set."""
    path = write_reviews(folder)
    table = {
        "name": "small",
        "data": {"reviews": {"source": str(path), "classes": ["negative", "positive"]}},
        "architectures": ["vanilla", "gru"],
        "units": [5],
        "seeds": [0, 1],
        "training": {"embedding": 6, "epochs": 2, "min_count": 1},
        "analyses": {"accuracy": {}, "methods": {}},
    }
    return Study.of(table | changes)
