"""What the examples share: training a torch module on sequences, and where the data lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from rnnscope.notebook import html_table, named_rows


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


def write(folder: Path, *shown: Any, lead: str = "", **facts: Any) -> None:
    """The example's figures beside its report; where the library wrote none, a page of them.

    ``shown`` are figures of matplotlib and results of the library, ``lead`` is what they say.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(facts, indent=1, default=str)
    (folder / "facts.json").write_text(text + "\n", encoding="utf-8")
    if not (folder / "account.json").exists():
        body = f"<h1>{escape(folder.name)}</h1><p>{escape(lead)}</p>{''.join(map(html, shown))}"
        page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(folder.name)}'
        page += f"</title><style>{STYLE}</style>{body}{html(facts)}</html>\n"
        (folder / "report.html").write_text(page, encoding="utf-8")
    print(text)


STYLE = (
    "body{font:16px/1.5 system-ui;margin:2rem auto;max-width:52rem;padding:0 1rem}"
    "caption{text-align:left;font-weight:600;padding:.6rem 0}svg{max-width:100%;height:auto}"
    "table{border-collapse:collapse;margin:1.5rem 0}tr{border-top:1px solid #ddd}"
    "th,td{text-align:left;vertical-align:top;padding:.3rem 1.5rem .3rem 0}"
)


def html(shown: Any) -> str:
    """A figure as vectors, facts as a table, a result as it shows itself in a notebook."""
    if isinstance(shown, Figure):
        drawn = StringIO()
        shown.savefig(drawn, format="svg", bbox_inches="tight")
        return drawn.getvalue()[drawn.getvalue().index("<svg") :]
    if isinstance(shown, dict):
        return html_table("All figures", named_rows(shown))
    return shown._repr_html_()
