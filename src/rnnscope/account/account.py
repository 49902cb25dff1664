"""The account of a network: everything found, as one object, one dictionary and one page."""

from __future__ import annotations

import html
import json
import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnscope.account.dynamics_entry import dynamics_entry, valence_entry
from rnnscope.account.dynamics_half import DynamicsHalf
from rnnscope.account.examples import examples
from rnnscope.account.figures import figure_data
from rnnscope.account.join import Join
from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.account.parts import installed_version
from rnnscope.account.private import SUPPORT, known_words, without_texts
from rnnscope.account.rules_entry import fidelity_entry, phrase_model_entry, rules_entry
from rnnscope.account.rules_half import RulesHalf, as_words
from rnnscope.account.story import findings, sentences, tiles
from rnnscope.errors import UsageError
from rnnscope.models import Model
from rnnscope.notebook import html_table
from rnnscope.report import render
from rnnscope.report.text import measure
from rnnscope.storage import new_file

FORMAT = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """How one network decides. Made by ``explain``.

    Args:
        model: the network.
        material: the text it was studied on.
        options: how.
        rules_half: scores, phrases, rules and their fidelity; None where there is no classifier.
        dynamics_half: fixed points, modes, line attractor; None where there is no one system.
        join: where both meet; None without one of them.
        not_applied: what was left out, and why.
    """

    model: Model
    material: Material
    options: ExplainOptions
    rules_half: RulesHalf | None
    dynamics_half: DynamicsHalf | None
    join: Join | None
    not_applied: dict[str, str]

    def to_dict(self, *, texts: bool = True, support: int = SUPPORT) -> dict[str, Any]:
        """Every number of the account, JSON-safe; the keys are documented in docs/account.md.

        Args:
            texts: whether the corpus' text may be in it. Without, phrases that ``support``
                documents or more hold are all that is left of it.
            support: documents.

        Raises:
            UsageError: a support below 2.
        """
        return json.loads(self._json if texts else self._private(support))

    def save(self, path: str | Path, *, texts: bool = True, support: int = SUPPORT) -> Path:
        """Write the page, and ``account.json`` beside it.

        Args:
            path: where the page goes, ending in ``.html``.
            texts: whether the corpus' text may be in both; see ``to_dict``.
            support: documents that must hold a phrase that is shown, where it may not.

        Raises:
            UsageError: another ending, or a directory; a support below 2.
        """
        path = check_page(path)
        written = self._json if texts else self._private(support)
        new_file(path, render(json.loads(written)), errors="backslashreplace")
        new_file(path.parent / "account.json", written, errors="backslashreplace")
        return path

    @cached_property
    def _json(self) -> str:
        return _written(self._contents(self._sentences(self.join)))

    def _private(self, support: int) -> str:
        documents = as_words([*self.material.mined, *self.material.judged])
        join = self.join
        if join is not None and join.words is not None:
            words = join.words
            known = known_words(words.words, documents, max(support, 2))
            join = replace(join, words=words.among(known))
        contents = self._contents(self._sentences(join))
        return _written(without_texts(contents, documents, support))

    def _contents(self, told: list[str]) -> dict[str, Any]:
        rules, dynamics = self.rules_half, self.dynamics_half
        rows, shown = ([], []) if rules is None else self._examples
        accuracy = None if rules is None else rules.accuracy
        contents: dict[str, Any] = {
            "format": FORMAT,
            "rnnscope": installed_version(),
            "private": None,
            "settings": self.options.to_dict(),
            "verdict": {
                "sentences": told,
                "findings": findings(rules, dynamics),
                "figures": tiles(rules, dynamics, self.join),
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
            "dynamics": None if dynamics is None else dynamics_entry(dynamics),
            "join": None if self.join is None else self.join.to_dict(),
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
                contents["valence"] = valence_entry(dynamics)
        return contents

    @cached_property
    def _examples(self) -> tuple[list[int], list[dict[str, Any]]]:
        if self.rules_half is None or self.model.embedding is None:
            return [], []
        return examples(
            self.model, self.material, self.rules_half, self.dynamics_half, self.options.examples
        )

    def _sentences(self, join: Join | None) -> list[str]:
        return sentences(self.model, self.material, self.rules_half, self.dynamics_half, join)

    def __repr__(self) -> str:
        told = [*self._sentences(self.join), *findings(self.rules_half, self.dynamics_half)]
        return "\n".join([*dict.fromkeys(told), *(f"not applied: {n}" for n in self.not_applied)])

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in self._sentences(self.join))
        rows = [
            (tile["label"], measure(tile["value"], tile["unit"]), tile["meaning"])
            for tile in tiles(self.rules_half, self.dynamics_half, self.join)
        ]
        return lines + html_table("The verdict in numbers", rows)


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


def _written(contents: dict[str, Any]) -> str:
    return json.dumps(_finite(contents), indent=1, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    """JSON has no infinity and no NaN: both become null."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
