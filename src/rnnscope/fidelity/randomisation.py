"""Sanity check by randomised weights (Adebayo et al. 2018).

Weights are destroyed from the readout down: first the readout, then the top layer too, and so on
to the embedding. What a score or a rule list says of the network must be destroyed with them. If
it is not, it describes the text, not the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from rnnscope.errors import DataError, UsageError
from rnnscope.fidelity.documents import towards
from rnnscope.fidelity.judge import Description
from rnnscope.fidelity.random_weights import How, randomised
from rnnscope.fidelity.ranks import SHUFFLES, ranks_of
from rnnscope.models import Model
from rnnscope.notebook import ShowsItself
from rnnscope.progress import told
from rnnscope.scores import Score, WordScores
from rnnscope.statistics import NAN, Estimate, finite, share


@dataclass(frozen=True, kw_only=True)
class RandomisedStage:
    """What is left when the weights down to one part are randomised.

    Args:
        part: the lowest part that is randomised: "readout", "layer 1", ..., "embedding".
        ranks: Spearman's correlation of the new scores with the original network's, within
            documents; mean over the randomised networks, with Student's interval over them.
        ranks_null: the same with shuffled scores.
        by_network: it for each randomised network.
        agreement: share of documents that the new rules put in the original network's class; None
            without rules. The interval is over the randomised networks, each against its null.
        agreement_null: the same with the network's classes shuffled over the documents.
        destroyed: whether both lie inside their nulls; None where that cannot be said.
        sentence: what it says.
    """

    part: str
    ranks: Estimate
    ranks_null: Estimate
    by_network: tuple[float, ...]
    agreement: Estimate | None
    agreement_null: Estimate | None
    destroyed: bool | None
    sentence: str


@dataclass(frozen=True, kw_only=True, eq=False)
class RandomisationTest(ShowsItself):
    """The stages, from the readout down.

    Args:
        method: the score.
        stages: one for each part, every part above it randomised too.
        original_agreement: the original rules' agreement with the original network, what there is
            to destroy; None without rules.
        sentence: the verdict.
    """

    method: str
    stages: tuple[RandomisedStage, ...]
    original_agreement: Estimate | None
    sentence: str

    @property
    def passed(self) -> bool | None:
        """Whether nothing is left at the last stage; None where that cannot be said."""
        return self.stages[-1].destroyed

    def to_frame(self) -> pl.DataFrame:
        """One row a stage."""
        return pl.DataFrame([_row(stage) for stage in self.stages], infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: None for what is not a number."""
        original = self.original_agreement
        return {
            "method": self.method,
            "stages": [
                {**_row(s), "by_network": [finite(v) for v in s.by_network]} for s in self.stages
            ],
            "original_agreement": None if original is None else original.to_dict(),
            "passed": self.passed,
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        lines = [f"RandomisationTest({self.method})"]
        lines += [f"  {stage.part:>9s}: {stage.sentence}" for stage in self.stages]
        return "\n".join([*lines, f"  {self.sentence}"])


def randomisation_test(
    model: Model,
    make_scores: Callable[[Model], Score],
    make_description: Callable[[WordScores], Description] | None,
    documents: Iterable[Any],
    *,
    judged_on: Iterable[Any] | None = None,
    how: How = "permute",
    repeats: int = 5,
    seed: int = 0,
) -> RandomisationTest:
    """Randomise a network part by part, and see what is left of its scores and rules.

    One randomised network proves little: a random readout may, by chance, look along the
    direction that the original looks along, or against it. So each stage is drawn several times,
    and what is held against the null is the mean, with its spread over the draws.

    Args:
        model: the network; it is left as it is.
        make_scores: a score of a network, such as ``CellDecomposition``.
        make_description: rules from word scores, such as
            ``lambda scores: RuleList.from_phrases(mine_phrases(scores))``; None to test scores.
        documents: what is scored, and what rules are made from.
        judged_on: other documents to judge the rules on, as words; the same ones if None.
        how: "permute" shuffles the entries of each weight, so that their distribution stays;
            "normal" draws them anew with the same mean and spread.
        repeats: randomised networks for each stage.
        seed: of all draws.

    Raises:
        UsageError: no such way, or fewer than three repeats.
        DataError: there is nothing to score.
    """
    if how not in ("permute", "normal") or repeats < 3:
        raise UsageError(
            "Weights are randomised in a known way, twice or more often.",
            expected="how='permute' or 'normal', repeats >= 3",
            got=f"how={how!r}, repeats={repeats}",
        )
    texts = [list(d) if isinstance(d, Iterator) else d for d in documents]
    if not texts:
        raise DataError("There must be at least one document.", got="none")
    original = make_scores(model).score(texts)
    judged = _words(model, texts if judged_on is None else judged_on)
    network = model.predict(judged)
    bench = _Bench(
        original=original,
        own=towards(original, original.predictions),
        make_scores=make_scores,
        make_description=make_description,
        texts=texts,
        judged=judged,
        network=network,
        seed=seed,
    )
    rules = None if make_description is None else make_description(original)
    parts = ["readout", *(f"layer {k + 1}" for k in reversed(range(len(model.layers))))]
    parts += [] if model.embedding is None else ["embedding"]
    stages = []
    for depth, part in told(list(enumerate(parts, 1)), "randomising", unit="part"):
        networks = [
            randomised(model, depth=depth, how=how, seed=seed + 1000 * k) for k in range(repeats)
        ]
        stages.append(bench.stage(part, [n for n in networks if _differs(n, model)]))
    return RandomisationTest(
        method=original.method,
        stages=tuple(stages),
        original_agreement=None if rules is None else share(rules.predict(judged) == network),
        sentence=_verdict(stages[-1]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bench:
    """What every randomised network is held against."""

    original: WordScores
    own: list[np.ndarray]
    make_scores: Callable[[Model], Score]
    make_description: Callable[[WordScores], Description] | None
    texts: Sequence[Any]
    judged: list[list[str]]
    network: np.ndarray
    seed: int

    def stage(self, part: str, networks: list[Model]) -> RandomisedStage:
        # Each word's push towards the class that the original network gives.
        labels = self.original.predictions
        correlations, nulls, hits, chance = [], [], [], []
        for k, network in enumerate(networks):
            scores = self.make_scores(network).score(self.texts)
            alike = ranks_of(
                self.own,
                towards(scores, labels),
                method=scores.method,
                name="the original network",
                seed=self.seed + k,
            )
            correlations.append(alike.spearman.value)
            nulls.append((alike.null.low, alike.null.high))
            if self.make_description is not None:
                given = np.asarray(self.make_description(scores).predict(self.judged))
                hits.append(float((given == self.network).mean()))
                chance.append(self._by_chance(given, k))
        ranks = _student(np.array(correlations))
        # Networks are drawn apart, so the mean of R of them spreads by 1 / sqrt(R).
        spread = np.nanmean(nulls, axis=0) / np.sqrt(ranks.count) if ranks.known else [NAN, NAN]
        null = Estimate(
            value=float(np.mean(spread)),
            low=float(spread[0]),
            high=float(spread[1]),
            count=ranks.count,
        )
        agreement = agreement_null = None
        if self.make_description is not None and hits:
            agreement, agreement_null = _against_chance(np.array(hits), np.array(chance))
        destroyed, sentence = _read(ranks, null, correlations, agreement, agreement_null)
        return RandomisedStage(
            part=part,
            ranks=ranks,
            ranks_null=null,
            by_network=tuple(correlations),
            agreement=agreement,
            agreement_null=agreement_null,
            destroyed=destroyed,
            sentence=sentence,
        )

    def _by_chance(self, given: np.ndarray, k: int) -> np.ndarray:
        rng = np.random.default_rng(self.seed + k)
        shuffled = (rng.permutation(self.network) for _ in range(SHUFFLES))
        return np.array([(given == classes).mean() for classes in shuffled])


def _against_chance(hits: np.ndarray, chance: np.ndarray) -> tuple[Estimate, Estimate]:
    """Mean agreement and its null, from (networks,) and (networks, shuffles)."""
    expected, means = chance.mean(axis=1), chance.mean(axis=0)
    beyond = _student(hits - expected)
    middle = float(expected.mean())
    low, high = np.quantile(means, [0.025, 0.975])
    agreement = Estimate(
        value=float(hits.mean()),
        low=middle + beyond.low,
        high=middle + beyond.high,
        count=len(hits),
    )
    null = Estimate(value=middle, low=float(low), high=float(high), count=len(hits))
    return agreement, null


def _student(values: np.ndarray) -> Estimate:
    values = values[np.isfinite(values)]
    count = len(values)
    if not count:
        return Estimate.unknown()
    value = float(values.mean())
    if count < 2:
        return Estimate(value=value, low=NAN, high=NAN, count=count)
    half = float(stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count))
    return Estimate(value=value, low=value - half, high=value + half, count=count)


def _read(
    ranks: Estimate,
    null: Estimate,
    each: list[float],
    agreement: Estimate | None,
    agreement_null: Estimate | None,
) -> tuple[bool | None, str]:
    if not each:
        return (
            None,
            "Randomising changed no weight: there are too few different entries to permute.",
        )
    if len(each) < 2:
        return (
            None,
            "Randomising changed the weights of one network only, which proves little: there are "
            "few different entries to permute.",
        )
    known = [value for value in each if np.isfinite(value)]
    rules_inside = None
    sentences: list[str] = []
    if ranks.count < 2:
        ranks_inside = None
        sentences.append(
            "The scores of the randomised networks do not differ within documents, so there is "
            "no order to compare."
        )
    else:
        ranks_inside = _overlap(ranks, null)
        where = "inside" if ranks_inside else "outside"
        sentences.append(
            f"Scores: rank correlation {ranks:.2f}, {where} the null [{null.low:.2f}, "
            f"{null.high:.2f}]."
        )
        if ranks_inside and max(map(abs, known)) > 0.5:
            sentences.append(
                f"Single networks lie from {min(known):.2f} to {max(known):.2f}: an order "
                "survives, its sign does not."
            )
    if agreement is not None and agreement_null is not None:
        rules_inside = _overlap(agreement, agreement_null)
        where = "inside" if rules_inside else "outside"
        sentences.append(
            f"Rules: agreement {agreement:.2f}, {where} the null [{agreement_null.low:.2f}, "
            f"{agreement_null.high:.2f}]."
        )
    verdicts = [inside for inside in (ranks_inside, rules_inside) if inside is not None]
    return (all(verdicts) if verdicts else None), " ".join(sentences)


def _overlap(a: Estimate, b: Estimate) -> bool:
    return a.low <= b.high and b.low <= a.high


def _verdict(last: RandomisedStage) -> str:
    if last.destroyed is None:
        return "Whether the weights matter cannot be said."
    if last.destroyed:
        return "With all weights randomised nothing is left: what is said depends on the network."
    return "Something is left with all weights randomised: it does not come from the network."


def _differs(network: Model, model: Model) -> bool:
    return network.fingerprint != model.fingerprint


def _words(model: Model, documents: Iterable[Any]) -> list[Any]:
    return [model.tokenize(d) if isinstance(d, str) else d for d in documents]


def _row(stage: RandomisedStage) -> dict[str, Any]:
    row: dict[str, Any] = {"part": stage.part}
    for name in ("ranks", "ranks_null", "agreement", "agreement_null"):
        estimate: Estimate | None = getattr(stage, name)
        row[name] = None if estimate is None else finite(estimate.value)
        row[f"{name}_low"] = None if estimate is None else finite(estimate.low)
        row[f"{name}_high"] = None if estimate is None else finite(estimate.high)
    return row | {"destroyed": stage.destroyed, "sentence": stage.sentence}
