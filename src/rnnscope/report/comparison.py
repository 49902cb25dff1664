"""The page of two or more networks side by side. Their accounts' dictionaries in, HTML out."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from itertools import combinations
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from rnnscope.errors import UsageError
from rnnscope.report import figures, text
from rnnscope.report.drawing import drawing
from rnnscope.report.page import PANELS, environment, page_policy, page_script
from rnnscope.report.palette import CLASSES, FAINT, INK, MUTED, PAPER, declarations, hexes
from rnnscope.report.panel import has_data, legend_below, marker
from rnnscope.report.reading import class_names, name_of
from rnnscope.report.svg import inline
from rnnscope.report.tables import embedded, figure_columns, json_block
from rnnscope.statistics import correlation, finite

Accounts = Mapping[str, dict[str, Any]]
SHAPES = ("o", "s", "^", "D", "v", "P")
PANELS_BESIDE = ("state_space", "eigenvalues", "time_constants", "valence_pushes")
SHARED_WORDS = 30
"""Words listed of those on which the networks differ most."""

LEAST_SHARED = 10
"""Words in common below which no correlation is given."""


@drawing(6.4, 3.4)
def compared_figures(ax: Axes, rows: list[dict[str, Any]]) -> None:
    """The shares that several networks have in common, one row a figure, one mark a network.

    Args:
        rows: each with ``label`` and ``values``, by network: ``value`` and ``interval``.
    """
    names = list(dict.fromkeys(name for row in rows for name in row["values"]))
    for place, row in enumerate(reversed(rows)):
        for k, name in enumerate(names):
            found = row["values"].get(name)
            if found is None or found["value"] is None:
                continue
            y = place + 0.5 * ((len(names) - 1) / 2 - k) / max(1, len(names) - 1)
            colour = CLASSES[(k + 1) % len(CLASSES)]
            if found.get("interval") and None not in found["interval"]:
                ax.plot([100 * b for b in found["interval"]], [y, y], color=colour, lw=1.2)
            ax.plot(100 * found["value"], y, SHAPES[k % 6], color=colour, mec=INK, mew=0.4, ms=6)
    labels = [text.token(row["label"], 34, count=False) for row in reversed(rows)]
    ax.set_yticks(range(len(rows)), labels, parse_math=False)
    ax.set(xlim=(0, 101), ylim=(-0.6, len(rows) - 0.4), xlabel="% of judged documents")
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.grid(axis="x")
    handles = [
        marker(text.token(name, 24, count=False), SHAPES[k % 6], CLASSES[(k + 1) % 6], 6)
        for k, name in enumerate(names)
    ]
    legend_below(ax, handles, columns=min(4, len(handles)))


@drawing(4.4, 4.2)
def compared_words(ax: Axes, rows: list[dict[str, Any]], names: tuple[str, str]) -> None:
    """What the absence of each word changes in one network, against another.

    Args:
        rows: words with ``x`` and ``y``, their effects in the two.
        names: of the two networks.
    """
    x, y = (np.array([row[key] for row in rows]) for key in ("x", "y"))
    reach = 1.08 * float(np.abs([x, y]).max()) or 1.0
    ax.axhline(0, color=FAINT, lw=0.7, zorder=0)
    ax.axvline(0, color=FAINT, lw=0.7, zorder=0)
    ax.plot([-reach, reach], [-reach, reach], color=MUTED, lw=0.8, ls=(0, (3, 2)), zorder=1)
    ax.scatter(x, y, s=14, color=CLASSES[1], alpha=0.7, lw=0.3, edgecolor=PAPER, zorder=3)
    for k in np.argsort(-np.abs(x - y), kind="stable")[:6].tolist():
        ax.annotate(
            text.token(rows[k]["word"], 14, count=False), (x[k], y[k]), xytext=(4, 3),
            textcoords="offset points", fontsize=8, parse_math=False, zorder=5,
        )  # fmt: skip
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    shown = [text.token(name, 24, count=False) for name in names]
    ax.set_xlabel(f"output changes by, in {shown[0]}", parse_math=False)
    ax.set_ylabel(f"in {shown[1]}", parse_math=False)


def side_by_side(accounts: Accounts) -> dict[str, Any]:
    """What the accounts of several networks have in common and where they part, JSON-safe.

    Args:
        accounts: dictionaries as ``docs/account.md`` describes them, by the networks' names.

    Raises:
        UsageError: fewer than two.
    """
    if len(accounts) < 2:
        raise UsageError(
            "A comparison is of two networks or more.",
            expected="two accounts",
            got=str(len(accounts)),
        )
    texts = {_judged_on(account) for account in accounts.values()}
    return {
        "networks": [_network(name, account) for name, account in accounts.items()],
        "same_text": len(texts) == 1 and None not in next(iter(texts)),
        "figures": _figures(accounts),
        "findings": _findings(accounts),
        "pairs": [_pair(a, b, accounts[a], accounts[b]) for a, b in combinations(accounts, 2)],
    }


def render_comparison(accounts: Accounts) -> str:
    """One self-contained page of several networks: no network access, every word escaped.

    Args:
        accounts: dictionaries as ``docs/account.md`` describes them, by the networks' names.

    Raises:
        UsageError: fewer than two.
    """
    made = side_by_side(accounts)
    shares = [row for row in made["figures"] if row["unit"] == "share"]
    drawn: dict[str, Markup] = {}
    columns = {
        "compared_figures": {
            "figure": [row["label"] for row in shares],
            **{name: [_value(row, name) for row in shares] for name in accounts},
        }
    }
    if shares:
        drawn["compared_figures"] = inline(
            compared_figures(shares), "compared-figures",
            "The same shares of each network, with intervals.", caption="caption-compared_figures",
        )  # fmt: skip
    for place, pair in enumerate(made["pairs"]):
        if pair["words"]:
            key = f"words-{place}"
            columns[key] = {n: [row[n] for row in pair["words"]] for n in ("word", "x", "y")}
            drawn[key] = inline(
                compared_words(pair["words"], (pair["of"][0], pair["of"][1])), key,
                "Effects of the same words in two networks.", caption=f"caption-{key}",
            )  # fmt: skip
    for place, account in enumerate(accounts.values()):
        for name in PANELS_BESIDE:
            if has_data(account, name):
                key = f"{name}-{place}"
                columns[key] = figure_columns(account, name)
                shown = key.replace("_", "-")
                drawn[key] = inline(
                    getattr(figures, name)(account), shown, PANELS[name], caption=f"caption-{key}"
                )
    script = page_script()
    return environment().get_template("comparison.html.j2").render(
        made=made,
        names=list(accounts),
        drawn=drawn,
        beside=PANELS_BESIDE,
        titles=PANELS,
        listed=SHARED_WORDS,
        css=Markup(resources.files("rnnscope.report").joinpath("style.css").read_text("utf-8")),
        light=Markup(declarations(dark=False)),
        dark=Markup(declarations(dark=True)),
        policy=page_policy([script]),
        script=Markup(script),
        columns=embedded(columns),
        look=json_block({"light": hexes(dark=False), "dark": hexes(dark=True)}),
    )  # fmt: skip


def _network(name: str, account: dict[str, Any]) -> dict[str, Any]:
    model, data = account.get("model") or {}, account.get("data") or {}
    return {
        "name": name,
        "architecture": model.get("architecture"),
        "parameters": model.get("parameters"),
        "fingerprint": model.get("fingerprint"),
        "data": data.get("name"),
        "documents": (data.get("judged_on") or {}).get("documents"),
        "sentences": (account.get("verdict") or {}).get("sentences") or [],
        "classes": class_names(account),
    }


def _judged_on(account: dict[str, Any]) -> tuple[Any, Any]:
    data = account.get("data") or {}
    return data.get("fingerprint"), (data.get("judged_on") or {}).get("split")


def _figures(accounts: Accounts) -> list[dict[str, Any]]:
    """The figures at the top of each page, and the fidelity of each description, by network."""
    rows: dict[str, dict[str, Any]] = {}

    def add(label: str, unit: str, name: str, value: Any, interval: Any) -> None:
        row = rows.setdefault(label, {"label": label, "unit": unit, "values": {}})
        row["values"][name] = {"value": value, "interval": interval}

    for name, account in accounts.items():
        for tile in (account.get("verdict") or {}).get("figures") or []:
            add(tile["label"], tile["unit"], name, tile["value"], tile.get("interval"))
        for one in account.get("fidelity") or []:
            bounds = (one.get("intervals") or {}).get("agreement")
            add(f"{text.label(one['name'])} agrees", "share", name, one.get("agreement"), bounds)
    return list(rows.values())


def _findings(accounts: Accounts) -> list[dict[str, Any]]:
    """Each prediction of the line attractor, by network."""
    rows: dict[str, dict[str, Any]] = {}
    for name, account in accounts.items():
        verdict = (account.get("dynamics") or {}).get("verdict") or {}
        for one in verdict.get("predictions") or []:
            row = rows.setdefault(one["name"], {"name": one["name"], "values": {}})
            row["values"][name] = {
                "value": one.get("value"), "null": one.get("null"), "finding": one.get("finding"),
            }  # fmt: skip
    return list(rows.values())


def _pair(a: str, b: str, first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Two networks: the same words' effects, and the rules that both have."""
    one, other = (_words(account) for account in (first, second))
    same = class_names(first) == class_names(second)
    shared = [word for word in one if word in other] if same else []
    rows = [
        {"word": w, "x": one[w]["effect"], "y": other[w]["effect"],
         "apart": abs(one[w]["effect"] - other[w]["effect"])}
        for w in shared
    ]  # fmt: skip
    rows.sort(key=lambda row: -row["apart"])
    agreement = None
    if len(rows) >= LEAST_SHARED:
        x, y = (np.array([row[name] for row in rows]) for name in ("x", "y"))
        agreement = finite(correlation(x, y, rank=True).value)
    left, right = (_rules(account) for account in (first, second))
    common = [phrase for phrase in left if phrase in right]
    return {
        "of": [a, b],
        "words": rows,
        "correlation": agreement,
        "rules": [len(left), len(right)],
        "common_rules": len(common),
        "same_class": sum(left[phrase] == right[phrase] for phrase in common),
    }


def _words(account: dict[str, Any]) -> dict[str, dict[str, Any]]:
    rows = ((account.get("join") or {}).get("words") or {}).get("list") or []
    return {row["word"]: row for row in rows}


def _rules(account: dict[str, Any]) -> dict[tuple[str, ...], str]:
    names = class_names(account)
    rows = (account.get("rules") or {}).get("list") or []
    return {tuple(row["phrase"]): name_of(names, row["class"]) for row in rows}


def _value(row: dict[str, Any], name: str) -> Any:
    return (row["values"].get(name) or {}).get("value")
