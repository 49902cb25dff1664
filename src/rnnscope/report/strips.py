"""Example sentences as heat strips: what each word did to the decision, as a background."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnscope.report.reading import class_names, index_of, reason

SHOWN = 400
"""Words shown of one sentence; a longer one is cut, and says so."""
_STRONGEST = 12


def strips(account: dict[str, Any]) -> dict[str, Any] | None:
    """What the template draws: the scales of the colours, and every example; None without any."""
    scores = account.get("scores") or {}
    examples = [_flat(example) for example in scores.get("examples") or []]
    known = dict.fromkeys(name for example in examples for name in example.get("others") or {})
    methods = [
        method
        for method in (*_order(scores.get("method")), *known)
        if any(example.get(method) for example in examples)
    ]
    if not methods:
        return None
    names = class_names(account)
    scales = {method: _scale(examples, method) for method in methods}
    missing = {
        method: reason(account, method) for method in ("gamma", "beta") if method not in methods
    }
    return {
        "scales": scales,
        "missing": missing,
        "examples": [_example(example, names, scales) for example in examples],
        "two": len(names) == 2,
    }


def _flat(example: dict[str, Any]) -> dict[str, Any]:
    """The scores of every method under its name."""
    return {**example, **(example.get("others") or {})}


def _order(first: Any) -> list[str]:
    return sorted(("gamma", "beta"), key=lambda method: method != first)


def _scale(examples: list[dict[str, Any]], method: str) -> float:
    """The score of the deepest colour: beyond it lie the largest 2 % of the scores shown."""
    sizes = [abs(score) for example in examples for score in example.get(method) or []
             if score is not None]  # fmt: skip
    return max(float(np.quantile(sizes, 0.98)), 1e-9) if sizes else 1.0


def _example(example: dict[str, Any], names: list[str], scales: dict[str, float]) -> dict[str, Any]:
    tokens = example.get("tokens") or []
    shown = index_of(names, example.get("shown_class"))
    against = 1 - shown if shown is not None and len(names) == 2 else None
    rule = example.get("rule") or None
    held = [method for method in scales if example.get(method)]
    rows = [
        {"method": method, "sum": sum(score or 0 for score in example[method])} for method in held
    ]
    return {
        **example,
        "class": index_of(names, example.get("predicted")),
        "truth": index_of(names, example.get("label")),
        "says": index_of(names, example.get("rules_say")),
        "shown": shown,
        "against": against,
        "rule": rule,
        "rows": rows,
        "parts": _parts(tokens, example, held, scales, rule),
        "cut": max(0, len(tokens) - SHOWN),
        "strongest": _strongest(tokens, example, list(scales)),
        "wrong": example.get("label") is not None and example["label"] != example.get("predicted"),
    }


def _parts(
    tokens: list[str],
    example: dict[str, Any],
    methods: list[str],
    scales: dict[str, float],
    rule: dict[str, Any] | None,
) -> list[dict[str, Any]]:
    """Words in runs: those of the phrase that fired stand together, to be outlined as one. Each
    with its shade by every method, the first of which shades the word itself."""
    words = [
        {
            "token": token,
            "marks": [_mark(m, next(iter(example[m][place:]), None), scales[m]) for m in methods],
        }
        for place, token in enumerate(tokens[:SHOWN])
    ]
    if rule is None or not 0 <= (rule.get("position") or 0) < len(words):
        return [{"fired": False, "words": words}]
    start = rule.get("position") or 0
    stop = start + len(rule["phrase"])
    runs = ((False, words[:start]), (True, words[start:stop]), (False, words[stop:]))
    return [{"fired": fired, "words": run} for fired, run in runs if run]


def _mark(method: str, score: float | None, scale: float) -> dict[str, Any]:
    level = round(min(1.0, abs(score or 0) / scale), 2)
    return {"method": method, "score": score, "level": level, "up": (score or 0) > 0}


def _strongest(
    tokens: list[str], example: dict[str, Any], methods: list[str]
) -> list[dict[str, Any]]:
    """The words with the largest scores, in reading order, with every method's number."""
    held = [method for method in methods if example.get(method)]
    if not held:
        return []
    sizes = np.array([abs(score or 0) for score in example[held[0]]])
    places = sorted(np.argsort(-sizes, kind="stable")[:_STRONGEST].tolist())
    return [
        {"place": place + 1, "token": tokens[place], **{m: example[m][place] for m in held}}
        for place in places
    ]
