"""The second half of an account: states -> fixed points -> modes -> line attractor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from rnnscope.account.line_evidence import LineEvidence, gather_evidence
from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.account.parts import Parts
from rnnscope.data import Corpus
from rnnscope.dynamics import (
    FixedPoints,
    LineAttractorVerdict,
    Manifold,
    Modes,
    WordProjections,
    find_fixed_points,
    fit_manifold,
    line_attractor_verdict,
    linearize,
    slow_position,
    word_projections,
)
from rnnscope.errors import NotApplicable
from rnnscope.models import Model
from rnnscope.statistics import Estimate, correlation

LEAST_RATED = 10
"""Rated texts a word must be in before its mean rating is compared with its push."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rated:
    """Human ratings held against the network's own coordinates.

    Args:
        texts: what was rated.
        position: each rated text's final position on the slow mode, (D,).
        ratings: the human ratings, (D,).
        of_position, of_logit: their correlations with the ratings (Pearson).
        of_words: word pushes against the mean rating of the texts a word is in (Spearman).
        by_word: for each word the mean rating and the number of texts.
    """

    texts: str
    position: np.ndarray
    ratings: np.ndarray
    of_position: Estimate
    of_logit: Estimate | None
    of_words: Estimate | None
    by_word: dict[str, tuple[float, int]]


@dataclass(frozen=True, kw_only=True, eq=False)
class DynamicsHalf:
    """What computes, as a dynamical system. Parts that do not apply are None, see ``left_out``."""

    visited: Material
    points: FixedPoints
    modes: Modes | None
    line: Manifold | None
    verdict: LineAttractorVerdict | None
    pushes: WordProjections | None
    rated: Rated | None
    evidence: LineEvidence | None
    reference: int
    left_out: dict[str, str]
    position: Callable[[Tensor], Tensor] | None = None
    """Where states (..., N) lie along the slow mode, or along the line's axis where the mode is
    not real."""


def explain_dynamics(
    model: Model,
    material: Material,
    visited: Material,
    options: ExplainOptions,
    say: Callable[[str], None],
    parts: Parts,
) -> DynamicsHalf:
    """Find the fixed points from the states visited on held-out text, and say what they form.

    Args:
        model: the network.
        material: text whose human ratings, if any, are compared with the network's coordinates.
        visited: text whose judged part gives the states.
        options: how.
        say: told what is being done.
        parts: keeps what is done.

    Raises:
        NotApplicable: the network reads in two directions.
    """
    left_out: dict[str, str] = {}

    keep: Any = partial(parts.keep, left_out=left_out)
    tried: Any = partial(parts.attempt, left_out=left_out)

    say("finding fixed points")
    points = keep(
        "fixed points",
        lambda: find_fixed_points(
            model, visited.seeds, options.inputs, count=options.points, rng=options.seed
        ),
    )
    if not len(points.line_states):
        left_out["modes"] = (
            "No root, continuum or manifold point lies where the data goes, "
            "so there is nothing to linearize around."
        )
        return DynamicsHalf(
            visited=visited,
            points=points,
            modes=None,
            line=None,
            verdict=None,
            pushes=None,
            rated=None,
            evidence=None,
            reference=0,
            left_out=left_out,
        )
    say("linearizing")
    modes = keep("modes", lambda: linearize(model, points, count=options.modes))
    line = tried("manifold", lambda: fit_manifold(points, modes, rng=options.seed))
    say("comparing with untrained networks")
    evidence = gather_evidence(model, material, visited, points, modes, line, options, tried)
    verdict = keep(
        "verdict",
        lambda: line_attractor_verdict(
            points,
            modes,
            line,
            model=model,
            words=evidence.words,
            untrained=evidence.untrained,
            rng=options.seed,
        ),
    )
    pushes = tried("word pushes", lambda: word_projections(model, modes))
    reference = _reference(modes, line)
    position = None if line is None else _position(model, modes, line, material, left_out)
    found = keep("ratings", lambda: _rate(model, position, pushes, material, options, left_out))
    return DynamicsHalf(
        visited=visited,
        points=points,
        modes=modes,
        line=line,
        verdict=verdict,
        pushes=pushes,
        rated=found,
        evidence=evidence,
        reference=reference,
        left_out=left_out,
        position=position,
    )


def _reference(modes: Modes, line: Manifold | None) -> int:
    """The point in the middle of the line."""
    if line is None:
        return 0
    order = line.coordinate(modes.states).argsort(stable=True)
    return int(order[(len(order) - 1) // 2])


def _rate(
    model: Model,
    position: Callable[[Tensor], Tensor] | None,
    pushes: WordProjections | None,
    material: Material,
    options: ExplainOptions,
    left_out: dict[str, str],
) -> Rated | None:
    """Hold positions, logits and word pushes against human ratings, where there are any."""
    corpus = material.corpus
    if corpus is None or corpus.valence is None:
        left_out["valence"] = "The corpus has no human ratings to compare with."
        return None
    if position is None:
        left_out["valence"] = "The points form no line on which a text could have a position."
        return None
    ratings: Any = material.valence
    ends = position(model.final_states(material.judged)).numpy()
    logit = None
    if model.readout is not None and len(model.classes) == 2:
        logits = model.logits(material.judged)
        logit = (logits[:, 1] - logits[:, 0]).double().cpu().numpy()
    by_word = _mean_ratings(corpus.split("train"))
    words = None
    if pushes is not None:
        common = [
            (float(push), by_word[word][0])
            for word, push in zip(pushes.words, pushes.mean, strict=True)
            if by_word.get(word, (0.0, 0))[1] >= LEAST_RATED
        ]
        if len(common) > 2:
            a, b = np.array(common).T
            words = correlation(a, b, rank=True, seed=options.seed)
    return Rated(
        texts=f"{len(ratings)} held-out texts of {corpus.name}",
        position=ends,
        ratings=ratings,
        of_position=correlation(ends, ratings, seed=options.seed),
        of_logit=None if logit is None else correlation(logit, ratings, seed=options.seed),
        of_words=words,
        by_word=by_word,
    )


def _position(
    model: Model, modes: Modes, line: Manifold, material: Material, left_out: dict[str, str]
) -> Callable[[Tensor], Tensor]:
    try:
        found = slow_position(model, modes, line, material.judged[:1])
    except NotApplicable as error:
        left_out["slow position"] = f"{error}\nPositions are along the manifold's axis instead."
        return line.coordinate
    left = modes.left[found.point, 0].real
    return lambda states: (states.detach().cpu().double() - found.reference) @ left


def _mean_ratings(corpus: Corpus) -> dict[str, tuple[float, int]]:
    """For each word the mean rating of the texts it is in, and how many those are."""
    totals: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    ratings: Any = corpus.valence
    for document, rating in zip(corpus.documents, ratings.tolist(), strict=True):
        for word in set(document):
            totals[word] += rating
            counts[word] += 1
    return {word: (totals[word] / counts[word], counts[word]) for word in totals}
