"""Files of rule lists and phrase models, written whole or not at all.

Both are JSON with one entry a line, to edit by hand, or one Python file with the entries, the
tokenizer's source and what classifies with them.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from rnnscope.data import tokenize
from rnnscope.errors import DataError, UsageError
from rnnscope.storage import new_file

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a file holds.

    Args:
        name: such as "rule list".
        entry: what one of its entries is, such as "rule".
        entries: the name that they stand under.
        header: the names that may stand beside it.
        written_by: the method that writes one.
        does: what its Python file does.
    """

    name: str
    entry: str
    entries: str
    header: tuple[str, ...]
    written_by: str
    does: str = "classifies texts"

    @property
    def format(self) -> str:
        """How a JSON file says what it is."""
        return f"rnnscope {self.name}"

    @property
    def first_line(self) -> str:
        """How a Python file does."""
        return f'"""An rnnscope {self.name}: {self.does}; needs nothing but Python."""'


def write(kind: Kind, path: str | Path, writers: Mapping[str, Callable[[], str]]) -> Path:
    """Write what the writer of the path's ending gives; replaces only a file of its kind."""
    path = check_path(kind, path, writers)
    text = writers[path.suffix]()
    try:
        new_file(path, text)
    except (OSError, ValueError) as error:
        raise _unwritable(kind, path, error) from error
    return path


def check_path(kind: Kind, path: str | Path, endings: Iterable[str]) -> Path:
    """Raise UsageError for a path without one of the endings, or that holds something else."""
    try:
        path = Path(path)
        taken = path.exists() and not _is_a(kind, path)
    except (OSError, ValueError, TypeError) as error:
        raise _unwritable(kind, path, error) from error
    if path.suffix not in endings:
        raise UsageError(
            f"The ending of the name says how a {kind.name} is written.",
            expected=f"a name that ends in {' or '.join(endings)}",
            got=str(path)[:80],
        )
    if taken:
        raise UsageError(
            f"An exported {kind.name} replaces an exported {kind.name} only.",
            expected=f"a new path, or one that holds a {kind.name}",
            got=f"{path}, which holds something else",
            fix="name another path; nothing was written",
        )
    return path


def as_json(kind: Kind, header: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> str:
    """The header, and one entry a line."""
    header = {"format": kind.format, "version": VERSION, **header}
    _check_pairs(header, "the classes or the header")
    lines = [f" {_dumps(key)}: {_dumps(value)}" for key, value in header.items()]
    listed = []
    for place, entry in enumerate(entries, 1):
        _check_pairs(entry, f"{kind.entry} {place}")
        listed.append("  " + _dumps(entry))
    body = "\n" + ",\n".join(listed) + "\n " if listed else ""
    lines.append(f" {_dumps(kind.entries)}: [{body}]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def as_python(kind: Kind, data: Iterable[str], *code: str) -> str:
    """The data, and the code that works on it."""
    head = [kind.first_line, "", "from __future__ import annotations", ""]
    return "\n".join([*head, *data, "", *code, ""])


def tokenizer_source() -> str:
    """The source of the default tokenizer."""
    source = _body(inspect.getsource(sys.modules[tokenize.__module__]))
    return f"# The tokenizer of rnnscope.\n{source}\n"


def copied(module: ModuleType, marker: str) -> str:
    """A module's source from the line ``marker`` on."""
    source = inspect.getsource(module).partition(f"\n{marker}\n")[2]
    return re.sub("  # noqa: .*", "", f"{marker}\n{source}").strip("\n")


def plain(words: Iterable[str]) -> tuple[str, ...]:
    """Without subclasses of str, whose repr may not be a string's."""
    return tuple(map(str, words))


def _unwritable(kind: Kind, path: object, error: Exception) -> UsageError:
    return UsageError(
        f"A {kind.name} is exported to a path that can be written.",
        got=f"{str(path)[:80]!r}: {error}",
    )


def _check_pairs(value: Any, where: str) -> None:
    if json.loads(json.dumps(value)) != value:
        raise DataError(
            "JSON reads two surrogates side by side as one character.",
            got=f"such a pair in {where}",
            fix="export to .py, or leave it out",
        )


def _dumps(value: Any) -> str:
    """Readable where UTF-8 can hold it, escaped where it cannot."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False)
    return text


def _body(source: str) -> str:
    """A module's source without its docstring, its __future__ imports and its ``__all__``."""
    lines = source.splitlines()
    for k, node in enumerate(ast.parse(source).body):
        left_out = (
            (k == 0 and isinstance(node, ast.Expr))
            or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
            or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        )
        if left_out:
            lines[node.lineno - 1 : node.end_lineno] = [""] * len(
                lines[node.lineno - 1 : node.end_lineno]
            )
    return "\n".join(lines).strip("\n")


def _is_a(kind: Kind, path: Path) -> bool:
    if not path.is_file():  # a pipe would be waited for
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        start = file.read(200)
    as_json = rf'\ufeff?\s*{{\s*"format"\s*:\s*"{kind.format}"'
    return start.startswith(kind.first_line) or re.match(as_json, start) is not None
