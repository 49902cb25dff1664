# ruff: noqa: E501
"""docs/robustness.md from docs/results/{imports,fuzz,faults,resumed_account,long_documents}.json.

Run: python benchmarks/robustness_page.py
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs"

HEAD = """# Robustness

Every number on this page is in [results](results); `python benchmarks/robustness_page.py` writes the page
from there.

"""


def result(name: str) -> dict[str, Any]:
    return json.loads((DOCS / "results" / f"{name}.json").read_text(encoding="utf-8"))


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def imports() -> str:
    """Architectures by frameworks: the largest difference of each."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    columns: dict[str, None] = {}
    known = result("imports")
    for row in known["rows"]:
        column = f"{row['framework']} {row['format']}"
        columns[column] = None
        gaps = [gap for gap in (row["states"], row["logits"]) if gap is not None]
        found[row["network"]][column] = max(gaps)
    rows = [
        [network, *(f"{cells[c]:.0e}" if c in cells else "" for c in columns)]
        for network, cells in found.items()
    ]
    worst = max(gap for cells in found.values() for gap in cells.values())
    versions = ", ".join(f"{name} {version}" for name, version in known["versions"].items())
    return (
        "## Networks of other frameworks\n\n"
        "The largest difference of any state or logit between the original, run by its own framework "
        f"in float32, and ours. {len(known['rows'])} imports, the worst {worst:.1e} "
        f"({versions}).\n`python benchmarks/imports.py --write`\n\n"
        + table(["network", *columns], rows)
    )


def fuzzed() -> str:
    found = result("fuzz")
    ends = sorted(found["ends"].items(), key=lambda pair: -pair[1])
    return (
        "## Hostile and odd input\n\n"
        f"{found['inputs']:,} generated inputs to {found['targets']} entry points (every public "
        "function and class, every command, every loader on damaged files), each in the same process, "
        f"seed {found['seed']}: {found['findings']} exceptions other than the documented ones, changed "
        "arguments, changed random states or global flags, or calls above a minute of the processor; peak memory of the "
        f"whole run {found['peak_megabytes']:,} MB.\n`make fuzz`\n\n"
        + table(["how it ended", "inputs"], [[name, f"{count:,}"] for name, count in ends])
    )


def faults() -> str:
    found = result("faults")
    kinds = list(dict.fromkeys(kind for row in found["formats"].values() for kind in row))
    rows = []
    for name, row in found["formats"].items():
        cells = []
        for kind in kinds:
            ends = row.get(kind, {})
            cells.append(", ".join(f"{count} {end}" for end, count in ends.items()))
        rows.append([name, *cells])
    short = " --short" if found["short"] else ""
    return (
        "## Faults\n\n"
        f"{found['injected']:,} faults injected into every format that is saved, {found['lost']} with "
        "anything lost. old, new: what was loaded after; refused: a documented error and nothing "
        "written; same: the contents as they were; edited: other valid contents of a list that people "
        "edit, which has no digest.\n"
        f"`OMP_NUM_THREADS=1 python benchmarks/faults.py{short}`\n\n"
        + table(["saved", *kinds], rows)
    )


def long_documents() -> str:
    found = result("long_documents")
    rows = []
    for kind in ("gru", "lstm"):
        own = found.get(kind, {})
        for task, cell in own.items():
            if isinstance(cell, dict):
                rows.append(
                    [kind.upper(), task, f"{cell['megabytes']:,}", f"{cell['seconds']:,.0f}"]
                )
        if own:
            every = own["megabytes of all states"], own["with gates and drives"]
            rows.append([kind.upper(), "(all states as one array)", f"{every[0]:,}", ""])
            rows.append([kind.upper(), "(with gates and drives)", f"{every[1]:,}", ""])
    return (
        f"## One document of {found['words']:,} words\n\n"
        f"A network of {found['units']} units in float32 that reads out its last state. Megabytes: peak "
        "resident memory above what the process held before, results included. Seconds on one core "
        "that other work shared.\n"
        f"`{found['command']}`\n\n" + table(["network", "task", "megabytes", "seconds"], rows)
    )


def resumed() -> str:
    found = result("resumed_account")
    killed = len(found["processes"]) - 1
    same = "the same, number for number" if found["same"] else "**not the same**"
    return (
        "## An account that is killed again and again\n\n"
        f"The demo's LSTM explained on {found['documents']:,} reviews of Yelp: {found['plain']:,.0f} s left alone, "
        f"{found['kept']:,.0f} s where its {found['parts']} parts are kept ({found['megabytes']:,} MB). By processes "
        f"of which {killed} were killed, each going on from the parts that were finished: "
        f"{found['killed_in_all']:,.0f} s in all, the longest part {found['longest_part']:,.0f} s; "
        f"from all parts {found['from_all_parts']:,.1f} s. The accounts are {same}.\n"
        "`OMP_NUM_THREADS=1 python benchmarks/resumed_account.py --model runs/demo/model --every 15 --write`\n\n"
    )


def main() -> None:
    parts = {
        **{"imports": imports, "fuzz": fuzzed, "faults": faults, "resumed_account": resumed},
        "long_documents": long_documents,
    }
    there = [make() for name, make in parts.items() if (DOCS / "results" / f"{name}.json").exists()]
    page = HEAD + "".join(there)
    (DOCS / "robustness.md").write_text(page.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
