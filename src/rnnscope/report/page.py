"""The page: an account's dictionary in, one string of HTML out. Nothing else is read."""

from __future__ import annotations

from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rnnscope.report import figures, text
from rnnscope.report.palette import declarations
from rnnscope.report.panel import has_data
from rnnscope.report.reading import class_names, index_of, name_of, reason
from rnnscope.report.strips import strips
from rnnscope.report.svg import inline

OPEN_RULES = 20
"""Rules that are open at once; the others are folded away."""

PANELS = {
    "state_space": "State space: final states by class and certified points by kind.",
    "sentence_paths": "State space around the example sentences, with the path of each.",
    "eigenvalues": "Eigenvalues at the reference point in the complex plane, with the unit circle.",
    "time_constants": "The three slowest time constants in steps along the manifold, log scale.",
    "pushes": "The words that push the state furthest along the slow mode, in either direction.",
    "positions": "Final position on the slow mode against human rating, one dot a text.",
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


def render(account: dict[str, Any]) -> str:
    """One self-contained page: no network access, no script, every word escaped.

    Args:
        account: what ``docs/account.md`` describes. A part that is null or missing is named with
            its reason from ``not_applied``, and the rest is shown.
    """
    names = class_names(account)
    record = (account.get("model") or {}).get("record") or {}

    def why(name: str) -> str:
        return reason(account, name)

    def panel(name: str) -> Markup | None:
        if not has_data(account, name):
            return None
        return inline(getattr(figures, name)(account), name.replace("_", "-"), PANELS[name])

    return environment().get_template("page.html.j2").render(
        a=_Part(account),
        css=Markup(resources.files("rnnscope.report").joinpath("style.css").read_text("utf-8")),
        light=Markup(declarations(dark=False)),
        dark=Markup(declarations(dark=True)),
        names=names,
        why=why,
        panel=panel,
        strips=_as_part(strips(account)),
        kinds=KINDS,
        open_rules=OPEN_RULES,
        record=list(_flat(record if isinstance(record, dict) else {"source": record})),
        settings=list(_flat(account.get("settings") or {})),
        class_index=lambda value: index_of(names, value),
        class_name=lambda value: name_of(names, value),
    )  # fmt: skip


class _Part(dict[str, Any]):
    """A dictionary whose missing and null entries read as an empty one, however deep."""

    def __getattr__(self, key: str) -> Any:
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
