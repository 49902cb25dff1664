"""Faults injected into every saved format: kills, a full disk, damaged and hostile files.

Run: OMP_NUM_THREADS=1 python benchmarks/faults.py [--short] [--out docs/results/faults.json]

kill        while a new result takes an old one's place, the folder as it is before each of the
            system's calls (opening, renaming, removing, ...): what a kill would leave then. Each is
            loaded: it must be the old or the new. Beside that, processes that save in turn are
            killed in earnest at random moments.
disk full   writing fails after some bytes (the limit on a file's size); the old must be there.
truncated   each file cut at several places. Loading must raise a documented error, or give the very
            same contents (a last line's end may be missing).
bit flips   one bit of a file, drawn at random. As truncated; of lists that people edit, which have
            no digest, also other contents that are valid.
links       a file that is a link to itself, a device, a pipe.
bombs       JSON nested 10^5 deep, a file of 2^40 bytes without contents, packed text that
            unpacks to 1,000 times its size and more, a header that claims 2^60 bytes.
traversal   names of members and files that lead out of the folder or the archive.

In every case nothing but the saved thing may be written. Prints a table, writes JSON; ends with 1
if anything was lost.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import fault_formats
import fault_kinds
import fault_strangers

OUT = Path(__file__).parent.parent / "docs" / "results" / "faults.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="fewer of each, no real kills")
    parser.add_argument("--verbose", action="store_true", help="say what each took")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None, help="default: nothing when --short")
    arguments = parser.parse_args()
    started = time.perf_counter()
    table: dict[str, dict[str, dict[str, int]]] = {}
    lost: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        formats = fault_formats.formats(Path(folder))
        for form in formats:
            row = table[form.name] = {}
            for name, inject in fault_kinds.KINDS.items():
                place = Path(folder) / "faults" / form.name.replace(" ", "-") / name
                place.mkdir(parents=True)
                ends = Counter()
                cpu = time.process_time()
                for end, what in inject(form, place, arguments):
                    ends[end] += 1
                    if end == "LOST":
                        lost.append(f"{form.name}, {name}: {what}")
                        print(lost[-1], file=sys.stderr, flush=True)
                row[name] = dict(ends)
                if arguments.verbose:
                    print(form.name, name, dict(ends), f"{time.process_time() - cpu:.1f} s")
        table["files of strangers"] = {}
        for name, inject in fault_strangers.STRANGERS.items():
            ends = Counter(end for end, _ in inject(Path(folder)))
            table["files of strangers"][name] = dict(ends)
            lost += [f"files of strangers, {name}"] * ends["LOST"]
    injected = sum(n for row in table.values() for ends in row.values() for n in ends.values())
    result = {
        "command": "OMP_NUM_THREADS=1 python benchmarks/faults.py",
        "short": arguments.short,
        "injected": injected,
        "lost": len(lost),
        "seconds": round(time.perf_counter() - started),
        "formats": table,
    }
    out = arguments.out or (None if arguments.short else OUT)
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for name, row in table.items():
        print(name, *(f"{k}: {sum(v.values())}" for k, v in row.items()), sep="  ")
    print(f"{injected:,} faults injected, {len(lost)} lost, {result['seconds']} s")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
