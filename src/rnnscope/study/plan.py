"""What a study is: a grid of networks, data sets, sizes and seeds, and what is measured of each.

Every network of the grid has a folder named by the hash of everything that decides what it is, and
every analysis of it a file named by the hash of its own options. So a study that is changed keeps
what has not changed, and two studies may share a folder.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass, field, fields
from itertools import product
from pathlib import Path
from typing import Any

from rnnscope.account import ExplainOptions
from rnnscope.errors import DataError, UsageError
from rnnscope.study.source import DataSource
from rnnscope.training import TrainingOptions

FORMAT = 1
"""Of the folders; part of every hash."""

ANALYSES = ("accuracy", "account", "approximation", "methods", "long_run")
GRID = ("architecture", "units", "seed")
"""Training options that the grid sets."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One network of a study and what is measured of it.

    Attributes:
        data: what it is trained on.
        training: how.
        analyses: what is measured, each with its options.
    """

    data: DataSource
    training: TrainingOptions
    analyses: dict[str, dict[str, Any]]

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that decides what the network is, JSON-safe."""
        return {
            "format": FORMAT,
            "data": self.data.to_dict(),
            "training": self.training.to_dict(),
        }

    @property
    def folder(self) -> str:
        """The name of its folder."""
        t = self.training
        return f"{self.data.name}-{t.architecture}-{t.units}-s{t.seed}-{digest(self.settings)}"

    def file(self, analysis: str) -> str:
        """The name of an analysis' file."""
        return f"{analysis}-{digest([FORMAT, analysis, self.analyses[analysis]])[:8]}.json"

    def __str__(self) -> str:
        t = self.training
        return f"{t.architecture} of {t.units} units on {self.data.name}, seed {t.seed}"


@dataclass(frozen=True, kw_only=True)
class Study:
    """A declarative grid.

    Attributes:
        name: of the study.
        data: the data sets.
        architectures: the cells.
        units: sizes.
        seeds: of the training.
        training: other options of the trainer, the same for all.
        by_architecture, by_data: options of the trainer put over those for one cell or data set.
        analyses: what is measured of each network, with options: ``accuracy``, ``account`` (of
            ``explain``), ``approximation`` (one step from the nearest point), ``methods`` (rules
            mined from every word score), ``long_run`` (what becomes of it without input).

    Raises:
        UsageError: an empty axis, a name twice, an option or analysis that does not exist.
    """

    name: str = "study"
    data: tuple[DataSource, ...]
    architectures: tuple[str, ...] = ("vanilla", "ugrnn", "gru", "lstm")
    units: tuple[int, ...] = (64,)
    seeds: tuple[int, ...] = (0, 1, 2)
    training: dict[str, Any] = field(default_factory=dict)
    by_architecture: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_data: dict[str, dict[str, Any]] = field(default_factory=dict)
    analyses: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"accuracy": {}, "account": {}}
    )

    def __post_init__(self) -> None:
        for name in ("data", "architectures", "units", "seeds"):
            values = tuple(getattr(self, name))
            object.__setattr__(self, name, values)
            keys = [one.name for one in values] if name == "data" else list(values)
            if not keys or len(set(keys)) < len(keys):
                raise UsageError(
                    f"The axis {name} of a study has one value or more, each once.",
                    expected="different values",
                    got=repr(keys),
                )
        for name in self.analyses:
            if name not in ANALYSES:
                raise UsageError(
                    "The analysis must be known.", expected=", ".join(ANALYSES), got=repr(name)
                )
        ExplainOptions.of(None, self.analyses.get("account", {}))
        for axis, table in (("architectures", self.by_architecture), ("data", self.by_data)):
            known = (
                self.architectures if axis == "architectures" else [one.name for one in self.data]
            )
            for key in table:
                if key not in known:
                    raise UsageError(
                        f"Options are given for one of the {axis}.",
                        expected=", ".join(map(str, known)),
                        got=repr(key),
                    )
        for options in (
            self.training,
            *self.by_architecture.values(),
            *self.by_data.values(),
        ):
            for name in GRID:
                if name in options:
                    raise UsageError(
                        f"The grid sets the option {name}.",
                        expected="architectures, units and seeds of the study",
                        got=f"{name} = {options[name]!r} among the training options",
                    )
        _ = self.tasks

    @classmethod
    def read(cls, path: str | Path) -> Study:
        """From a TOML file; its relative paths are taken from the file's folder.

        Raises:
            UsageError: no such file, or an option that does not exist.
            DataError: no TOML.
        """
        if not isinstance(path, str | Path):
            raise UsageError("A study is read from a TOML file.", expected="a path", got=repr(path))
        path = Path(path)
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError("A study's file is TOML.", got=f"{path}: {error}") from error
        except (OSError, ValueError) as error:
            raise UsageError("A study is read from a TOML file.", got=f"{path}: {error}") from error
        return cls.of(table, path.parent)

    @classmethod
    def of(cls, table: dict[str, Any], folder: Path | None = None) -> Study:
        """From the contents of such a file."""
        if not isinstance(table, dict):
            raise UsageError(
                "A study is declared by a table.",
                expected="a dictionary with data, architectures, units, seeds",
                got=type(table).__name__,
            )
        table = dict(table)
        known = [one.name for one in fields(cls)]
        for name in table:
            if name not in known:
                raise UsageError("A study has no such entry.", expected=", ".join(known), got=name)
        sources = table.pop("data", None)
        if not isinstance(sources, dict) or not sources:
            raise UsageError(
                "A study names its data sets.",
                expected='[data.NAME] with source = "..."',
                got=repr(sources),
            )
        data = [DataSource.of(name, options) for name, options in sources.items()]
        if folder is not None:
            data = [one.beside(folder) for one in data]
        return cls(data=tuple(data), **table)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The networks, the data sets outermost and the seeds innermost."""
        found = []
        for data, architecture, units, seed in product(
            self.data, self.architectures, self.units, self.seeds
        ):
            options = (
                self.training
                | self.by_architecture.get(architecture, {})
                | self.by_data.get(data.name, {})
                | {"architecture": architecture, "units": units, "seed": seed}
            )
            training = TrainingOptions.of(None, options)
            found.append(Task(data=data, training=training, analyses=self.analyses))
        return tuple(found)


def digest(value: Any) -> str:
    """Twelve hex digits of a JSON-safe value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
