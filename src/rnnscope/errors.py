"""The errors a user can meet. Each states the rule, what was expected, what came, what to do."""

from __future__ import annotations


class RnnscopeError(ValueError):
    """Base of every error raised on purpose.

    Args:
        rule: the rule that was broken, as a full sentence.
        expected: what the rule asks for.
        got: what came instead, naming the row, column, parameter or file.
        fix: what the user can do.
    """

    def __init__(self, rule: str, *, expected: str = "", got: str = "", fix: str = "") -> None:
        self.rule, self.expected, self.got, self.fix = rule, expected, got, fix
        lines = [rule]
        lines += [f"  expected: {expected}"] if expected else []
        lines += [f"  got:      {got}"] if got else []
        lines += [f"  to do:    {fix}"] if fix else []
        super().__init__("\n".join(lines))


class UsageError(RnnscopeError):
    """A name, path or option that does not exist or does not fit."""


class DataError(RnnscopeError):
    """A corpus, text or array that cannot be used as it is."""


class ModelError(RnnscopeError):
    """A network that cannot be read, certified or analysed as it is."""


class NotApplicable(RnnscopeError):
    """A method that has no meaning for this network; the sentence says why."""


class TrainingError(RnnscopeError):
    """Training that cannot go on."""
