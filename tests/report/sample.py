"""Accounts as docs/account.md describes them, generated from a seed: no network was run."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.report.sample_dynamics import BAD, GOOD, dynamics

PLAIN = [
    "the",
    "a",
    "movie",
    "film",
    "plot",
    "actor",
    "scene",
    "it",
    "was",
    "is",
    "and",
    "of",
    "with",
]
WEIGHT = dict.fromkeys(GOOD, 1.4) | dict.fromkeys(BAD, -1.5)


def account(seed: int = 0, *, classes: list[str] | None = None) -> dict[str, Any]:
    """A complete account of an imagined GRU that reads movie reviews."""
    rng = np.random.default_rng(seed)
    classes = classes or ["negative", "positive"]
    examples = [_example(rng, classes, place) for place in range(8)]
    return {
        "format": 1,
        "rnnscope": "0.1.0",
        "settings": {
            "seed": seed,
            "max_length": 5,
            "min_count": 5,
            "word_threshold": 1.1,
            "fixed_points": {"seeds": 512, "tolerance": 1e-12},
        },
        "verdict": {
            "findings": ["Generated finding: the slow direction lasts 89 steps."],
            "sentences": [
                "Generated sample: no network was run for these numbers.",
                "This GRU with 64 units adds up how positive its words are and decides by the sum.",
                "A list of 60 rules gives the same answer on 93.8 % of held-out texts.",
                "Its slow states form a line: along it, what a word adds stays for about 89 steps.",
            ],
            "figures": [
                _tile(
                    "accuracy",
                    0.8734512,
                    [0.851, 0.8941],
                    "share",
                    "of texts are put in their true class",
                ),
                _tile(
                    "rules agree",
                    0.9381,
                    [0.922, 0.953],
                    "share",
                    "of texts get the network's class from the rules",
                ),
                _tile("memory", 89.23, [71.0, 110.4], "steps", "until two thirds are forgotten"),
                _tile("line", 0.9312, None, "share", "of the points' variance on one axis"),
                _tile(
                    "ratings", 0.713, [0.66, 0.761], "correlation", "of final position and rating"
                ),
                _tile("rules", 60, None, "count", "phrases"),
            ],
        },
        "model": {
            "architecture": "GRU",
            "units": 64,
            "input_width": 50,
            "pooling": "last",
            "classes": classes,
            "vocabulary": 4218,
            "parameters": 235_412,
            "dtype": "float64",
            "fingerprint": "9f3a5c7e1b2d4f60",
            "certificate": {
                "states": 1.2e-15,
                "logits": 3.1e-14,
                "documents": 100,
                "words": 1834,
                "tolerance": 1e-9,
                "output": "logits",
                "data": "held-out texts",
                "note": "The original module ran in float64.",
            },
            "record": {"epochs": 8, "learning_rate": 0.002, "test_accuracy": 0.8734512},
        },
        "data": {
            "name": "ratings",
            "source": "generated",
            "note": "Sentences made from three word lists.",
            "documents": 5210,
            "words": 81_233,
            "mean_length": 15.6,
            "splits": {"train": 4000, "validation": 400, "test": 810},
            "classes": classes,
            "valence": True,
            "fingerprint": "77aa0c1d",
            "mined_on": {"split": "train", "documents": 4000},
            "judged_on": {"split": "test", "documents": 810},
            "caution": "The texts are short; a longer text may be read in another way.",
        },
        "accuracy": 0.8734512,
        "intervals": {"accuracy": [0.851, 0.8941], "valence_correlation": [0.66, 0.761]},
        "scores": {
            "completeness": {
                "beta": {"error": 4.4e-15, "relative": 1.1e-15, "documents": 200},
                "gamma": {"error": 8.2e-15, "relative": 2.3e-15, "documents": 200},
            },
            "method": "gamma",
            "examples": examples,
        },
        "rules": _rules(rng, classes),
        "baselines": {
            "majority": _judged("majority", 0.531, 0.524, 0.0, 1),
            "bag_of_words": _judged("bag_of_words", 0.951, 0.861, 1.0, 4218),
            "bag_of_ngrams": _judged("bag of 1-3-grams", 0.957, 0.864, 1.0, 30_112),
        },
        "fidelity": [
            _judged("rules", 0.9381, 0.8543, 0.9123, 60),
            _judged("pruned rules (gamma)", 0.921, 0.851, 0.901, 31),
            _judged("phrase model (gamma)", 0.962, 0.867, 0.998, 1112),
            _judged("phrases summed (gamma)", 0.944, 0.859, 0.973, 1242),
            _judged("majority", 0.531, 0.524, 0.0, 1),
            _judged("bag_of_words", 0.951, 0.861, 1.0, 4218),
            _judged("bag of 1-3-grams", 0.957, 0.864, 1.0, 30_112),
        ],
        "phrase_model": _phrase_model(rng, classes),
        "valence_correlation": 0.713,
        "valence": {
            "texts": "test sentences",
            "position": {"value": 0.713, "interval": [0.66, 0.761], "count": 810},
            "logit": {"value": 0.742, "interval": [0.70, 0.786], "count": 810},
            "words": {"value": 0.58, "interval": [0.49, 0.64], "count": 512},
        },
        "private": None,
        "join": _join(rng),
        "not_applied": {"beta on stacked layers": "This network has one layer."},
        **dynamics(rng, classes, examples),
    }


def _tile(
    label: str, value: float, interval: list[float] | None, unit: str, meaning: str
) -> dict[str, Any]:
    return {"label": label, "value": value, "interval": interval, "unit": unit, "meaning": meaning}


def _judged(
    name: str, agreement: float, accuracy: float, coverage: float, size: int
) -> dict[str, Any]:
    around = {"agreement": agreement, "accuracy": accuracy}
    return {
        "name": name,
        **around,
        "balanced": agreement,
        "kappa": 2 * agreement - 1 if coverage else None,
        "confident": agreement,
        "unsure": agreement,
        "coverage": coverage,
        "size": size,
        "intervals": {key: [value - 0.017, value + 0.016] for key, value in around.items()},
    }


def _example(rng: np.random.Generator, classes: list[str], place: int) -> dict[str, Any]:
    length = int(rng.integers(8, 22))
    good = place % 2 == 1
    words = [
        str(rng.choice((GOOD if good else BAD) if rng.random() < 0.25 else PLAIN))
        for _ in range(length)
    ]
    position = int(rng.integers(0, length - 1))
    words[position] = (GOOD if good else BAD)[place]
    gamma = [WEIGHT.get(word, 0.0) + float(rng.normal(0, 0.15)) for word in words]
    beta = [0.7 * value + float(rng.normal(0, 0.25)) for value in gamma]
    predicted = len(classes) - 1 if good else 0
    rule = None
    if place < 6:
        rule = {
            "phrase": words[position : position + 2],
            "class": predicted,
            "rank": place,
            "position": position,
        }
    return {
        "tokens": words,
        "beta": beta,
        "gamma": gamma,
        "shown_class": len(classes) - 1,
        "predicted": predicted,
        "label": predicted if place != 3 else 0,
        "probability": float(rng.uniform(0.6, 0.999)),
        "valence": float(rng.normal(2.0 if good else -2.0, 0.5)),
        "others": {"leave one out": [0.5 * value for value in gamma]},
        "way": [0.0, *np.cumsum(gamma).tolist()],
        "rule": rule,
        "rules_say": predicted if place != 5 else 0,
        "why_shown": ["surest", "least sure", "typical", "the network errs"][place % 4],
    }


def _join(rng: np.random.Generator) -> dict[str, Any]:
    words = [*WEIGHT, *PLAIN]
    effect = np.array([0.5 * WEIGHT.get(word, 0.0) for word in words])
    noise = rng.normal(0, 0.1, (3, len(words)))
    rows = [
        {"word": w, "count": 5 + k, "score": 2 * e + a, "push": e + b, "effect": e + c}
        for k, (w, e, a, b, c) in enumerate(zip(words, effect, *noise, strict=True))
    ]
    rows = [{k: v if isinstance(v, str | int) else float(v) for k, v in r.items()} for r in rows]
    pairs = [["score", "push"], ["score", "effect"], ["push", "effect"]]
    return {
        "tally": {"value": 0.96, "interval": [0.95, 0.97], "count": 810, "threshold": 0.1},
        "words": {
            "method": "gamma",
            "documents": 300,
            "words": len(rows),
            "correlations": [
                {"of": of, "value": 0.9, "interval": [0.8, 0.95], "count": 33, "null_95": 0.3}
                for of in pairs
            ],
            "list": rows,
        },
    }


def _rules(rng: np.random.Generator, classes: list[str]) -> dict[str, Any]:
    rows = []
    for rank in range(60):
        good = rank % 2 == 1
        phrase = [(GOOD if good else BAD)[rank // 2 % 10]]
        phrase = [str(word) for word in rng.choice(PLAIN, rank % 3)] + phrase
        fired = int(rng.integers(0, 40))
        rows.append(
            {
                "phrase": phrase,
                "class": len(classes) - 1 if good else 0,
                "importance": float(8 * 0.95**rank),
                "count": int(rng.integers(5, 400)),
                "precision": float(rng.uniform(0.85, 1)),
                "fired": fired,
                "agreed": float(rng.uniform(0.8, 1)) if fired else None,
                "intervals": {"agreed": [0.7, 1.0] if fired else None},
            }
        )
    return {
        "size": 60,
        "agreement": 0.9381,
        "accuracy": 0.8543,
        "coverage": 0.9123,
        "intervals": {"agreement": [0.922, 0.953], "accuracy": [0.83, 0.876]},
        "method": "gamma",
        "default": 0,
        "word_threshold": 1.1,
        "max_length": 5,
        "min_count": 5,
        "phrases": 1242,
        "list": rows,
        "evidence": [_evidence(row, rank, classes) for rank, row in enumerate(rows[:12])],
    }


def _evidence(rule: dict[str, Any], rank: int, classes: list[str]) -> dict[str, Any]:
    against = {
        "document": 10 * rank,
        "position": 3,
        "excerpt": f"… it was not {' '.join(rule['phrase'])} , and the plot …",
        "network": classes[-1 if rule["class"] == 0 else 0],
        "confidence": 0.91,
        "label": classes[0],
    }
    return {
        **{key: rule[key] for key in ("phrase", "class", "importance")},
        "rank": rank,
        "occurs": 52 - rank,
        "decides": 40 - rank,
        "agreement": 0.9,
        "accuracy": 0.85,
        "intervals": {"agreement": [0.8, 0.95], "accuracy": [0.75, 0.92]},
        "counterexample": against if rank % 4 != 3 else None,
    }


def _phrase_model(rng: np.random.Generator, classes: list[str]) -> dict[str, Any]:
    judged = _judged("phrase model (gamma)", 0.962, 0.867, 0.998, 1112)
    rows = []
    for rank, word in enumerate(GOOD[:8] + BAD[:7]):
        weight, parts = float(rng.uniform(0.4, 1.4)), float(rng.uniform(-0.9, 0.3))
        rows.append(
            {
                "phrase": ["not", word],
                "class": classes[0 if rank < 8 else -1],
                "weight": weight,
                "parts": parts,
                "together": weight + parts,
                "count": int(rng.integers(5, 90)),
            }
        )
    return {**judged, "of_several_words": 214, "list": rows}
