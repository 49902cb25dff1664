"""The account of a network: everything found, as one object, one dictionary and one page."""

from __future__ import annotations

import html
import json
import math
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from rnnscope.account.dynamics_half import DynamicsHalf
from rnnscope.account.figures import figure_data, pairs
from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.account.rules_entry import fidelity_entry, phrase_model_entry, rules_entry
from rnnscope.account.rules_half import RulesHalf
from rnnscope.account.story import examples, sentences, tiles
from rnnscope.errors import UsageError
from rnnscope.models import Model
from rnnscope.report import render
from rnnscope.storage import new_file

FORMAT = 1
LISTED_EIGENVALUES = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """How one network decides. Made by ``explain``.

    Args:
        model: the network.
        material: the text it was studied on.
        options: how.
        rules_half: scores, phrases, rules and their fidelity; None where there is no classifier.
        dynamics_half: fixed points, modes, line attractor; None where there is no one system.
        not_applied: what was left out, and why.
    """

    model: Model
    material: Material
    options: ExplainOptions
    rules_half: RulesHalf | None
    dynamics_half: DynamicsHalf | None
    not_applied: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Every number of the account, JSON-safe; the keys are documented in docs/account.md."""
        return json.loads(self._json)

    def save(self, path: str | Path) -> Path:
        """Write the page, and ``account.json`` beside it.

        Args:
            path: where the page goes, ending in ``.html``.

        Raises:
            UsageError: another ending, or a directory.
        """
        path = check_page(path)
        new_file(path, render(self.to_dict()), errors="backslashreplace")
        new_file(path.parent / "account.json", self._json, errors="backslashreplace")
        return path

    @cached_property
    def _json(self) -> str:
        return json.dumps(_finite(self._contents()), indent=1, ensure_ascii=False, allow_nan=False)

    def _contents(self) -> dict[str, Any]:
        rules, dynamics = self.rules_half, self.dynamics_half
        rows, shown = ([], []) if rules is None else self._examples
        accuracy = None if rules is None else rules.accuracy
        contents: dict[str, Any] = {
            "format": FORMAT,
            "rnnscope": _version(),
            "settings": self.options.to_dict(),
            "verdict": {
                "sentences": sentences(self.model, self.material, rules, dynamics),
                "figures": tiles(rules, dynamics),
            },
            "model": self.model.describe(),
            "data": self.material.description,
            "accuracy": None if accuracy is None else accuracy.value,
            "intervals": {"accuracy": None if accuracy is None else [accuracy.low, accuracy.high]},
            "scores": None if rules is None else _scores(rules, shown),
            "rules": None if rules is None else rules_entry(rules, self.material, self.options),
            "phrase_model": None if rules is None else phrase_model_entry(rules),
            "baselines": None
            if rules is None
            else {
                "majority": fidelity_entry(rules.named("majority class")),
                "bag_of_words": fidelity_entry(rules.named("bag of words")),
                "bag_of_ngrams": fidelity_entry(rules.named("bag of 1-3-grams")),
            },
            "fidelity": [] if rules is None else [fidelity_entry(f) for f in rules.fidelity],
            "dynamics": None if dynamics is None else _dynamics(dynamics),
            "valence_correlation": None,
            "valence": None,
            "figures": None,
            "not_applied": self.not_applied,
        }
        if dynamics is not None:
            contents["figures"] = figure_data(self.model, self.material, dynamics, rows)
            if dynamics.rated is not None:
                position = dynamics.rated.of_position
                contents["valence_correlation"] = position.value
                contents["intervals"]["valence_correlation"] = [position.low, position.high]
                contents["valence"] = _valence(dynamics)
        return contents

    @cached_property
    def _examples(self) -> tuple[list[int], list[dict[str, Any]]]:
        if self.rules_half is None or self.model.embedding is None:
            return [], []
        return examples(self.model, self.material, self.rules_half, self.options.examples)

    def __repr__(self) -> str:
        lines = sentences(self.model, self.material, self.rules_half, self.dynamics_half)
        lines += [f"not applied: {name}" for name in self.not_applied]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        lines = sentences(self.model, self.material, self.rules_half, self.dynamics_half)
        return "".join(f"<p>{html.escape(line)}</p>" for line in lines)


def check_page(path: str | Path) -> Path:
    """The path of a page to write.

    Raises:
        UsageError: it does not end in ``.html``, is a directory, or its folder cannot be made.
    """
    if not isinstance(path, str | Path):
        raise UsageError("A page is written to a path.", expected="a path", got=repr(path))
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm") or path.is_dir():
        raise UsageError(
            "The page is written to an HTML file.",
            expected="a path that ends in .html",
            got=str(path),
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            "The page's folder must be one that can be made.", got=f"{path.parent}: {error}"
        ) from error
    return path


def _scores(rules: RulesHalf, shown: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "completeness": {
            name: rules.scores[name].completeness.to_dict() if name in rules.scores else None
            for name in ("beta", "gamma")
        },
        "method": rules.method or None,
        "examples": shown,
    }


def _dynamics(half: DynamicsHalf) -> dict[str, Any]:
    points = half.points
    kinds = (points.roots, points.continua, points.ghosts, points.manifold)
    contents: dict[str, Any] = {
        "points": {
            **{kind.kind: len(kind) for kind in kinds},
            "seeds": len(points),
            "inside_visited_region": {kind.kind: int(kind.inside.sum()) for kind in kinds},
            "outcomes": points.counts,
        },
        "input": {"name": points.held.name, "distance_from_mean": points.held.distance},
        "visited_on": {
            "name": half.visited.description["name"],
            **half.visited.description["judged_on"],
        },
        "speeds": {
            kind.kind: {
                "median_q_paper": float(kind.q.median()) if len(kind) else None,
                "median_q_finder": float(kind.finder_q.median()) if len(kind) else None,
            }
            for kind in kinds
        },
        "eigenvalues": None,
        "time_constants": None,
        "growing": None,
        "alignment": None,
        "verdict": None,
        "words": None,
        "untrained": None,
        "delayed": None,
        "dimension": None,
    }
    if half.modes is not None:
        reference = half.modes.eigenvalues[half.reference]
        contents["eigenvalues"] = pairs(reference[:LISTED_EIGENVALUES])
        median = np.median(half.modes.time_constants[:, :3].numpy(), axis=0)
        contents["time_constants"] = median.tolist()
        contents["growing"] = float(half.modes.growing[:, 0].double().mean())
    if half.line is not None:
        contents["alignment"] = {
            "axis_readout": _alignment(half.line.readout),
            "r1_axis": _alignment(half.line.modes),
            "r1_tangent": _alignment(half.line.tangents),
        }
    if half.verdict is not None:
        contents["verdict"] = {
            "sentence": half.verdict.sentence,
            "predictions": [{"name": p.name, **p.summary()} for p in half.verdict.predictions],
            "ghost_share": half.verdict.ghost_share,
        }
    if half.evidence is not None:
        contents |= half.evidence.to_dict()
    return contents


def _alignment(alignment: Any) -> dict[str, float] | None:
    if alignment is None:
        return None
    return {
        "value": alignment.median,
        "null_median": alignment.null_median,
        "null_95": alignment.null_high,
        "isotropic_median": alignment.isotropic_median,
    }


def _valence(half: DynamicsHalf) -> dict[str, Any]:
    rated: Any = half.rated
    estimates = {"position": rated.of_position, "logit": rated.of_logit, "words": rated.of_words}
    return {
        "texts": rated.texts,
        **{name: None if e is None else e.to_dict() for name, e in estimates.items()},
    }


def _finite(value: Any) -> Any:
    """JSON has no infinity and no NaN: both become null."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _version() -> str:
    try:
        return version("rnnscope")
    except PackageNotFoundError:
        return "unknown"
