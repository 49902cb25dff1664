"""``rnnscope rules|judge|score``: what a network decides by."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import tyro

from rnnscope.account.material import Material
from rnnscope.account.rules_half import as_words
from rnnscope.cli.common import (
    DEMO,
    METHODS,
    Flag,
    Json,
    MemoryMethod,
    Method,
    Source,
    Where,
    judged_on,
    print_json,
    say,
)
from rnnscope.data import load_corpus
from rnnscope.errors import DataError
from rnnscope.fidelity import compare
from rnnscope.fidelity import judge as judge_one
from rnnscope.models import load
from rnnscope.notebook import visible as shown
from rnnscope.phrases import mine_phrases
from rnnscope.rules import RuleEvidence, RuleList
from rnnscope.rules.export import check_export
from rnnscope.rules.order import check_bounds


def rules(
    model: Where = DEMO,
    data: Source = "embedded:sentences",
    score: Annotated[MemoryMethod, tyro.conf.arg(aliases=["--method"])] = "beta",
    max_rules: int | None = None,
    min_importance: float | None = None,
    prune: Flag = False,
    export: Annotated[Path | None, tyro.conf.arg(metavar="JSON|PY")] = None,
    word_threshold: float = 1.1,
    min_count: int = 5,
    show: int = 20,
    text: str = "text",
    label: str | None = None,
    as_json: Json = False,
) -> None:
    """Mine phrases, make the rule list, and say how well it stands in for the network.

    Example: rnnscope rules --model runs/demo --prune --max-rules 1000 --export rules.json

    Args:
        model: a saved model's directory.
        data: a file or an embedded set; mined on its train split, judged on its test split.
        score: the word score.
        max_rules: rules in the list at most; every mined phrase when not given.
        min_importance: the least importance S of a rule.
        prune: drop the rules whose absence costs no agreement on the mined text, and then, with
            --max-rules, those that cost least; without it the first so many are taken.
        export: write the list: .json to read, edit and judge again, .py to use without rnnscope.
        word_threshold: how important each word of a candidate must be.
        min_count: occurrences of a phrase at least.
        show: rules printed.
        text: the column of texts.
        label: the column of labels.
        as_json: print all rules as JSON.
    """
    # Before minutes of work.
    if export is not None:
        check_export(export)
    check_bounds(max_rules, min_importance)
    network, corpus = load(model), load_corpus(data, text=text, label=label)
    material = Material.of(network, corpus, seed=0)
    say(f"scoring and mining {len(material.mined):,} documents")
    scores = METHODS[score](network).score(material.mined)
    phrases = mine_phrases(scores, word_threshold=word_threshold, min_count=min_count)
    first = None if prune else max_rules
    found = RuleList.from_phrases(phrases, max_rules=first, min_importance=min_importance)
    if prune:
        say(f"pruning {found.size:,} rules")
        found = found.pruned(as_words(material.mined), scores.predictions, max_rules=max_rules)
    judged = judge_one(
        "rules",
        found,
        as_words(material.judged),
        network=network.predict(material.judged),
        labels=material.labels,
    )
    if export is not None:
        say(f"rules: {found.export(export)}")
    if as_json:
        print_json(
            found.to_dict()
            | {"method": score, "phrases": len(phrases), "pruned": prune}
            | {"agreement": judged.agreement.value, "coverage": judged.coverage}
            | {"judged": judged.documents, "fidelity": judged.to_dict()}
        )
        return
    print(f"{found.size} rules of {len(phrases)} phrases, by {score}; {judged_on(material)}")
    print(f"agreement with the network {judged.agreement}, coverage {judged.coverage:.3f}")
    if judged.accuracy is not None:
        print(f"accuracy {judged.accuracy}")
    print(f"\n{'':>5}  {'S':>8}  {'times':>6}  {'class':10}  phrase")
    for rank, rule in enumerate(found.rules[:show], 1):
        name = shown(found.classes[rule.class_index])
        print(f"{rank:5d}  {rule.importance:8.2f}  {rule.count:6d}  {name:10}  {shown(rule.text)}")
    print(f"else: {shown(found.classes[found.default])}")


def judge(
    rules: Annotated[Path, tyro.conf.arg(metavar="JSON")],
    model: Where = DEMO,
    data: Source = "embedded:sentences",
    show: int = 10,
    text: str = "text",
    label: str | None = None,
    as_json: Json = False,
) -> None:
    """Judge a rule list, edited by hand or not, against the network and beside baselines.

    Example: rnnscope judge --rules rules.json --model runs/demo

    Args:
        rules: a list that "rnnscope rules --export" wrote, edited or not.
        model: the saved model's directory that the rules stand in for.
        data: a file or an embedded set; the baselines are fitted to the network's answers on its
            train split, and everything is judged on its test split.
        show: rules printed, those that decide most documents against the network.
        text: the column of texts.
        label: the column of labels.
        as_json: print as JSON.
    """
    found, network = RuleList.load(rules), load(model)
    if found.classes != network.classes:
        raise DataError(
            "A rule list is judged against a network of the same classes.",
            expected=", ".join(network.classes),
            got=f"{', '.join(found.classes)} in {rules}",
            fix='put "classes" in the order of the network',
        )
    if found.fingerprint and found.fingerprint != network.fingerprint:
        say(f"the rules in {rules} were read out of another network than {model}")
    material = Material.of(network, load_corpus(data, text=text, label=label), seed=0)
    documents = as_words(material.judged)
    probabilities = network.probabilities(material.judged).cpu().numpy()
    say(f"judging {found.size:,} rules beside the baselines")
    compared = compare(
        {"rules": found},
        documents,
        network=probabilities.argmax(axis=1),
        labels=material.labels,
        probabilities=probabilities,
        fitted_on=(as_words(material.mined), network.predict(material.mined)),
    )
    less = None
    if "bag of words" in compared.given:
        less = compared.difference("rules", "bag of words")
    evidence = found.evidence(documents, network=probabilities, labels=material.labels, examples=1)
    worst = _most_against(evidence)[:show]
    if as_json:
        gain = {"rules_less_bag_of_words": None if less is None else less.to_dict()}
        against = [{"rank": one.rank, "phrase": one.phrase, "against": n} for n, one in worst]
        print_json(compared.to_dict() | gain | {"judged": len(documents), "against": against})
        return
    print(f"{judged_on(material)}\n{compared}")
    if less is not None:
        print(f"\nagreement of the rules less that of the bag of words: {less:+.3f}")
    if worst:
        print(f"\n{'rank':>5}  {'decides':>7}  {'against':>7}  rule, and its surest counterexample")
    for against, one in worst:
        rule = shown(f"{one.phrase}: {one.class_name}")
        print(f"{one.rank + 1:5d}  {one.decides:7d}  {against:7d}  {rule}")
        print(f"{'':>5}  {'':>7}  {'':>7}    {shown(one.counterexamples[0].excerpt)}")


def score(
    sentence: tyro.conf.Positional[str],
    model: Where = DEMO,
    method: Method = "gamma",
    as_json: Json = False,
) -> None:
    """Score every word of a sentence.

    Example: rnnscope score "not a bad film" --model runs/demo --method leave-one-out

    Args:
        sentence: the text, in quotes.
        model: a saved model's directory.
        method: how. The scores of beta, gamma and integrated gradients add up to the logit; the
            others say what a change of one word does, or would do.
        as_json: print as JSON.
    """
    network = load(model)
    scorer = METHODS[method](network)
    found = scorer.score([sentence])[0]
    probabilities = network.probabilities([sentence])[0].tolist()
    by_class = dict(zip(network.classes, probabilities, strict=True))
    if as_json:
        print_json(
            {
                "tokens": list(found.tokens),
                "classes": list(network.classes),
                "method": method,
                "values": found.values.tolist(),
                "initial": found.initial.tolist(),
                "bias": found.bias.tolist(),
                "logits": found.logits.tolist(),
                "probabilities": by_class,
                "completeness": found.completeness if scorer.complete else None,
            }
        )
        return
    print("".join(f"{shown(name)}: {p:.3f}   " for name, p in by_class.items()).rstrip() + "\n")
    print(f"{'word':20} " + " ".join(f"{shown(name):>12}" for name in network.classes))
    for token, values in zip(found.tokens, found.values.tolist(), strict=True):
        print(f"{shown(token):20} " + " ".join(f"{value:+12.4f}" for value in values))
    if scorer.complete:
        rest = (found.bias + found.initial).tolist()
        print(f"{'(no word)':20} " + " ".join(f"{value:+12.4f}" for value in rest))
    print(f"{'logit':20} " + " ".join(f"{value:+12.4f}" for value in found.logits.tolist()))
    if not scorer.complete:
        print(f"the scores of {scorer.name} are no terms of a sum: they do not add up to the logit")


def _most_against(evidence: Iterable[RuleEvidence]) -> list[tuple[int, RuleEvidence]]:
    """The rules that decide documents against the network, and how many; most first."""
    counted = [
        (round(one.decides * (1 - one.agreement.value)), one) for one in evidence if one.decides
    ]
    wrong = [(against, one) for against, one in counted if against]
    return sorted(wrong, key=lambda item: -item[0])
