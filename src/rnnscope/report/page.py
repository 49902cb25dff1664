"""The page: an account's dictionary in, one string of HTML out. Nothing else is read."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from scipy.stats import rankdata

from rnnscope.errors import UsageError
from rnnscope.report import figures as panels
from rnnscope.report import text
from rnnscope.report.interactive import (
    bokeh_source,
    installed,
    packed_source,
    state_space_view,
)
from rnnscope.report.palette import declarations, hexes
from rnnscope.report.panel import has_data
from rnnscope.report.reading import class_names, index_of, name_of, reason
from rnnscope.report.story_figures import evidence_path
from rnnscope.report.strips import strips
from rnnscope.report.svg import inline
from rnnscope.report.tables import embedded, figure_columns, json_block

OPEN_RULES = 20
"""Rules that are open at once; the others are folded away."""

TOLD_WORDS, PARTING_WORDS = 24, 12
"""Words of the comparison: those that weigh most, and those on which its measures part most."""

PANELS = {
    "state_space": "State space: final states by class and certified points by kind.",
    "sentence_paths": "State space around the example sentences, with the path of each.",
    "eigenvalues": "Eigenvalues at the reference point in the complex plane, with the unit circle.",
    "time_constants": "The three slowest time constants in steps along the manifold, log scale.",
    "valence_pushes": "Pushes of positive, negative and neutral words along the slow mode.",
    "pushes": "The words that push the state furthest along the slow mode, in either direction.",
    "integration": "The slow direction at points of the manifold, in the plane of the state space.",
    "slow_alignment": "How far the slow direction points along the line's axis, beside chance.",
    "positions": "Final position on the slow mode against human rating, one dot a text.",
    "two_stories": "Each word's score against its push, coloured by what its absence changes.",
    "agreement": "Agreement with the network and accuracy of each description, with intervals.",
}
KINDS = {
    "root": (
        "isolated fixed points (roots)",
        "The network, once there, stays. Certified one by one.",
    ),
    "continuum": (
        "points of a continuum",
        "Fixed points too, but not isolated: others lie right beside them. Certified.",
    ),
    "ghost": (
        "ghosts",
        "Places where the state is slowest for its surroundings, but no fixed points: the network "
        "still leaves them.",
    ),
    "manifold": (
        "manifold points",
        "Points of a slow curve: the quick directions are at rest, and the slow drift that "
        "remains is measured.",
    ),
}


def render(account: dict[str, Any], *, interactive: bool | None = None) -> str:
    """One self-contained page: no network access, every word escaped, whole without its script.

    Args:
        account: what ``docs/account.md`` describes. A part that is null or missing is named with
            its reason from ``not_applied``, and the rest is shown.
        interactive: whether the state space can also be opened as a view to zoom and ask, which
            adds half a megabyte; where bokeh is installed when None.

    Raises:
        UsageError: an interactive view is asked for and bokeh is not installed.
    """
    names = class_names(account)
    record = (account.get("model") or {}).get("record") or {}
    drawn = [name for name in PANELS if has_data(account, name)]
    examples = (account.get("scores") or {}).get("examples") or []
    drawn += [f"way-{k}" for k, one in enumerate(examples) if one.get("way")]
    columns = {name: figure_columns(account, name) for name in drawn}
    view = _view(account, columns.get("state_space") or {}, interactive)
    script = page_script()

    def why(name: str) -> str:
        return reason(account, name)

    def panel(name: str) -> Markup | None:
        if name not in drawn:
            return None
        key = name.replace("_", "-")
        if name.startswith("way-"):
            place = int(name.removeprefix("way-"))
            title = f"The way of example {place + 1} along the slow mode, word by word."
            return inline(evidence_path(account, place), key, title, caption=f"caption-{key}")
        draw = getattr(panels, name)
        return inline(draw(account), key, PANELS[name], caption=f"caption-{key}")

    return environment().get_template("page.html.j2").render(
        a=_Part(account),
        css=Markup(_text("style.css")),
        light=Markup(declarations(dark=False)),
        dark=Markup(declarations(dark=True)),
        names=names,
        why=why,
        panel=panel,
        strips=_as_part(strips(account)),
        stories=_as_part(_stories(account)),
        kinds=KINDS,
        open_rules=OPEN_RULES,
        record=list(_flat(record if isinstance(record, dict) else {"source": record})),
        settings=list(_flat(account.get("settings") or {})),
        class_index=lambda value: index_of(names, value),
        class_name=lambda value: name_of(names, value),
        script=Markup(script),
        policy=page_policy([script, *([bokeh_source()] if view else [])]),
        columns=embedded(columns),
        look=json_block({"light": hexes(dark=False), "dark": hexes(dark=True)}),
        view=None if view is None else Markup(view.replace("<", "\\u003c")),
        library=Markup(packed_source()) if view else None,
    )  # fmt: skip


def _view(
    account: dict[str, Any], columns: dict[str, list[Any]], interactive: bool | None
) -> str | None:
    """The description of the interactive view; None where there is none to be."""
    if interactive and not installed():
        raise UsageError(
            "The interactive view is drawn by bokeh.",
            got="no bokeh in this environment",
            fix="pip install 'rnnscope[interactive]', or leave interactive at None",
        )
    wanted = installed() if interactive is None else interactive
    return state_space_view(account, columns) if wanted and columns else None


def page_policy(scripts: list[str]) -> str:
    """What the page may do: run these scripts and no other, show what it holds, load nothing."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _stories(account: dict[str, Any]) -> dict[str, Any]:
    """The words worth a row, with why: the weightiest, then those on which the measures part."""
    rows = ((account.get("join") or {}).get("words") or {}).get("list") or []
    if not rows:
        return {"rows": []}
    measures = np.array([[row[name] for name in ("score", "push", "effect")] for row in rows])
    ranks = rankdata(measures, axis=0) / len(rows)
    apart = np.ptp(ranks, axis=1)
    weight = np.abs(measures[:, 2]) * np.sqrt([row["count"] for row in rows])
    told = np.argsort(-weight, kind="stable")[:TOLD_WORDS].tolist()
    parting = [k for k in np.argsort(-apart, kind="stable").tolist() if k not in told]
    shown = [(k, "weighs most") for k in told]
    shown += [(k, "parts most") for k in parting[:PARTING_WORDS]]
    return {"rows": [{**rows[k], "apart": float(apart[k]), "why": why} for k, why in shown]}


