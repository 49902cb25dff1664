"""Every kind of network the page must cope with, made from the sample account."""

from __future__ import annotations

from typing import Any

from tests.report.sample import account

HOSTILE = [
    "<script>alert(1)</script>",
    "]]>",
    "&amp;",
    "$x^2$",
    "$\\frac{$",
    "nul\x00bell\x07",
    "new\nline",
    "שלום",
    "\u202egnitarig",
    "👩‍👩‍👧",
    "\ud800",
    "\uffff",
    '" onmouseover="alert(1)',
    "' style='x",
    "{{ 7777 * 7 }}",
    "{% raw %}",
    "--><!--",
    "url(#x)",
    "http://example.org/x.js",
    "_hidden",
    "",
    "   ",
    "x" * 10_000,
]


def variants() -> dict[str, dict[str, Any]]:
    """Every kind of network the page must cope with."""
    return {
        "complete": account(),
        "no_labels": no_labels(),
        "no_words": no_words(),
        "no_classifier": no_classifier(),
        "no_phrase_model": no_phrase_model(),
        "single_words_only": single_words_only(),
        "older": older(),
        "no_dynamics": no_dynamics(),
        "no_line": no_line(),
        "one_point": one_point(),
        "three_classes": account(3, classes=["negative", "neutral", "positive"]),
        "hostile": hostile(),
        "bare": {"format": 1, "not_applied": {}},
        "nulls": _all_null(account()),
    }


def no_labels() -> dict[str, Any]:
    """Texts without labels: no accuracy anywhere."""
    made = account(1)
    made["accuracy"] = None
    made["intervals"].pop("accuracy")
    made["rules"]["accuracy"] = None
    made["phrase_model"]["accuracy"] = None
    for rule in made["rules"]["evidence"]:
        rule["accuracy"] = rule["intervals"]["accuracy"] = None
        if rule["counterexample"] is not None:
            rule["counterexample"]["label"] = None
    for row in [*made["fidelity"], *made["baselines"].values()]:
        row["accuracy"] = None
        row["intervals"].pop("accuracy", None)
    for example in made["scores"]["examples"]:
        example["label"] = None
    made["verdict"]["figures"] = made["verdict"]["figures"][1:]
    made["not_applied"] = {"accuracy": "The data have no labels."}
    return made


def no_phrase_model() -> dict[str, Any]:
    """Rules, but too few documents to weigh phrases on."""
    made = account(8)
    made["phrase_model"] = None
    made["not_applied"] = {"phrase model": "Ten documents are too few to weigh phrases on."}
    return made


def single_words_only() -> dict[str, Any]:
    """A phrase model in which no phrase of several words has a weight."""
    made = account(9)
    made["phrase_model"] |= {"list": [], "of_several_words": 0}
    return made


def older() -> dict[str, Any]:
    """As the first version wrote it: without evidence, kappa and phrase model."""
    made = account(10)
    del made["phrase_model"], made["rules"]["evidence"]
    for row in made["fidelity"]:
        for key in ("balanced", "kappa", "confident", "unsure"):
            del row[key]
    return made


def no_words() -> dict[str, Any]:
    """Raw vectors in: classes and dynamics, but nothing that needs words."""
    made = account(2)
    sentence = "The network reads vectors, not words, so there are no phrases to mine."
    made |= {"rules": None, "baselines": None, "fidelity": None, "valence": None}
    made["phrase_model"] = None
    made["valence_correlation"] = None
    made["scores"] = {"completeness": {"beta": None, "gamma": None}, "method": None, "examples": []}
    made["model"]["vocabulary"] = None
    made["figures"] |= {"pushes": None, "positions": None}
    made["figures"]["state_space"]["paths"] = []
    made["verdict"]["figures"] = [made["verdict"]["figures"][i] for i in (0, 2, 3)]
    made["not_applied"] = {
        "rules": sentence,
        "scores": sentence,
        "pushes": sentence,
        "valence": "The data have no human ratings.",
    }
    return made


def no_classifier() -> dict[str, Any]:
    """A bare recurrent layer: dynamics only."""
    made = no_words()
    sentence = "A network without a classifier puts nothing in a class."
    made |= {"accuracy": None, "intervals": {}, "scores": None}
    made["model"] |= {"classes": None, "certificate": None, "record": None}
    made["data"] |= {"classes": None, "valence": False}
    made["figures"]["state_space"] |= {"readout": None}
    states = made["figures"]["state_space"]["states"]
    states["class"] = [None] * len(states["xy"])
    made["dynamics"]["alignment"]["axis_readout"] = None
    made["verdict"]["figures"] = made["verdict"]["figures"][1:]
    made["not_applied"] = {
        "rules": sentence,
        "accuracy": sentence,
        "word pushes": "Words push the network through their embeddings.\n  got: none",
        "valence": "The data have no human ratings.",
    }
    return made


