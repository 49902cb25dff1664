"""Opening the folder of a run: what it holds is read, what it lacks is computed once and kept."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from rnnscope.account import ExplainOptions
from rnnscope.account.material import Material
from rnnscope.data import EMBEDDED, Corpus, load_corpus
from rnnscope.dynamics import (
    FixedPoints,
    Modes,
    StatePlane,
    find_fixed_points,
    linearize,
    word_projections,
)
from rnnscope.errors import NotApplicable, RnnscopeError, UsageError
from rnnscope.explorer.exhibit import Exhibit, Sites
from rnnscope.explorer.keeping import Say, keep, kept
from rnnscope.models import Model, load
from rnnscope.phrases import mine_phrases
from rnnscope.rules import RuleList
from rnnscope.scores import CellDecomposition, CellDifference
from rnnscope.storage import digest_of

KEPT = "explorer"
"""The folder, in the run's, of what was computed for the explorer."""

VISITED = 40_000
"""States of the visited text that are held to be compared with fixed points."""

MOST = 2**28
"""Bytes of an account at most."""


def open_run(
    run: str | Path,
    *,
    data: Any = None,
    dynamics_data: Any = None,
    text: str = "text",
    label: str | None = None,
    options: ExplainOptions | None = None,
    say: Say = lambda what: None,
) -> Exhibit:
    """Lay out a run to be explored.

    Rules and fixed points are those of the run's account where it has one (the same options on
    the same text give the same); they are computed at the first opening and kept in the folder's
    ``explorer``, so that the next takes seconds.

    Args:
        run: the folder that ``rnnscope demo`` or ``rnnscope train`` wrote, or a saved model.
        data: what ``load_corpus`` reads; by default the embedded text that the run's account, or
            its training record, names. A file that they name is not looked for.
        dynamics_data: text whose states fixed points are sought from; by default likewise.
        text, label: columns of the data.
        options: how rules and fixed points are found; by default as in the run's account.
        say: told what is being done.

    Raises:
        UsageError: no model there, or no text is named.
        NotApplicable: the network has no classifier, or reads no words.
    """
    folder = Path(run)
    model = load(folder)
    model.require_readout()
    if model.embedding is None or model.vocabulary is None:
        raise NotApplicable(
            "A sentence is typed for a network that reads words.",
            expected="a network with a vocabulary",
            got=model.architecture,
        )
    account = _account(folder, model)
    own, method = _options(account)
    options = options or own
    named = _named(account, model)
    corpus = _corpus(data if data is not None else named[0], folder, text=text, label=label)
    wanted = (
        dynamics_data if dynamics_data is not None else (None if data is not None else named[1])
    )
    visited_corpus = corpus if wanted is None else load_corpus(wanted, text=text)
    material = Material.of(model, corpus, seed=options.seed)
    visited = material
    if visited_corpus is not corpus:
        visited = Material.of(model, visited_corpus, seed=options.seed)
    whole = cast(Corpus, material.corpus)
    key = {
        "model": model.fingerprint,
        "corpus": whole.fingerprint,
        "visited": cast(Corpus, visited.corpus).fingerprint,
        "options": options.to_dict(),
        "method": method,
    }
    left_out: dict[str, str] = {}
    found = kept(folder / KEPT, digest_of(key), say)
    if found is None:
        say(f"{folder.name}: reading {len(whole):,} documents")
        probabilities = model.probabilities(whole).cpu()
        say(f"{folder.name}: mining rules")
        rules = _rules(model, material, options, method, left_out)
        say(f"{folder.name}: finding fixed points")
        points, modes = _points(model, visited, options, left_out)
        found = probabilities, rules, points, modes, left_out
        keep(folder / KEPT, digest_of(key), found, say)
    probabilities, rules, points, modes, left_out = found
    sites = None
    if points is not None and modes is not None:
        sites = _sites(model, points, modes, visited)
    return Exhibit(
        name=folder.resolve().name,
        model=model,
        material=material,
        corpus=whole,
        probabilities=probabilities,
        rules=rules,
        sites=sites,
        left_out=left_out,
    )


# What the run says of itself ---------------------------------------------------------------


def _account(folder: Path, model: Model) -> dict[str, Any]:
    """The run's account, where it has one of this very network."""
    file = folder / "account.json"
    try:
        if not file.is_file() or file.stat().st_size > MOST:
            return {}
        account = json.loads(file.read_text(encoding="utf-8"))
        same = account["model"]["fingerprint"] == model.fingerprint
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return account if same else {}


