"""An account without the corpus' text, for private data: only phrases that many documents hold.

States and scores word by word are left out as well: with the network at hand the words could be
read back from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from rnnscope.errors import UsageError
from rnnscope.rules import Matcher

SUPPORT = 20
"""Documents that must hold a phrase before it is shown."""

HIDDEN = "The texts are private: only phrases that {:,} documents or more hold are shown."

Phrase = tuple[str, ...]


def without_texts(
    contents: dict[str, Any], documents: Sequence[Sequence[str]], support: int
) -> dict[str, Any]:
    """The account with every phrase left out that fewer documents hold, and every text.

    Args:
        contents: what ``Account.to_dict`` gives; left as it is.
        documents: all texts it was made from, as words.
        support: documents that must hold a phrase.

    Raises:
        UsageError: a support below 2, which would show what stands in one text.
    """
    check_support(support)
    known = _supported(_phrases(contents), documents, support)

    def shown(rows: Any, phrase: Callable[[Any], Phrase]) -> Any:
        return None if rows is None else [row for row in rows if phrase(row) in known]

    made = dict(contents)
    made["private"] = {"support": support}
    reason = HIDDEN.format(support)
    made["not_applied"] = {
        # The rule alone: what came instead may name words.
        **{name: why.splitlines()[0] for name, why in contents["not_applied"].items()},
        "examples": reason,
        "sentence_paths": reason,
    }
    if contents["scores"] is not None:
        made["scores"] = {**contents["scores"], "examples": []}
    if contents["rules"] is not None:
        rules = dict(contents["rules"])
        rules["list"] = shown(rules["list"], _listed)
        rules["evidence"] = [
            {**row, "counterexample": _bare(row["counterexample"])}
            for row in shown(rules["evidence"], _listed)
        ]
        made["rules"] = rules
    if contents["phrase_model"] is not None:
        model = contents["phrase_model"]
        made["phrase_model"] = {**model, "list": shown(model["list"], _listed)}
    if contents["join"] is not None and contents["join"]["words"] is not None:
        words = contents["join"]["words"]
        made["join"] = {
            **contents["join"],
            "words": {**words, "list": shown(words["list"], _single)},
        }
    if contents["dynamics"] is not None:
        made["dynamics"] = _dynamics(contents["dynamics"], known)
    if contents["figures"] is not None:
        figures = dict(contents["figures"])
        figures["pushes"] = shown(figures.get("pushes"), _single)
        plane = {k: v for k, v in figures["state_space"].items() if k != "visited"}
        figures["state_space"] = {**plane, "paths": []}
        made["figures"] = figures
    held = (contents["dynamics"] or {}).get("input", {}).get("name")
    if held is not None and held not in ("zero", "mean", "vector") and (held,) not in known:
        made["settings"] = {**contents["settings"], "inputs": "a word"}
        made["dynamics"]["input"] = {**made["dynamics"]["input"], "name": "a word"}
        verdict = made["verdict"]
        for part in ("sentences", "findings"):
            verdict = {**verdict, part: [s.replace(repr(held), "a word") for s in verdict[part]]}
        made["verdict"] = verdict
    return made


def check_support(support: int) -> None:
    """Hold a support against what may be one.

    Raises:
        UsageError: below 2.
    """
    if not isinstance(support, int) or isinstance(support, bool) or support < 2:
        raise UsageError(
            "A phrase of private texts is shown where several documents hold it.",
            expected="a support of 2 or more",
            got=repr(support),
        )


def known_words(
    words: Iterable[str], documents: Sequence[Sequence[str]], support: int
) -> frozenset[str]:
    """Of some words those that many documents hold."""
    return frozenset(p[0] for p in _supported({(w,) for w in words}, documents, support))


def _supported(
    phrases: set[Phrase], documents: Sequence[Sequence[str]], support: int
) -> frozenset[Phrase]:
    if not phrases:
        return frozenset()
    matcher = Matcher(sorted(phrases))
    held = np.bincount(matcher.occurrences(documents).indices, minlength=len(matcher))
    return frozenset(p for p, count in zip(matcher.phrases, held, strict=True) if count >= support)


def _listed(row: dict[str, Any]) -> Phrase:
    return tuple(row["phrase"])


def _single(row: dict[str, Any]) -> Phrase:
    return (row["word"],)


def _phrases(contents: dict[str, Any]) -> set[Phrase]:
    """Every phrase that the account names."""
    rules, model = contents["rules"] or {}, contents["phrase_model"] or {}
    found = {_listed(row) for row in [*rules.get("list", []), *rules.get("evidence", [])]}
    found |= {_listed(row) for row in model.get("list", [])}
    words = ((contents["join"] or {}).get("words") or {}).get("list", [])
    found |= {_single(row) for row in words}
    found |= {_single(row) for row in (contents["figures"] or {}).get("pushes") or []}
    dynamics = contents["dynamics"] or {}
    for one in ((dynamics.get("words") or {}).get("classes") or {}).values():
        found |= {(word,) for word in one["words"]}
    found.add((str(dynamics.get("input", {}).get("name")),))
    return {phrase for phrase in found if all(phrase)}


def _bare(counterexample: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if counterexample is None else {**counterexample, "excerpt": None}


def _dynamics(dynamics: dict[str, Any], known: frozenset[Phrase]) -> dict[str, Any]:
    if dynamics["words"] is None:
        return dict(dynamics)
    classes = {
        name: {**one, "words": [word for word in one["words"] if (word,) in known]}
        for name, one in dynamics["words"]["classes"].items()
    }
    return {**dynamics, "words": {**dynamics["words"], "classes": classes}}
