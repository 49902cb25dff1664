"""Rule lists as files: JSON to edit by hand, and one Python file that replaces the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rnnscope.errors import DataError
from rnnscope.rules import files, reading, standalone

if TYPE_CHECKING:
    from rnnscope.rules.rule_list import RuleList

    L = TypeVar("L", bound=RuleList)

KIND = files.Kind(
    name="rule list",
    entry="rule",
    entries="rules",
    header=("classes", "default", "tokenizer", "method", "fingerprint"),
    written_by="RuleList.export",
)
ENTRY = ("phrase", "class", "importance", "count", "precision")
ENDINGS = (".json", ".py")


def export_rules(rules: RuleList, path: str | Path) -> Path:
    """Write a rule list to ``path``; see ``RuleList.export``."""
    writers = {".json": lambda: to_json(rules), ".py": lambda: to_python(rules)}
    return files.write(KIND, path, writers)


def check_export(path: str | Path) -> None:
    """Raise UsageError where a rule list would not be written, before it is made."""
    files.check_path(KIND, path, ENDINGS)


def to_json(rules: RuleList) -> str:
    """The list as JSON, one rule a line."""
    described = rules.to_dict()
    header = {key: described[key] for key in KIND.header}
    known = ({k: v for k, v in rule.items() if v is not None} for rule in described["rules"])
    return files.as_json(KIND, header, known)


def to_python(rules: RuleList) -> str:
    """The list as a Python file: its data, the tokenizer's source, and ``standalone``'s."""
    listed = [
        f"    ({files.plain(rule.words)!a}, {int(rule.class_index)})," for rule in rules.rules
    ]
    data = [
        f"CLASSES = {files.plain(rules.classes)!a}",
        f"DEFAULT = {int(rules.default)}",
        f"TOKENIZER, METHOD, FINGERPRINT = "
        f"{files.plain((rules.tokenizer, rules.method, rules.fingerprint))!a}",
        "# In order: the first phrase that occurs decides.",
        *(["RULES = (", *listed, ")"] if listed else ["RULES = ()"]),
    ]
    return files.as_python(
        KIND, data, files.tokenizer_source(), files.copied(standalone, standalone.COPIED)
    )


def load_rules(cls: type[L], path: str | Path) -> L:
    """Read what ``to_json`` wrote; see ``RuleList.load``."""
    header, entries = reading.header_and_entries(KIND, path)
    return from_entries(cls, header, entries)


def from_entries(cls: type[L], header: Mapping[str, Any], entries: Iterable[Any]) -> L:
    """A rule list of plain values: phrases as texts or lists of words, classes by name."""
    from rnnscope.rules.rule_list import Rule

    classes = reading.classes(KIND, header)
    origin = reading.origin(header)
    labels = {name: label for label, name in enumerate(classes)}
    rules = []
    for place, entry in enumerate(entries, 1):
        where = f"rule {place}"
        if not isinstance(entry, dict):
            raise DataError(
                "A rule is a phrase and a class.",
                expected='{"phrase": "not good", "class": "negative"}',
                got=f"{entry!r:.60} as {where}",
            )
        reading.check_names(KIND, entry, ENTRY, where)
        rules.append(
            Rule(
                words=reading.phrase(KIND, entry.get("phrase"), origin["tokenizer"], where),
                class_index=_label(labels, entry.get("class"), f"{where}, {_named(entry)}"),
                importance=_number(entry, "importance", where),
                count=_number(entry, "count", where, whole=True),
                precision=_number(entry, "precision", where),
            )
        )
    default = _label(labels, header.get("default"), "the default")
    return cls(rules=tuple(rules), default=default, classes=classes, **origin)


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
    if not reading.is_number(value, whole=whole):
        raise DataError(
            f'"{key}" is a {"whole " if whole else ""}number, or left out.',
            got=f"{value!r:.60} in {where}",
        )
    return value if whole else float(value)


def _named(entry: Mapping[str, Any]) -> str:
    return repr(entry.get("phrase"))[:60]