def _options(account: dict[str, Any]) -> tuple[ExplainOptions, str]:
    """How the account was made, and the word score that its rules were mined from."""
    settings, method = account.get("settings"), (account.get("scores") or {}).get("method")
    known = {field.name for field in fields(ExplainOptions)}
    if not isinstance(settings, dict) or settings.get("inputs") == "vector":
        settings = {}
    try:
        options = ExplainOptions(**{k: v for k, v in settings.items() if k in known})
    except (RnnscopeError, TypeError):
        options = ExplainOptions()
    return options, method if method == "gamma" else "beta"


def _named(account: dict[str, Any], model: Model) -> tuple[str | None, str | None]:
    """The embedded text that rules were mined from, and that states were taken from."""
    mined = (account.get("data") or {}).get("name") or model.record.get("data")
    dynamics = account.get("dynamics") or {}
    visited = (dynamics.get("visited_on") or {}).get("name") or mined
    return tuple(name if name in EMBEDDED else None for name in (mined, visited))  # type: ignore


def _corpus(source: Any, folder: Path, *, text: str, label: str | None) -> Corpus:
    if source is None:
        raise UsageError(
            "The explorer needs the text that a network is explored on.",
            expected="a run on the embedded data, or a file",
            got=f"{folder}, which names no text that comes with rnnscope",
            fix="name it: rnnscope serve RUN --data FILE",
        )
    return load_corpus(source, text=text, label=label)


# What is computed once ---------------------------------------------------------------------


def _rules(
    model: Model, material: Material, options: ExplainOptions, method: str, left_out: dict[str, str]
) -> RuleList | None:
    score = CellDecomposition if method == "gamma" else CellDifference
    try:
        phrases = mine_phrases(
            score(model).score(material.mined),
            word_threshold=options.word_threshold,
            max_length=options.max_length,
            min_count=options.min_count,
        )
        return RuleList.from_phrases(phrases, max_rules=options.max_rules)
    except NotApplicable as error:
        left_out["rules"] = str(error)
        return None


def _points(
    model: Model, visited: Material, options: ExplainOptions, left_out: dict[str, str]
) -> tuple[FixedPoints | None, Modes | None]:
    try:
        points = find_fixed_points(
            model, visited.seeds, options.inputs, count=options.points, rng=options.seed
        )
        states = torch.cat([kind.states for kind in _in_order(points)])
        if not len(states):
            raise NotApplicable("No fixed point of any kind was found.")
        return points, linearize(model, states, options.inputs, count=options.modes)
    except NotApplicable as error:
        left_out["fixed points"] = str(error)
        return None, None


def _in_order(points: FixedPoints) -> tuple[Any, ...]:
    return points.roots, points.continua, points.ghosts, points.manifold


def _sites(model: Model, points: FixedPoints, modes: Modes, visited: Material) -> Sites:
    order = _in_order(points)
    texts, words = [], 0
    for document in visited.judged:
        if words + len(document) > VISITED:
            break
        texts.append(tuple(document))
        words += len(document)
    states = torch.empty(words, model.cell.state_size, dtype=model.dtype)
    starts = np.cumsum([0, *map(len, texts)])
    for trajectory in model.trajectories(texts):
        for row, k in enumerate(trajectory.indices.tolist()):
            own = trajectory.states[row, : len(texts[k])].cpu()
            states[starts[k] : starts[k + 1]] = own
    lengths = np.diff(starts)
    return Sites(
        points=points,
        kinds=tuple(kind.kind for kind in order for _ in range(len(kind))),
        rows=np.concatenate([np.arange(len(kind)) for kind in order]),
        modes=modes,
        plane=StatePlane.of(points),
        pushes=_pushes(model, points, modes),
        visited=states,
        document=np.repeat(np.arange(len(texts)), lengths),
        position=np.arange(words) - np.repeat(starts[:-1], lengths),
        texts=tuple(texts),
    )


def _pushes(model: Model, points: FixedPoints, modes: Modes) -> np.ndarray | None:
    """Along the slow mode, over the points that the report's line is made of."""
    roots = len(points.roots)
    rows = torch.cat(
        [
            torch.as_tensor(points.roots.inside),
            torch.ones(len(points.continua), dtype=torch.bool),
            torch.zeros(len(points.ghosts), dtype=torch.bool),
            torch.ones(len(points.manifold), dtype=torch.bool),
        ]
    )
    if not bool(rows.any()) or roots > len(rows):
        return None
    line = replace(
        modes,
        states=modes.states[rows],
        eigenvalues=modes.eigenvalues[rows],
        right=modes.right[rows],
        left=modes.left[rows],
        residuals=None if modes.residuals is None else modes.residuals[rows],
    )
    try:
        return word_projections(model, line).mean.numpy()
    except NotApplicable:
        return None
