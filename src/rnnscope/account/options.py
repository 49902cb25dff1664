"""What can be chosen when a network is explained."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from rnnscope.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """Options of ``explain``.

    Args:
        method: the word score that phrases are mined from; "auto" takes the one whose rules agree
            best with the network on the mined text.
        word_threshold, max_length, min_count: see ``PhraseOptions``.
        max_rules: rules in the list at most; every mined phrase when None, as in the paper.
        inputs: the input held fixed in the dynamics half: "zero", "mean", a word, or a vector.
        points: states on the judged text from which fixed points are sought.
        modes: modes kept at each point.
        examples: judged documents shown word by word.
        seed: of splits, samples and intervals.
    """

    method: Literal["auto", "gamma", "beta"] = "auto"
    word_threshold: float = 1.1
    max_length: int = 5
    min_count: int = 5
    max_rules: int | None = None
    inputs: Any = "zero"
    points: int = 200
    modes: int = 8
    examples: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in ("auto", "gamma", "beta"):
            raise UsageError(
                "The score must be known.", expected="'auto', 'gamma' or 'beta'", got=self.method
            )
        if not (isinstance(self.seed, int) and 0 <= self.seed < 2**32):
            raise UsageError(
                "The seed must be a whole number.", expected="0 to 2**32 - 1", got=repr(self.seed)
            )
        for name in ("max_rules", "points", "modes", "max_length", "min_count"):
            value = getattr(self, name)
            if name == "max_rules" and value is None:
                continue
            if not isinstance(value, int) or value < 1:
                raise UsageError(
                    f"The option {name} must be a whole number above zero.",
                    expected="1 or more",
                    got=repr(value),
                )

    @classmethod
    def of(cls, options: ExplainOptions | None, changes: dict[str, Any]) -> ExplainOptions:
        """These options with keyword options put over them."""
        known = [field.name for field in fields(cls)]
        for name in changes:
            if name not in known:
                raise UsageError("explain has no such option.", expected=", ".join(known), got=name)
        return replace(options or cls(), **changes)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        settings = asdict(self)
        if not isinstance(self.inputs, str):
            settings["inputs"] = "vector"
        return settings
