"""Run by ``test_scoring``: every score on a second device, beside the CPU's; written as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import pytest
import torch

import rnnscope as rs
from rnnscope.study import mining
from tests.devices.pretend import NAME, second_device
from tests.helpers import WORDS, random_documents, random_module

SCORES = {
    "gamma": rs.CellDecomposition,
    "beta": rs.CellDifference,
    "gradient": rs.GradientTimesInput,
    "gradient norm": rs.GradientNorm,
    "integrated": lambda model: rs.IntegratedGradients(model, baseline="mean", tolerance=1e-2),
    "occlusion": lambda model: rs.Occlusion(model, baseline="mean"),
    "leave one out": rs.LeaveOneOut,
    "contextual": lambda model: rs.ContextualDecomposition(model, bias="reference-2018"),
}
SHAPES = {
    "plain": {},
    "both directions": {"bidirectional": True},
    "two layers": {"layers": 2},
    "max": {"pooling": "max"},
    "mean": {"pooling": "mean"},
}


def networks():
    for kind in ("lstm", "gru"):
        for shape, options in SHAPES.items():
            module = random_module(kind, **options)
            pooling = {"pooling": options["pooling"]} if "pooling" in options else {}
            yield f"{kind}, {shape}", rs.from_torch(module, vocabulary=WORDS, **pooling)


def main() -> None:
    documents = random_documents(25)
    rows = []
    for name, model in networks():
        for method, make in SCORES.items():
            try:
                score = make(model)
            except rs.NotApplicable:
                continue
            plain = score.score(documents).values
            row = {"network": name, "score": method}
            try:
                with second_device():
                    there = score.to(device=NAME)
                    row["device"] = there.model.device.type
                    found = there.score(documents).values
                    row["result"] = found.device.type
                    row["difference"] = float((found - plain).abs().max())
            except Exception as error:
                row["error"] = f"{type(error).__name__}: {str(error)[:300]}"
            rows.append(row)
    found = {"scores": rows, "mined": mined(documents), "mixed": mixed(), "same": accounts()}
    json.dump(found, sys.stdout)


def accounts() -> dict[str, list[str]]:
    """Where the account of a network on the second device is not the one that it has on the CPU."""
    documents = random_documents(60)
    corpus = rs.Corpus(documents=documents, labels=[k % 2 for k in range(60)], classes=("0", "1"))
    same = {}
    for kind in ("lstm", "gru"):
        model = rs.from_torch(random_module(kind), vocabulary=WORDS)
        plain = rs.explain(model, corpus, points=16).to_dict()
        with second_device():
            there = rs.explain(model.to(device=NAME), corpus, points=16).to_dict()
        same[kind] = differing(plain, there)
    return same


def differing(a, b, path="account") -> list[str]:
    """Where two accounts differ by more than rounding."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [place for name in a for place in differing(a[name], b[name], f"{path}.{name}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [p for k in range(len(a)) for p in differing(a[k], b[k], f"{path}[{k}]")]
    if isinstance(a, float) and isinstance(b, float):
        return [] if a == pytest.approx(b, rel=1e-9, abs=1e-9, nan_ok=True) else [path]
    return [] if a == b else [path]


def mined(documents) -> dict[str, object]:
    """A corpus mined where the worker has a second device, and on the CPU."""
    model = rs.from_torch(random_module("lstm"), vocabulary=WORDS)
    score = rs.CellDifference(model)
    here = rs.mine_on(score, documents, shard=9, device="cpu")
    asked = []
    mining.gpu = lambda: asked.append(NAME) or NAME
    with second_device():
        there = rs.mine_on(score, documents, shard=9)
        with tempfile.TemporaryDirectory() as folder:
            on_disk = rs.mine_on(score, documents, shard=9, path=Path(folder) / "table")
            kept = rs.mine_phrases(on_disk, word_threshold=1.0).to_frame().rows()
    phrases = [rs.mine_phrases(t, word_threshold=1.0).to_frame().rows() for t in (here, there)]
    return {"asked": len(asked), "phrases": [*phrases, kept], "model": model.device.type}


def mixed() -> str:
    """What work that does not keep to one device meets."""
    with second_device():
        try:
            return str(torch.ones(2, device=NAME) + torch.ones(2))
        except RuntimeError as error:
            return str(error)


if __name__ == "__main__":
    main()