def no_line() -> dict[str, Any]:
    """A network with nothing to linearize around: only the points are left of its dynamics."""
    made = account(6)
    sentence = "No point lies where the data goes, so there is nothing to linearize around."
    for key in ("eigenvalues", "time_constants", "growing", "alignment", "verdict"):
        made["dynamics"][key] = None
    made["figures"] = {"state_space": made["figures"]["state_space"]}
    made["not_applied"] = {"modes": sentence}
    return made


def one_point() -> dict[str, Any]:
    """A line of one point, a mode without end, classes by name as index."""
    made = account(7)
    plane = made["figures"]["state_space"]
    plane["states"] = {"xy": [[0.5, 0.5]], "class": ["positive"]}
    plane["points"] = {"root": {"xy": [[0.5, 0.5]]}}
    plane["paths"] = [{"xy": [[0.5, 0.5]], "example": 0}]
    made["figures"]["time_constants"] = {"position": [None], "tau": [[None, None, None]]}
    made["figures"]["eigenvalues"]["reference"] = [[1.02, 0.0]]
    made["figures"]["positions"] = {"position": [0.1], "valence": [1.0]}
    made["figures"]["pushes"] = made["figures"]["pushes"][:1]
    made["dynamics"]["time_constants"] = [None, None, None]
    return made


def no_dynamics() -> dict[str, Any]:
    """A bidirectional network: rules, but no single dynamical system."""
    made = account(4)
    sentence = "A bidirectional network is two systems that never share a state."
    made |= {"dynamics": None, "figures": None, "valence": None, "valence_correlation": None}
    made["verdict"]["figures"] = made["verdict"]["figures"][:2]
    made["not_applied"] = {"dynamics": sentence}
    return made


def hostile() -> dict[str, Any]:
    """Words, class names and sentences that try to break out of the page."""
    made = account(5, classes=["<b>neg$ative$</b>", "_pos\"'>"])
    for place, example in enumerate(made["scores"]["examples"]):
        words = HOSTILE if place == 0 else HOSTILE[: 6 + place]
        example["tokens"] = list(words)
        example["beta"] = [(-1.0) ** i for i in range(len(words))]
        example["gamma"] = [(-0.7) ** i for i in range(len(words))]
        example["others"] = {"leave one out": [0.1] * len(words)}
        example["way"] = [0.1 * i for i in range(len(words) + 1)]
        example["rule"] = {"phrase": words[:2], "class": 1, "rank": 0, "position": 0}
        example["why_shown"] = words[0]
    for rule, word in zip(made["rules"]["list"], HOSTILE, strict=False):
        rule["phrase"] = [word, "$y$"]
    for rule, word in zip(made["rules"]["evidence"], HOSTILE, strict=False):
        rule["phrase"] = [word, "$y$"]
        if rule["counterexample"] is not None:
            rule["counterexample"] |= {"excerpt": f"… {word} …", "network": word, "label": word}
    for row, word in zip(made["phrase_model"]["list"], HOSTILE, strict=False):
        row["phrase"] = [word, word]
    for row, word in zip(made["figures"]["pushes"], HOSTILE, strict=False):
        row["word"] = word
    for row, word in zip(made["join"]["words"]["list"], HOSTILE, strict=False):
        row["word"] = word
    made["verdict"]["findings"] = HOSTILE[4:8]
    made["fidelity"][0]["name"] = HOSTILE[0]
    made["data"] |= {"name": HOSTILE[0], "source": "javascript:alert(1)", "note": HOSTILE[6]}
    made["verdict"]["sentences"] = HOSTILE[:4]
    made["verdict"]["figures"][0] |= {"label": HOSTILE[0], "meaning": HOSTILE[12]}
    made["not_applied"] = {HOSTILE[0]: HOSTILE[12]}
    made["settings"] = {HOSTILE[0]: {HOSTILE[5]: HOSTILE}}
    made["model"] |= {"architecture": HOSTILE[3], "record": {"from": HOSTILE[0]}}
    return made


def _all_null(made: dict[str, Any]) -> dict[str, Any]:
    """The same keys, and nothing measured."""

    def empty(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: empty(item) for key, item in value.items()}
        return [] if isinstance(value, list) else None

    return {**empty(made), "format": 1, "not_applied": {}}
