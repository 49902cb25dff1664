"""The reproduction's page: what a study of real data found, with each published number beside it.

Run: rnnscope study studies/reproduction.toml --folder runs/reproduction --workers 2  (50 minutes)
     python benchmarks/reproduction.py --folder runs/reproduction

Writes docs/reproduction.md and docs/results/reproduction/ (CSV) from what is finished. Prints one
JSON object as the last line of standard output: networks finished, and the accuracies.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rnnscope.study import Study, StudyTables, study_tables
from rnnscope.study.tables import as_csv, as_markdown

ROOT = Path(__file__).parent.parent
GRID = ROOT / "studies" / "reproduction.toml"
PAGE, TABLES = ROOT / "docs" / "reproduction.md", ROOT / "docs" / "results" / "reproduction"

PUBLISHED = {
    "yelp_reviews": {"bow": 93.37, "vanilla": 92.96, "ugrnn": 95.67, "gru": 95.84, "lstm": 95.05},
    "imdb": {"bow": 88.53, "vanilla": 87.08, "ugrnn": 87.96, "gru": 86.86, "lstm": 86.93},
    "sst2": {"bow": 79.74, "vanilla": 78.09, "ugrnn": 77.74, "gru": 80.25, "lstm": 80.09},
}
"""Maheswaranathan et al. 2019, Table 1: accuracy in %."""

RULES = {
    "yelp_reviews": {"network": 95.3, "gamma": 86.5, "beta": 81.2, "gradient": 65.0},
    "sst2": {"network": 87.3, "gamma": 76.2, "beta": 77.4, "gradient": 68.0},
}
"""Murdoch & Szlam 2017, accuracy of the rules of an LSTM in %, as recalled, not checked."""

CELLS = ("vanilla", "ugrnn", "gru", "lstm")


def accuracy_rows(tables: StudyTables) -> list[dict[str, Any]]:
    rows = []
    for data in dict.fromkeys(row["data"] for row in tables.networks):
        own = [row for row in tables.networks if row["data"] == data]
        known = PUBLISHED.get(data, {})
        words = [row["bag_of_words"] for row in own if row["bag_of_words"] is not None]
        row: dict[str, Any] = {"data": data, "bag of words": _ours(words, known.get("bow"))}
        for cell in CELLS:
            values = [one["accuracy"] for one in own if one["architecture"] == cell]
            row[cell] = _ours(values, known.get(cell))
        rows.append(row)
    return rows


def rules_rows(tables: StudyTables) -> list[dict[str, Any]]:
    rows = []
    for data in dict.fromkeys(row["data"] for row in tables.networks):
        known = RULES.get(data, {})
        own = [r for r in tables.methods if r["data"] == data and r["architecture"] == "lstm"]
        networks = [
            r["accuracy"]
            for r in tables.networks
            if r["data"] == data and r["architecture"] == "lstm"
        ]
        row: dict[str, Any] = {"data": data, "the LSTM": _ours(networks, known.get("network"))}
        for method in ("gamma", "beta", "gradient"):
            values = [r["accuracy"] for r in own if r["method"] == method]
            row[method] = _ours(values, known.get(method))
        rows.append(row)
    return rows


def _ours(values: list[float], published: float | None) -> str:
    if not values:
        return ""
    mean = 100 * sum(values) / len(values)
    spread = f" [{100 * min(values):.1f}, {100 * max(values):.1f}]" if len(values) > 1 else ""
    return f"{mean:.1f}{spread}" + ("" if published is None else f" (paper {published})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("runs/reproduction"))
    parser.add_argument("--grid", type=Path, default=GRID)
    options = parser.parse_args()
    study = Study.read(options.grid)
    tables = study_tables(study, options.folder)
    TABLES.mkdir(parents=True, exist_ok=True)
    for name in ("networks", "predictions", "methods", "long_runs"):
        rows = [{k: v for k, v in row.items() if k != "folder"} for row in getattr(tables, name)]
        (TABLES / f"{name}.csv").write_text(as_csv(rows))
    accuracy = accuracy_rows(tables)
    notes = PAGE.read_text().split(MARK)[1] if PAGE.exists() and MARK in PAGE.read_text() else "\n"
    count = len(tables.networks)
    PAGE.write_text(
        PREFACE.format(count=count, of=count + len(tables.unfinished))
        + "\n## Accuracy in %\n\n" + as_markdown(accuracy)
        + "\n## Rules mined from the LSTMs: accuracy in %\n\n" + as_markdown(rules_rows(tables))
        + "\n## The line attractor: networks in which each prediction exceeds its nulls\n\n"
        + as_markdown(tables.findings())
        + "\n## The mechanism\n\n" + as_markdown(tables.mechanism())
        + "\n## Order of evidence: differences in accuracy, mean [95 % interval over seeds], "
        "and in how many networks they are positive\n\n" + as_markdown(tables.differences())
        + "\n## Left alone, without input: shares of the states that documents lead to\n\n"
        + as_markdown(tables.fates())
        + "\n" + MARK + notes
    )  # fmt: skip
    print(json.dumps({"networks": count, "accuracies": accuracy}))


MARK = "<!-- What follows is written by hand and kept. -->"
PREFACE = """# Reproduction

Vanilla RNN, UGRNN, GRU and LSTM of 64 units on four data sets, three seeds each, at a size for two
cores ([studies/reproduction.toml](../studies/reproduction.toml): Yelp's reviews cut to their last
200 words, IMDB's to 300, Yelp's sentences to 30,000 of them). Finished: {count} of {of} networks.
Each cell is the mean [lowest, highest] over seeds, never the best; the papers report their best
network by validation. Every network's row is in
[networks.csv](results/reproduction/networks.csv).

```
rnnscope study studies/reproduction.toml --folder runs/reproduction --workers 2  # 50 minutes
python benchmarks/reproduction.py --folder runs/reproduction                     # this page
```

At the papers' size: the same file with `units = [256]`, without `limit`, and `longest = 1000`; a
day or more on two cores.
"""


if __name__ == "__main__":
    main()
