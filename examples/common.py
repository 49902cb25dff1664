"""What the examples share: training a torch module on sequences, and where the data lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
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
    """The example's figures beside its report; where it has none, a page of the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(facts, indent=1, default=str)
    (folder / "facts.json").write_text(text + "\n", encoding="utf-8")
    if not (folder / "account.json").exists():
        (folder / "report.html").write_text(page(folder.name, facts), encoding="utf-8")
    print(text)


def page(title: str, facts: dict[str, Any]) -> str:
    """The figures as one plain page."""
    rows = []
    for name, value in facts.items():
        shown = value if isinstance(value, str) else json.dumps(value, indent=1, default=str)
        rows.append(f"<tr><th>{escape(name)}</th><td><pre>{escape(shown)}</pre></td></tr>")
    style = (
        "body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}"
        "th{text-align:left;vertical-align:top;padding:.4rem 1.5rem .4rem 0}pre{margin:.4rem 0;"
        "white-space:pre-wrap}tr{border-top:1px solid #ddd}table{border-collapse:collapse}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{style}</style><h1>{escape(title)}</h1><table>{''.join(rows)}</table></html>\n"
    )
