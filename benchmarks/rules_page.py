"""docs/results/rules.md from docs/results/rules.json.

Run: python benchmarks/rules_page.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "results"

NAMES = {
    "lstm": "the LSTM",
    "rules_beta": "first match, beta, order of S (the paper's)",
    "rules_beta_supported": "first match, beta, supported order",
    "rules_beta_pruned": "the same, pruned",
    "rules_beta_3000": "pruned to 3,000 rules at most",
    "rules_beta_1000": "pruned to 1,000 rules at most",
    "rules_beta_300": "pruned to 300 rules at most",
    "rules_gamma": "first match, gamma, order of S (the paper's)",
    "rules_gamma_supported": "first match, gamma, supported order",
    "rules_gamma_pruned": "the same, pruned",
    "rules_gamma_3000": "pruned to 3,000 rules at most",
    "rules_gamma_1000": "pruned to 1,000 rules at most",
    "rules_gamma_300": "pruned to 300 rules at most",
    "rules_gradient_norm": "first match, gradient norm",
    "rules_gradient_times_input": "first match, gradient x input",
    "phrase_model_1000": "phrase model, 1,000 phrases",
    "phrase_model_3000": "phrase model, 3,000 phrases",
    "phrase_model_10000": "phrase model, 10,000 phrases",
    "phrase_model_all": "phrase model, all phrases",
    "phrases_summed_beta": "phrases of beta summed as they are",
    "phrases_summed_gamma": "phrases of gamma summed as they are",
    "bag_of_words": "bag of words fitted to the network's answers",
    "bag_of_1_3_grams": "bag of 1-3-grams, likewise",
    "majority": "always the same class",
}

SETS = {
    "sst2": "SST-2 (Socher et al. 2013): the sentences of the binary test split that were at hand "
    "(1,644 of 1,821). The LSTM also learned from the labelled phrases of the training trees. "
    "Mined: training sentences, their phrases, and 220,000 sentences of IMDB's training reviews "
    "without their labels.",
    "imdb": "IMDB (Maas et al. 2011): 22,500 of the 25,000 test reviews, their last 400 words. "
    "Mined: the 22,500 training reviews.",
    "yelp": "Yelp reviews: one and two stars against four and five; 10,000 reviews in all "
    "(the paper had 598,000). Mined: the training reviews.",
}

HEAD = """# Rules read out of LSTMs: results

Made by `python benchmarks/rules_page.py` from [rules.json](rules.json), which
`OMP_NUM_THREADS=1 python benchmarks/rules.py --write` writes. Mean of {seeds} networks (lowest to
highest), on test text that neither the network nor the rules saw. Agreement is with the network's
own answers, accuracy with the labels, size the number of phrases (words, for a bag of words).
The gradient rows are mined on the first 8,000 texts; a norm has no class, so a phrase's class is
the network's majority answer where it occurs; gradient x input has a sign.
"""


def main() -> None:
    result = json.loads((FOLDER / "rules.json").read_text())
    seeds = max(len(entry["seeds"]) for entry in result.values())
    parts = [HEAD.format(seeds=seeds)]
    for name, title in SETS.items():
        if name in result:
            parts.append(section(name, title, result[name]))
    parts.append(frontier(result))
    (FOLDER / "rules.md").write_text("\n".join(parts))


def frontier(result: dict[str, Any]) -> str:
    """What the tables say of how far rules can go."""

    def agreement(name: str, row: str) -> str:
        return f"{result[name]['rows'][row]['agreement']['mean']:.3f}"

    lines = ["## How far a list can go", ""]
    for name in (name for name in SETS if name in result):
        small, large = (agreement(name, f"rules_beta_{k}") for k in ("1000", "supported"))
        few, many = (agreement(name, f"phrase_model_{k}") for k in ("1000", "all"))
        lines.append(
            f"- {name}: first match {small} with 1,000 rules at most and {large} with all of them; "
            f"the same phrases added up {few} with 1,000 and {many} with all."
        )
    lines += [
        "",
        "Two things bound a short first-match list. It decides by one phrase, where the networks "
        "add up: with the same phrases the sum is closer to the network at every size. And where "
        "sentences are short (SST-2), their evidence is spread over rare words that 1,000 or 3,000 "
        "phrases do not hold, so there more phrases help both. On long reviews a few hundred "
        "well-ordered rules do as well as tens of thousands. Words fitted to the network's answers "
        "come nearer the labels on IMDB and Yelp than the phrases do; nearer the network than all "
        "phrases added up they come on none of the three.",
    ]
    return "\n".join(lines) + "\n"


def section(name: str, title: str, entry: dict[str, Any]) -> str:
    lines = [f"## {name}", "", title, ""]
    lines += ["| description | agreement | accuracy | size |", "|---|---|---|---|"]
    for row, figures in entry["rows"].items():
        agreement = "" if row == "lstm" else cell(figures["agreement"])
        size = "" if row == "lstm" else f"{figures['size']['mean']:,.0f}"
        lines.append(f"| {NAMES[row]} | {agreement} | {cell(figures['accuracy'])} | {size} |")
    if "pipeline" in entry:
        steps = dict(entry["pipeline"])
        total, reviews = steps.pop("total"), steps.pop("reviews")
        rules, agreement = steps.pop("rules_kept"), steps.pop("agreement_on_the_tenth")
        listed = ", ".join(f"{step} {seconds:.1f}" for step, seconds in steps.items())
        lines += [
            "",
            f"From the texts of {reviews:,.0f} reviews to {rules:,.0f} rules, judged on the tenth "
            f"that was not mined (agreement {agreement:.3f}), the network given: {total:.1f} s "
            f"({listed}).",
        ]
    return "\n".join(lines) + "\n"


def cell(figure: dict[str, Any]) -> str:
    low, high = figure["range"]
    return f"{figure['mean']:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()
