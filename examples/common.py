"""What the examples share: training a torch module on sequences, and where the data lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn


def fit(
    module: nn.Module,
    sequences: Sequence[np.ndarray],
    labels: np.ndarray,
    *,
    epochs: int,
    batch: int = 32,
    rate: float = 2e-3,
    seed: int = 0,
) -> None:
    """Train a classifier of single sequences of equal length in a batch: sorted by length, cut."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(module.parameters(), lr=rate, weight_decay=1e-3)
    order = np.argsort([len(s) for s in sequences], kind="stable")
    groups = [order[k : k + batch] for k in range(0, len(order), batch)]
    for epoch in range(epochs):
        module.train()
        total = 0.0
        for g in rng.permutation(len(groups)):
            rows = groups[g]
            length = min(len(sequences[k]) for k in rows)
            x = torch.as_tensor(np.stack([sequences[k][:length] for k in rows]))
            loss = nn.functional.cross_entropy(module(x), torch.as_tensor(labels[rows]).long())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimizer.step()
            total += float(loss.detach()) * len(rows)
        print(f"epoch {epoch + 1}: loss {total / len(order):.3f}", flush=True)
    module.eval()


def write(folder: Path, **facts: Any) -> None:
    """The example's figures beside its report."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(facts, indent=1, default=str)
    (folder / "facts.json").write_text(text + "\n", encoding="utf-8")
    print(text)
