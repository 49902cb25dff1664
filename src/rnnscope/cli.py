"""The command line: one function a command. Results on standard output, progress on standard error.

Exit codes: 0 done, 1 failed on the data or the network, 2 wrong usage.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from rnnscope.account import Account, ExplainOptions, explain
from rnnscope.account.account import check_page
from rnnscope.account.material import Material
from rnnscope.account.rules_half import as_words
from rnnscope.data import load_corpus
from rnnscope.dynamics import find_fixed_points, fit_manifold, line_attractor_verdict, linearize
from rnnscope.errors import DataError, NotApplicable, RnnscopeError, UsageError
from rnnscope.fidelity import compare
from rnnscope.fidelity import judge as judge_one
from rnnscope.models import Model, load
from rnnscope.phrases import mine_phrases
from rnnscope.qa.command import qa
from rnnscope.qa.command import run as run_qa
from rnnscope.rules import RuleEvidence, RuleList
from rnnscope.rules.export import check_export
from rnnscope.rules.order import check_bounds
from rnnscope.rules.tables import shown
from rnnscope.scores import (
    CellDecomposition,
    CellDifference,
    ContextualDecomposition,
    GradientTimesInput,
    IntegratedGradients,
    LeaveOneOut,
    Occlusion,
    Score,
)
from rnnscope.study import Study, run_study, save_study, study_status
from rnnscope.training import TrainingOptions
from rnnscope.training import train as train_network

DEMO = Path("runs/demo")

MemoryMethod = Literal["beta", "gamma"]
Method = Literal[
    "beta",
    "gamma",
    "gradient-x-input",
    "integrated-gradients",
    "occlusion",
    "leave-one-out",
    "contextual-decomposition",
]
METHODS: dict[str, Callable[[Model], Score]] = {
    "beta": CellDifference,
    "gamma": CellDecomposition,
    "gradient-x-input": GradientTimesInput,
    "integrated-gradients": IntegratedGradients,
    "occlusion": Occlusion,
    "leave-one-out": LeaveOneOut,
    "contextual-decomposition": ContextualDecomposition,
}

Flat = tyro.conf.OmitArgPrefixes
Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]
Json = Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff]
Where = Annotated[Path, tyro.conf.arg(metavar="DIR")]
Source = Annotated[str, tyro.conf.arg(metavar="FILE|NAME")]


def demo(out: Where = DEMO, seed: int = 0, as_json: Json = False) -> None:
    """Train an LSTM on the embedded rated sentences and write its report.

    The network is trained on documents composed of 1 to 8 sentences; rules are mined and judged
    on single sentences. Run again, it takes up the trained network.

    Example: rnnscope demo --out runs/demo

    Args:
        out: where the report, account.json and the model go.
        seed: of the network and every sample.
        as_json: print the account instead of its summary.
    """
    started = time.perf_counter()
    documents, sentences = load_corpus("embedded:documents"), load_corpus("embedded:sentences")
    _say(f"training an LSTM on {len(documents.split('train')):,} documents (kept in {out})")
    model = train_network(documents, TrainingOptions(seed=seed), directory=out, progress=True)
    _say("explaining it")
    options = ExplainOptions(seed=seed)
    account = explain(model, sentences, dynamics_corpus=documents, options=options, progress=True)
    page = account.save(out / "report.html")
    _finish(account, page, as_json, started)


def train(
    out: tyro.conf.Positional[Where],
    options: Flat[TrainingOptions] = TrainingOptions(),  # noqa: B008
    data: Source = "embedded:documents",
    text: str = "text",
    label: str | None = None,
    as_json: Json = False,
) -> None:
    """Train a reference network and save it.

    Every finished epoch is checkpointed in the directory; a run that was stopped goes on there.

    Example: rnnscope train runs/gru --architecture gru --data reviews.csv --label label

    Args:
        out: a directory for the checkpoint and the model.
        options: how to train.
        data: a CSV, TSV, JSONL or Parquet file, or "embedded:sentences", "embedded:documents".
        text: its column of texts.
        label: its column of labels; "label" if there is one.
        as_json: print the training record as JSON.
    """
    corpus = load_corpus(data, text=text, label=label)
    model = train_network(corpus, options, directory=out, progress=True)
    record = dict(model.record)
    if corpus.has_split("test") and corpus.labels is not None:
        test = corpus.split("test")
        record["test_accuracy"] = float((model.predict(test.documents) == test.labels).mean())
    if as_json:
        _print_json(record)
        return
    print(model)
    for name in ("validation_accuracy", "test_accuracy"):
        if name in record:
            print(f"{name.replace('_', ' ')}: {record[name]:.3f}")
    print(f"model: {out / 'model'}")


def report(
    model: Where = DEMO,
    data: Source = "embedded:sentences",
    out: Annotated[Path, tyro.conf.arg(metavar="HTML")] = Path("report.html"),
    text: str = "text",
    label: str | None = None,
    valence: str | None = None,
    max_rules: int | None = None,
    seed: int = 0,
    as_json: Json = False,
) -> None:
    """Explain a saved network on a corpus and write the page.

    Example: rnnscope report --model runs/demo --data reviews.csv --out report.html

    Args:
        model: a saved model's directory.
        data: a file or an embedded set.
        out: the page; account.json goes beside it.
        text: the column of texts.
        label: the column of labels; labels are optional.
        valence: a column of human ratings to compare with.
        max_rules: rules in the list at most; every mined phrase when not given.
        seed: of splits and samples.
        as_json: print the account instead of its summary.
    """
    started = time.perf_counter()
    check_page(out)
    network, corpus = load(model), load_corpus(data, text=text, label=label, valence=valence)
    account = explain(network, corpus, progress=True, max_rules=max_rules, seed=seed)
    _finish(account, account.save(out), as_json, started)


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
    _say(f"scoring and mining {len(material.mined):,} documents")
    scores = METHODS[score](network).score(material.mined)
    phrases = mine_phrases(scores, word_threshold=word_threshold, min_count=min_count)
    first = None if prune else max_rules
    found = RuleList.from_phrases(phrases, max_rules=first, min_importance=min_importance)
    if prune:
        _say(f"pruning {found.size:,} rules")
        found = found.pruned(as_words(material.mined), scores.predictions, max_rules=max_rules)
    judged = judge_one(
        "rules",
        found,
        as_words(material.judged),
        network=network.predict(material.judged),
        labels=material.labels,
    )
    if export is not None:
        _say(f"rules: {found.export(export)}")
    if as_json:
        _print_json(
            found.to_dict()
            | {"method": score, "phrases": len(phrases), "pruned": prune}
            | {"agreement": judged.agreement.value, "coverage": judged.coverage}
            | {"judged": judged.documents, "fidelity": judged.to_dict()}
        )
        return
    print(f"{found.size} rules of {len(phrases)} phrases, by {score}; {_judged_on(material)}")
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
        _say(f"the rules in {rules} were read out of another network than {model}")
    material = Material.of(network, load_corpus(data, text=text, label=label), seed=0)
    documents = as_words(material.judged)
    probabilities = network.probabilities(material.judged).cpu().numpy()
    _say(f"judging {found.size:,} rules beside the baselines")
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
        _print_json(compared.to_dict() | gain | {"judged": len(documents), "against": against})
        return
    print(f"{_judged_on(material)}\n{compared}")
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
        _print_json(
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


def dynamics(
    model: Where = DEMO,
    data: Source = "embedded:documents",
    inputs: str = "zero",
    points: int = 200,
    text: str = "text",
    seed: int = 0,
    as_json: Json = False,
) -> None:
    """Find the fixed points and slow modes, and say how far they form a line attractor.

    Example: rnnscope dynamics --model runs/demo --points 200

    Args:
        model: a saved model's directory.
        data: a file or an embedded set; states are taken from its test split.
        inputs: the input held fixed: zero, mean, or a word.
        points: states from which fixed points are sought.
        text: the column of texts.
        seed: of the sample.
        as_json: print as JSON.
    """
    network, corpus = load(model), load_corpus(data, text=text)
    material = Material.of(network, corpus, seed=seed)
    _say(f"finding fixed points from {points} states")
    found = find_fixed_points(network, material.judged, inputs, count=points, rng=seed)
    parts: dict[str, Any] = {"points": found, "modes": None, "manifold": None, "verdict": None}
    left_out = ""
    try:
        modes = parts["modes"] = linearize(network, found)
        line = parts["manifold"] = fit_manifold(found, modes)
        parts["verdict"] = line_attractor_verdict(found, modes, line)
    except NotApplicable as error:
        left_out = str(error)
    if as_json:
        summaries = {name: p if p is None else p.summary() for name, p in parts.items()}
        _print_json(summaries | {"not_applied": left_out})
        return
    for part in filter(None, parts.values()):
        print(part, end="\n\n")
    if left_out:
        print(f"left out: {left_out}")


def study(
    file: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="FILE.toml")]],
    folder: Where | None = None,
    workers: int = 1,
    only: Literal["all", "status", "tables"] = "all",
    retry_failed: Flag = False,
    as_json: Json = False,
) -> None:
    """Train and measure a grid of networks, then write its tables, figures and page.

    What is finished is skipped and what was killed goes on, so run it again until all is done.
    Several processes may run one study at once.

    Example: rnnscope study studies/small.toml --workers 2

    Args:
        file: the grid, as TOML.
        folder: where everything goes; runs/NAME by default.
        workers: local processes.
        only: "status" to see how far it is, "tables" to write what is finished.
        retry_failed: also networks that failed before.
        as_json: print as JSON.
    """
    grid = Study.read(file)
    root = folder or Path("runs") / grid.name
    if only == "all":
        done = run_study(
            grid, root, workers=workers, retry_failed=retry_failed, progress=not as_json
        )
        _say(repr(done))
    status = study_status(grid, root)
    if only == "status":
        if as_json:
            _print_json(status)
            return
        for row in status:
            why = row["reason"].splitlines()[0] if row["reason"] else row["by"]
            print(f"{row['state']:9} {row['network']}" + (f": {why}" if why else ""))
        return
    written = save_study(grid, root)
    if as_json:
        _print_json({"networks": status, "written": [str(path) for path in written]})
    else:
        print((root / "tables" / "tables.md").read_text(encoding="utf-8"))
        print(f"page: {written[0]}")
    failed = [row for row in status if row["state"] == "failed"]
    if failed and only == "all":
        raise DataError(
            "Not every network of the study could be finished.",
            got=f"{len(failed)} that failed: {failed[0]['network']}: {failed[0]['reason']}",
            fix="see --only status, and log.txt in the folder of each",
        )


COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "train": train,
    "report": report,
    "rules": rules,
    "judge": judge,
    "score": score,
    "dynamics": dynamics,
    "study": study,
    "qa": qa,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. tyro itself exits with 2 on a wrong command line."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A word that the terminal cannot show is written out, not an error.
        sys.stdout.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["qa"]:
            run_qa(given[1:])
            return 0
        tyro.extras.subcommand_cli_from_dict(
            COMMANDS,
            prog="rnnscope",
            description="Reverse engineer a trained recurrent network: the rules it follows and "
            "the dynamical system it runs.",
            args=given,
        )
    except RnnscopeError as error:
        print(f"rnnscope: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print("rnnscope: stopped; what was finished is kept", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        print(f"rnnscope: {error}", file=sys.stderr)
        return 1
    return 0


def _judged_on(material: Material) -> str:
    """On what a result was judged, in words."""
    judged: dict[str, Any] = material.description["judged_on"]
    return f"judged on {judged['documents']:,} documents ({judged['split']})"


def _finish(account: Account, page: Path, as_json: bool, started: float) -> None:
    if as_json:
        _print_json(account.to_dict())
    else:
        print(account)
        for name, why in account.not_applied.items():
            print(f"left out: {name}: {why.splitlines()[0]}")
    _say(f"done in {time.perf_counter() - started:.0f} s")
    print(f"report: {page}", file=sys.stderr if as_json else sys.stdout)


def _most_against(evidence: Iterable[RuleEvidence]) -> list[tuple[int, RuleEvidence]]:
    """The rules that decide documents against the network, and how many; most first."""
    counted = [
        (round(one.decides * (1 - one.agreement.value)), one) for one in evidence if one.decides
    ]
    wrong = [(against, one) for against, one in counted if against]
    return sorted(wrong, key=lambda item: -item[0])


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
