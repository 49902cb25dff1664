"""What can be chosen when patterns are mined."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from rnnscope.errors import UsageError
from rnnscope.qa.network import VERSIONS
from rnnscope.qa.scores import check_method

__all__ = ["PatternOptions"]

ORDERS = ("supported", "importance")


MAY_BE_NONE = ("gap",)


@dataclass(frozen=True, kw_only=True)
class PatternOptions:
    """Options of mining patterns.

    Attributes:
        version: "final" for runs of words next to the answer, or "v1" for words with gaps.
        method: the word score: "beta", "gamma" or "gradient".
        word_threshold: c, how important each word is at least: exp of its score for the answer
            against "not the answer". For gradients the norm's share of the document's largest,
            ``gradient_threshold``.
        min_count: questions that a pattern is found in, at least (v1: more than 10).
        max_length: words of a run beside the answer, at most.
        bridge: final version: words below the threshold that a run may hold. The paper's is 0; a
            word that only opens gates for those after it, such as the person that a sentence is
            about, earns no score of its own (see docs/rules.md) and would never be in a pattern.
        gap: words between two words of a pattern; None for the version's own, 0 or 3.
        within: how far after a pattern's last word the answer may stand, in v1.
        order: of the final version's patterns. "importance", by S as in the paper; or
            "supported", by the lower end of the 95 % interval of the share of mined questions in
            which the pattern's first match is an answer that the network finds plausible (see
            ``Answers``), equal ones by S.
        located: final version: for an answer that is the document's first word, also the runs of
            important words elsewhere, the union of the paper's pattern "beginning of document"
            with a run: ``<start> <answer> ... directed by <asked1>``.
        numbers: final version: numbers as answers and as words have a placeholder of their own
            (the paper's is-number feature).
        types: final version: the answer's type, where the data knows it, has a placeholder of its
            own beside the one for any entity, so that a pattern can say "a genre".
        max_patterns: of one category, at most.

    Raises:
        UsageError: an option that does not exist or is out of range.
    """

    version: str = "final"
    method: str = "gamma"
    word_threshold: float = 1.1
    gradient_threshold: float = 0.2
    min_count: int = 5
    max_length: int = 5
    bridge: int = 2
    gap: int | None = None
    within: int = 5
    order: str = "supported"
    located: bool = True
    numbers: bool = True
    types: bool = True
    max_patterns: int = 500

    def __post_init__(self) -> None:
        check_method(self.method)
        for name, value, known in (
            ("version", self.version, VERSIONS),
            ("order", self.order, ORDERS),
        ):
            if value not in known:
                raise UsageError(
                    f"The {name} of patterns is one that exists.",
                    expected=" or ".join(known),
                    got=repr(value),
                )
        for name, least in (
            ("min_count", 1),
            ("max_length", 1),
            ("within", 0),
            ("gap", 0),
            ("bridge", 0),
            ("max_patterns", 1),
        ):
            value = getattr(self, name)
            if value is None and name in MAY_BE_NONE:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise UsageError(
                    f"The option {name} is a whole number.",
                    expected=f"{least} or more",
                    got=repr(value),
                )
        for name in ("word_threshold", "gradient_threshold"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise UsageError(f"The option {name} is above 0.", got=repr(value))

    @property
    def words_between(self) -> int:
        """The gap in use."""
        if self.gap is not None:
            return self.gap
        return 3 if self.version == "v1" else 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)
