"""Rule lists as files: JSON to edit by hand, and one Python file that replaces the network."""

from __future__ import annotations

import ast
import inspect
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rnnscope.data import tokenize
from rnnscope.errors import DataError, UsageError
from rnnscope.rules import standalone

if TYPE_CHECKING:
    from rnnscope.rules.rule_list import RuleList

    L = TypeVar("L", bound=RuleList)

FORMAT, VERSION = "rnnscope rule list", 1
FIRST_LINE = '"""An rnnscope rule list: classifies texts; needs nothing but Python."""'
HEADER = ("format", "version", "classes", "default", "tokenizer", "method", "fingerprint", "rules")
ENTRY = ("phrase", "class", "importance", "count", "precision")


def export_rules(rules: RuleList, path: str | Path) -> Path:
    """Write a rule list to ``path``; see ``RuleList.export``."""
    try:
        path = Path(path)
        path.exists()
    except (OSError, ValueError, TypeError) as error:
        raise _unwritable(path, error) from error
    writer = {".json": to_json, ".py": to_python}.get(path.suffix)
    if writer is None:
        raise UsageError(
            "A rule list is exported to JSON or to Python.",
            expected="a name that ends in .json or .py",
            got=str(path)[:80],
        )
    text = writer(rules)
    try:
        if path.exists() and not _is_ours(path):
            raise UsageError(
                "An exported rule list replaces an exported rule list only.",
                expected="a new path, or one that holds such a list",
                got=f"{path}, which holds something else",
                fix="name another path; nothing was written",
            )
        _write(path, text)
    except (OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise _unwritable(path, error) from error
    return path


def _unwritable(path: object, error: Exception) -> UsageError:
    return UsageError(
        "Rules are exported to a path that can be written.", got=f"{str(path)[:80]!r}: {error}"
    )


def to_json(rules: RuleList) -> str:
    """The list as JSON, one rule a line."""
    described = rules.to_dict()
    entries = described.pop("rules")
    header = {"format": FORMAT, "version": VERSION, **described}
    del header["size"]
    _check_pairs(header, "the classes or the header")
    lines = [f" {_dumps(key)}: {_dumps(value)}" for key, value in header.items()]
    listed = []
    for place, entry in enumerate(entries, 1):
        _check_pairs(entry, f"rule {place}")
        known = {key: value for key, value in entry.items() if value is not None}
        listed.append("  " + _dumps(known))
    lines.append(' "rules": [' + ("\n" + ",\n".join(listed) + "\n " if listed else "") + "]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def to_python(rules: RuleList) -> str:
    """The list as a Python file: its data, the tokenizer's source, and ``standalone``'s."""
    listed = [f"    ({_plain(rule.words)!a}, {int(rule.class_index)})," for rule in rules.rules]
    data = [
        f"CLASSES = {_plain(rules.classes)!a}",
        f"DEFAULT = {int(rules.default)}",
        f"TOKENIZER, METHOD, FINGERPRINT = "
        f"{_plain((rules.tokenizer, rules.method, rules.fingerprint))!a}",
        "# In order: the first phrase that occurs decides.",
        *(["RULES = (", *listed, ")"] if listed else ["RULES = ()"]),
    ]
    return "\n".join(
        [
            FIRST_LINE,
            "",
            "from __future__ import annotations",
            "",
            *data,
            "",
            "# The tokenizer of rnnscope.",
            _body(inspect.getsource(sys.modules[tokenize.__module__])),
            "",
            _matching_source(),
            "",
        ]
    )


def load_rules(cls: type[L], path: str | Path) -> L:
    """Read what ``to_json`` wrote; see ``RuleList.load``."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError, TypeError) as error:
        wrong = isinstance(error, UnicodeDecodeError)
        kind = DataError if wrong else UsageError
        raise kind(
            "A rule list is a JSON file in UTF-8." if wrong else "There must be a rule list.",
            expected="a file that RuleList.export wrote as .json",
            got=f"{str(path)[:80]!r}: {error}",
        ) from error
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise DataError(
            "A rule list is a JSON file.",
            got=f"{path}, line {error.lineno}, column {error.colno}: {error.msg}",
            fix="look for a missing or an extra comma, quote or bracket there",
        ) from error
    except RecursionError as error:
        raise DataError("A rule list is a JSON file.", got=f"{path}: nested too deeply") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise DataError(
            "A rule list says what it is.",
            expected=f'an object with "format": "{FORMAT}"',
            got=f"{path}: another kind of JSON file",
        )
    if found.get("version") != VERSION:
        raise DataError(
            "The format must be one that this version reads.",
            expected=f"version {VERSION}",
            got=f"version {found.get('version')!r} in {path}",
            fix="install a newer rnnscope",
        )
    _only(found, HEADER, "the file")
    entries = found.get("rules")
    if not isinstance(entries, list):
        raise DataError("A rule list has its rules in a list.", got=f'"rules": {entries!r:.60}')
    return from_entries(cls, found, entries)


def from_entries(cls: type[L], header: Mapping[str, Any], entries: Iterable[Any]) -> L:
    """A rule list of plain values: phrases as texts or lists of words, classes by name."""
    from rnnscope.rules.rule_list import Rule

    classes = header.get("classes")
    if (
        not isinstance(classes, list)
        or not classes
        or not all(isinstance(name, str) for name in classes)
        or len(set(classes)) < len(classes)
    ):
        raise DataError(
            "A rule list names its classes, each once.",
            expected='such as ["negative", "positive"], in the order of the network\'s',
            got=repr(classes)[:80],
        )
    labels = {name: label for label, name in enumerate(classes)}
    texts = {key: header.get(key, "") for key in ("tokenizer", "method", "fingerprint")}
    texts["tokenizer"] = header.get("tokenizer", "words")
    for key, value in texts.items():
        if not isinstance(value, str):
            raise DataError(f'"{key}" is a string.', got=repr(value)[:80])
    rules = []
    for place, entry in enumerate(entries, 1):
        where = f"rule {place}"
        if not isinstance(entry, dict):
            raise DataError(
                "A rule is a phrase and a class.",
                expected='{"phrase": "not good", "class": "negative"}',
                got=f"{entry!r:.60} as {where}",
            )
        _only(entry, ENTRY, where)
        rules.append(
            Rule(
                words=_phrase(entry.get("phrase"), texts["tokenizer"], where),
                class_index=_label(labels, entry.get("class"), f"{where}, {_named(entry)}"),
                importance=_number(entry, "importance", where),
                count=_number(entry, "count", where, whole=True),
                precision=_number(entry, "precision", where),
            )
        )
    default = _label(labels, header.get("default"), "the default")
    return cls(rules=tuple(rules), default=default, classes=tuple(classes), **texts)


def _phrase(phrase: Any, tokenizer: str, where: str) -> tuple[str, ...]:
    if isinstance(phrase, str):
        if tokenizer != "words":
            raise DataError(
                "These rules were mined with a tokenizer that is not stored.",
                expected="a list of words",
                got=f"a text as the phrase of {where}: {phrase[:40]!r}",
            )
        words = tuple(tokenize(phrase))
    elif isinstance(phrase, list | tuple) and all(isinstance(word, str) for word in phrase):
        words = tuple(phrase)
    else:
        raise DataError(
            "A phrase is a text or a list of words.",
            expected='"not good" or ["not", "good"]',
            got=f"{phrase!r:.60} in {where}",
        )
    if not words:
        raise DataError(
            "A rule has a phrase of at least one word.", got=f"{phrase!r:.60} in {where}"
        )
    return words


def _label(labels: Mapping[str, int], name: Any, where: str) -> int:
    if not isinstance(name, str) or name not in labels:
        raise DataError(
            "A rule must name a class of the list.",
            expected=", ".join(map(repr, labels)),
            got=f"{name!r} in {where}",
        )
    return labels[name]


def _number(entry: Mapping[str, Any], key: str, where: str, *, whole: bool = False) -> Any:
    value = entry.get(key)
    if value is None:
        return None
    fits = isinstance(value, int if whole else int | float) and math.isfinite(value)
    if isinstance(value, bool) or not fits:
        raise DataError(
            f'"{key}" is a {"whole " if whole else ""}number, or left out.',
            got=f"{value!r:.60} in {where}",
        )
    return value if whole else float(value)


def _named(entry: Mapping[str, Any]) -> str:
    return repr(entry.get("phrase"))[:60]


def _only(found: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in found:
        if name not in names:
            raise DataError(
                "A name in a rule list must be one that is known.",
                expected=", ".join(names),
                got=f"{name!r} in {where}",
            )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DataError(
            "A name stands once in an object; of two, one would be lost.",
            got=f"{{{', '.join(f'{name!r}: {value!r:.60}' for name, value in pairs)}}}",
        )
    return found


def _check_pairs(value: Any, where: str) -> None:
    if json.loads(json.dumps(value)) != value:
        raise DataError(
            "JSON reads two surrogates side by side as one character.",
            got=f"such a pair in {where}",
            fix="export to .py, or leave it out",
        )


def _plain(words: Iterable[str]) -> tuple[str, ...]:
    """Without subclasses of str, whose repr may not be a string's."""
    return tuple(map(str, words))


def _dumps(value: Any) -> str:
    """Readable where UTF-8 can hold it, escaped where it cannot."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False)
    return text


def _matching_source() -> str:
    copied = inspect.getsource(standalone).partition(f"\n{standalone.COPIED}\n")[2]
    return f"{standalone.COPIED}\n{copied}".replace("  # noqa: E402", "").strip("\n")


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


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        start = file.read(200)
    return start.startswith(FIRST_LINE) or (
        start.lstrip("\ufeff{ \r\n\t").startswith('"format"') and FORMAT in start
    )


def _write(path: Path, text: str) -> None:
    """At no moment is the path half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name[:40]}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
