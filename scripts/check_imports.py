"""Imports go one way (see the layout in CONTRIBUTING.md). Fails on an upward import or a cycle."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent / "src" / "rnnscope"

# What each part may import, besides itself. Anyone may use what is COMMON.
COMMON = {
    "errors",
    "numerics",
    "notebook",
    "statistics",
    "storage",
    "arguments",
    "memory",
    "progress",
}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "numerics": set(),
    "notebook": set(),
    "memory": {"errors"},
    "progress": set(),
    "storage": {"errors"},
    "arguments": {"errors"},
    "statistics": set(),
    "cells": set(),
    "data": set(),
    "models": {"cells", "data"},
    "training": {"cells", "data", "models"},
    "synthetic": {"cells", "data", "models"},
    "scores": {"cells", "data", "models"},
    "dynamics": {"cells", "data", "models"},
    "phrases": {"scores"},
    "rules": {"data", "phrases"},
    "fidelity": {"models", "scores", "rules", "dynamics"},
    "report": {"fidelity"},
    "figures": {"report"},
    "account": {
        "data",
        "models",
        "scores",
        "phrases",
        "rules",
        "dynamics",
        "fidelity",
        "report",
    },
    "study": {
        "account",
        "data",
        "dynamics",
        "fidelity",
        "models",
        "phrases",
        "report",
        "rules",
        "scores",
        "training",
    },
    "explorer": {
        "account",
        "data",
        "dynamics",
        "models",
        "phrases",
        "report",
        "rules",
        "scores",
        "study",
    },
    "qa": {"cells", "data", "models", "training", "scores", "rules"},
    "cli": {
        "qa",
        "account",
        "study",
        "explorer",
        "fidelity",
        "data",
        "models",
        "training",
        "scores",
        "phrases",
        "rules",
        "dynamics",
    },
}


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_parts(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            if node.level:
                found.append((node.lineno, "a relative import"))
            elif node.module == "rnnscope":
                names = [f"rnnscope.{alias.name}" for alias in node.names]
            elif node.module:
                names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found += [
            (node.lineno, name.split(".")[1]) for name in names if name.startswith("rnnscope.")
        ]
    return found


def cycles() -> list[str]:
    """Modules that import each other while they load; an import inside a function is no fault."""
    modules = {
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in sorted(ROOT.rglob("*.py"))
    }
    arrows = {
        name: {
            node.module
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.ImportFrom) and node.module in modules
        }
        for name, path in modules.items()
        if path.name != "__init__.py"
    }
    done: set[str] = set()
    found: list[str] = []

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            found.append("a cycle: " + " -> ".join((*trail[trail.index(name) :], name)))
        elif name not in done:
            for target in sorted(arrows.get(name, ())):
                visit(target, (*trail, name))
            done.add(name)

    for name in arrows:
        visit(name, ())
    return found


def main() -> int:
    faults = cycles()
    for path in sorted(ROOT.rglob("*.py")):
        part = part_of(path)
        if part == "__init__":
            continue
        if part not in MAY_IMPORT:
            faults.append(f"{path}: a new part; say in {Path(__file__).name} what it may import")
            continue
        allowed = MAY_IMPORT[part] | {part} | (set() if part in COMMON else COMMON)
        faults += [
            f"{path}:{line}: {part} must not import {name}"
            for line, name in imported_parts(path)
            if name not in allowed
        ]
    for part in ("scores", "dynamics"):
        other = "dynamics" if part == "scores" else "scores"
        if other in MAY_IMPORT[part]:
            faults.append(f"{part} and {other} never import each other")
    print("\n".join(faults) or "imports go one way")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
