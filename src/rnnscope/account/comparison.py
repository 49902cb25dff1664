"""Accounts of two networks or more, side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnscope.account.account import Account, check_page
from rnnscope.errors import DataError, UsageError
from rnnscope.notebook import html_table
from rnnscope.report import render_comparison, side_by_side
from rnnscope.report.text import measure
from rnnscope.storage import as_path, new_file

Source = Account | Mapping[str, Any] | str | Path
"""An account, its dictionary, its file, or the folder its file lies in."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AccountComparison:
    """Several networks side by side. Made by ``compare_accounts``.

    Attributes:
        accounts: their dictionaries, by the networks' names.
    """

    accounts: dict[str, dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """The networks, the figures of each, and what each pair has in common, JSON-safe."""
        return side_by_side(self.accounts)

    def save(self, path: str | Path) -> Path:
        """Write the page.

        Raises:
            UsageError: a path that does not end in ``.html``, or a directory.
        """
        path = check_page(path)
        new_file(path, render_comparison(self.accounts), errors="backslashreplace")
        return path

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (row["label"], *(_shown(row["values"].get(n), row["unit"]) for n in self.accounts))
            for row in self.to_dict()["figures"]
        ]

    def __repr__(self) -> str:
        head, *rows = [("", *self.accounts), *self._rows()]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in (head, *rows)
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        title = f"{len(self.accounts)} networks side by side"
        return html_table(title, self._rows(), head=("figure", *self.accounts))


def compare_accounts(accounts: Mapping[str, Source] | Sequence[Source]) -> AccountComparison:
    """Set the accounts of two networks or more side by side.

    Args:
        accounts: by name, or in a row, which names them by their folder or architecture. Each an
            account, its ``to_dict()``, an ``account.json``, or the folder of one.

    Raises:
        UsageError: fewer than two.
        DataError: a file that is no account.
    """
    if isinstance(accounts, str | Path) or not isinstance(accounts, Mapping | Sequence):
        raise UsageError(
            "Accounts are compared several at a time.",
            expected="a list of accounts or folders, or a dictionary of them by name",
            got=type(accounts).__name__,
        )
    if isinstance(accounts, Mapping):
        named = [(str(name), _read(source)) for name, source in accounts.items()]
    else:
        read = [(source, _read(source)) for source in accounts]
        named = [(_name(source, account), account) for source, account in read]
    found: dict[str, dict[str, Any]] = {}
    for name, account in named:
        place = sum(other == name or other.startswith(f"{name} (") for other in found)
        found[f"{name} ({place + 1})" if place else name] = account
    if len(found) < 2:
        raise UsageError(
            "A comparison is of two networks or more.", expected="two accounts", got=str(len(found))
        )
    return AccountComparison(accounts=found)


def _read(source: Source) -> dict[str, Any]:
    if isinstance(source, Account):
        return source.to_dict()
    if isinstance(source, Mapping):
        return dict(source)
    path = as_path(source)
    path = path / "account.json" if path.is_dir() else path
    try:
        account = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            "A network is compared by its account.",
            expected="an account.json, or the folder of one",
            got=f"{path}: {error}",
            fix="write one with rnnscope report, or account.save(...)",
        ) from error
    if not isinstance(account, dict) or "format" not in account or "model" not in account:
        raise DataError(
            "A network is compared by its account.",
            expected="what account.save writes as account.json",
            got=str(path),
        )
    return account


def _name(source: Source, account: dict[str, Any]) -> str:
    if isinstance(source, str | Path):
        path = Path(source)
        return (path if path.suffix != ".json" else path.parent).resolve().name
    model = account.get("model") or {}
    return str(model.get("architecture") or "network")


def _shown(found: dict[str, Any] | None, unit: str) -> str:
    return "–" if found is None else measure(found["value"], unit)
