"""``explain``: both halves of the story of a network, in one object."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnnscope.account.account import Account
from rnnscope.account.attempt import attempt
from rnnscope.account.dynamics_half import DynamicsHalf, Rated, explain_dynamics
from rnnscope.account.join import WordStories, join_halves
from rnnscope.account.material import Material
from rnnscope.account.options import ExplainOptions
from rnnscope.account.parts import Parts, settings_of
from rnnscope.account.rules_half import RulesHalf, explain_rules
from rnnscope.dynamics.packing import CLASSES, Classes
from rnnscope.errors import NotApplicable, UsageError
from rnnscope.fidelity import Fidelity
from rnnscope.models import Model
from rnnscope.phrases import PhraseOptions, Phrases
from rnnscope.progress import showing
from rnnscope.rules import PhraseModel, Rule, RuleList

_OWN = (Fidelity, PhraseModel, PhraseOptions, Phrases, Rated, Rule, RuleList, WordStories)
KEPT: Classes = {**CLASSES, **{one.__name__: one for one in _OWN}}
"""What the parts of an account consist of, by name."""


def explain(
    model: Model,
    corpus: Any,
    *,
    dynamics_corpus: Any = None,
    options: ExplainOptions | None = None,
    directory: str | Path | None = None,
    progress: bool = False,
    **changes: Any,
) -> Account:
    """Say how a network decides: the rules it follows and the dynamical system it runs.

    Rules are mined on the corpus' train split and everything is judged on its test split (without
    splits: 80 % and 20 % by seed, and the account says so). What does not apply to the network,
    such as rules for one that reads vectors, is named in ``not_applied`` and the rest is done.

    Args:
        model: the network.
        corpus: a corpus, anything ``load_corpus`` reads, or, for a model that reads vectors, an
            iterable of arrays (steps, width). Labels are optional.
        dynamics_corpus: text whose states the dynamics half starts from, such as longer documents
            of the same kind; the corpus itself when None.
        options: see ``ExplainOptions``; ``changes`` are put over them.
        directory: where each part is kept as soon as it is done, in a folder of its own for each
            network, text, options and version: a call that was stopped, by Ctrl-C or a kill, goes
            on from there and ends with the same account. It holds words of the text, and may be
            removed at any time. (A step that is a callable of yours is known by its name and
            weights alone.)
        progress: say on standard error what is being done.

    Raises:
        DataError: a corpus the model cannot read; a kept part that is damaged.
        UsageError: a directory that cannot be written to, or without room.
        NotApplicable: nothing at all applies.
    """
    chosen = ExplainOptions.of(options, changes)
    if not isinstance(model, Model):
        raise UsageError(
            "An account is of a model.",
            expected="a rnnscope Model",
            got=type(model).__name__,
            fix="read a torch module with from_torch(module)",
        )
    say = _teller(progress)
    material = Material.of(model, corpus, seed=chosen.seed)
    visited = material
    if dynamics_corpus is not None:
        visited = Material.of(model, dynamics_corpus, seed=chosen.seed)
    settings = {} if directory is None else settings_of(model, material, visited, chosen)
    parts = Parts.of(directory, settings, KEPT)
    left_out: dict[str, str] = {}

    def rules_of() -> RulesHalf:
        return explain_rules(model, material, chosen, say, parts)

    def dynamics_of() -> DynamicsHalf:
        return explain_dynamics(model, material, visited, chosen, say, parts)

    with showing(progress):
        rules = attempt(left_out, "rules", rules_of)
        dynamics = attempt(left_out, "dynamics", dynamics_of)
        for half in (rules, dynamics):
            left_out |= {} if half is None else half.left_out
        if rules is None and dynamics is None:
            raise NotApplicable(
                "Neither half of an account applies to this network.",
                got="; ".join(left_out.values()),
            )
        join = None
        if rules is not None and dynamics is not None:
            say("comparing both halves")
            join = join_halves(model, material, rules, dynamics, chosen, left_out, parts)
    return Account(
        model=model,
        material=material,
        options=chosen,
        rules_half=rules,
        dynamics_half=dynamics,
        join=join,
        not_applied=left_out,
    )


def _teller(progress: bool) -> Callable[[str], None]:
    def say(what: str) -> None:
        if progress:
            sys.stderr.write(f"  {what}\n")
            sys.stderr.flush()

    return say
