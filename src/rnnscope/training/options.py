"""What can be chosen when a reference network is trained."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from rnnscope.arguments import MOST
from rnnscope.errors import UsageError

Architecture = Literal["vanilla", "ugrnn", "gru", "gru_reset_first", "lstm"]
ARCHITECTURES: tuple[str, ...] = get_args(Architecture)

WIDEST = 2**14
"""Units above which the weights of one layer take gigabytes."""

_COUNTS = ("units", "embedding", "batch", "epochs", "patience", "min_count")
_SHARES = ("dropout", "word_dropout", "averaging")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Options of the reference trainer.

    Args:
        architecture: the recurrent cell.
        units: hidden units.
        embedding: width of the word vectors.
        dropout: share of the word vectors' and of the last state's entries dropped in training.
        word_dropout: share of the training words read as the unknown word, which trains its
            vector too.
        learning_rate: Adam's; halved after each epoch without improvement.
        weight_decay: L2 penalty on all weights.
        averaging: how much of the running average of the weights each step keeps; the average is
            what is validated and exported. 0 for the last weights alone.
        batch: documents in a batch of similar lengths, for documents of average length: each
            batch holds about as many words.
        clip: largest norm of the gradient.
        epochs: at most so many passes.
        patience: stop after so many passes without a better validation accuracy.
        min_count: words seen less often in the training text are unknown.
        seed: of the initial weights, the order of the batches and the dropout; 0 or more.
        device: where to train, as torch names it.

    Raises:
        UsageError: an option that does not exist or is out of range.
    """

    architecture: Architecture = "lstm"
    units: int = 64
    embedding: int = 64
    dropout: float = 0.65
    word_dropout: float = 0.25
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    averaging: float = 0.99
    batch: int = 96
    clip: float = 0.1
    epochs: int = 12
    patience: int = 3
    min_count: int = 2
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise UsageError(
                "The architecture must be one that can be trained.",
                expected=", ".join(ARCHITECTURES),
                got=repr(self.architecture),
            )
        for name in ("units", "embedding"):
            expected = f"a whole number above 0, at most {WIDEST:,}"
            self._require(name, expected, lambda n: _is_whole(n) and 0 < n <= WIDEST)
        for name in _COUNTS:
            self._require(name, "a whole number above 0", lambda n: _is_whole(n) and 0 < n <= MOST)
        self._require("learning_rate", "a number above 0, at most 1", lambda n: 0 < n <= 1)
        self._require("clip", "a number above 0", lambda n: 0 < n < math.inf)
        for name in _SHARES:
            self._require(name, "0 or more and below 1", lambda n: 0 <= n < 1)
        self._require("weight_decay", "0 or more", lambda n: 0 <= n < math.inf)
        self._require(
            "seed", "a whole number, 0 or more", lambda n: _is_whole(n) and 0 <= n <= MOST
        )

    @classmethod
    def of(cls, options: TrainingOptions | None, changes: dict[str, Any]) -> TrainingOptions:
        """These options with keyword options put over them.

        Raises:
            UsageError: a keyword is no option, or the options are something else.
        """
        if not isinstance(options, TrainingOptions | None):
            raise UsageError(
                "The trainer's options are a TrainingOptions.",
                expected="TrainingOptions(...), or keyword options",
                got=type(options).__name__,
            )
        known = [field.name for field in fields(cls)]
        for name in changes:
            if name not in known:
                raise UsageError("train has no such option.", expected=", ".join(known), got=name)
        return replace(options or cls(), **changes)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)

    def _require(self, name: str, expected: str, fits: Callable[[Any], bool]) -> None:
        value = getattr(self, name)
        try:
            good = bool(fits(value))
        except (TypeError, ValueError, RuntimeError):  # arrays have no one truth
            good = False
        if not good:
            raise UsageError(
                f"The option {name} must be in range.", expected=expected, got=repr(value)
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