def page_script() -> str:
    """The one script that a page runs."""
    return _text("page.js")


def _text(name: str) -> str:
    return resources.files("rnnscope.report").joinpath(name).read_text("utf-8")


class _Part(dict[str, Any]):
    """A dictionary whose missing and null entries read as an empty one, however deep."""

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return self[key]

    def __getitem__(self, key: str) -> Any:
        value = super().get(key)
        return _as_part(value)

    def part(self, key: str) -> _Part:
        """The dictionary under a key; an empty one if there is none."""
        value = self[key]
        return value if isinstance(value, _Part) else _Part()


def _as_part(value: Any) -> Any:
    if isinstance(value, dict):
        return _Part(value)
    return [_as_part(item) for item in value] if isinstance(value, list) else value


def environment() -> Environment:
    """The templates, escaping, and their filters."""
    # Control characters and lone surrogates are replaced wherever text is put on the page.
    environment = Environment(
        loader=PackageLoader("rnnscope.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: text.clean(value) if type(value) is str else value,
    )
    environment.filters |= {
        "number": text.number,
        "signed": text.signed,
        "fixed": text.fixed,
        "percent": text.percent,
        "measure": text.measure,
        "interval": text.interval,
        "token": text.token,
        "label": text.label,
        "plain": text.plain,
        "steps": _steps,
        "complex": _complex,
    }
    return environment


def _flat(settings: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Nested settings as dotted names."""
    if not isinstance(settings, dict):
        return [(prefix, settings)]
    return [
        row
        for key, value in settings.items()
        for row in _flat(value, f"{prefix}.{key}" if prefix else str(key))
    ]


def _steps(values: list[float | None]) -> str:
    """Time constants in a row."""
    shown = ["∞" if value is None else text.number(value) for value in values]
    return f"{', '.join(shown)} steps"


def _complex(pairs: list[list[float]]) -> str:
    """Eigenvalues in a row; a complex pair is written once."""
    shown = dict.fromkeys(
        f"{real:.3f} ± {abs(imaginary):.3f}i" if imaginary else f"{real:.3f}"
        for real, imaginary in pairs
    )
    return ", ".join(shown).replace("-", "−")
