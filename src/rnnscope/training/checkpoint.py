"""The state of a training run between two epochs, so that a killed run goes on exactly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rnnscope.errors import TrainingError
from rnnscope.storage import digest_of, new_file, weighed

CHECKPOINT = "checkpoint.safetensors"


@dataclass(kw_only=True)
class Progress:
    """How far a run has come.

    Args:
        epoch: epochs finished.
        step: batches learned from.
        best: best validation accuracy so far, its loss, and the epoch it was reached in.
        stale: epochs since then.
        history: one entry per epoch.
        best_weights: the averaged weights at the best epoch.
    """

    epoch: int = 0
    step: int = 0
    best: tuple[float, float, int] = (-1.0, float("inf"), 0)
    stale: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """What a model's training record says of it."""
        return {
            "epochs": self.epoch,
            "best_epoch": self.best[2],
            "validation_accuracy": self.best[0],
            "history": self.history,
        }


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The file that a run's epochs are written to, and what it restores.

    Args:
        folder: where the file lies.
        identity: what must be equal for a run to go on, JSON-safe: options, data.
        network: the network in training.
        averaged: the running average of its weights.
        optimizer: of the network.
    """

    folder: Path
    identity: dict[str, Any]
    network: torch.nn.Module
    averaged: torch.nn.Module
    optimizer: torch.optim.Optimizer

    def save(self, progress: Progress) -> None:
        """Write all that the next epoch depends on; the old file stands until the new is whole."""
        state = self.optimizer.state_dict()
        moments = {
            f"{index}.{key}": value
            for index, entry in state["state"].items()
            for key, value in entry.items()
        }
        parts = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "best": progress.best_weights,
            "optimizer": moments,
        }
        facts = {
            "epoch": progress.epoch,
            "step": progress.step,
            "best": progress.best,
            "stale": progress.stale,
            "history": progress.history,
            "identity": self.identity,
            "learning_rate": state["param_groups"][0]["lr"],
        }
        tensors = {
            f"{part}.{name}": value.detach().cpu().contiguous()
            for part, values in parts.items()
            for name, value in values.items()
        }
        facts["sha256"] = _digest(facts, tensors)
        new_file(self.folder / CHECKPOINT, save(tensors, {"progress": json.dumps(facts)}))

    def load(self) -> Progress | None:
        """Put a run back to where its last finished epoch left it; None when there is none.

        Raises:
            TrainingError: the checkpoint belongs to another run, or cannot be read.
        """
        path = self.folder / CHECKPOINT
        if not path.exists():
            return None
        try:
            with safe_open(weighed(path), framework="pt") as file:
                facts = json.loads((file.metadata() or {})["progress"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            stored = facts.pop("sha256", None)
            if stored is not None and stored != _digest(facts, tensors):
                raise ValueError("the contents are not those that were written")
            self._require_same_run(facts["identity"])
            return self._restore(facts, tensors)
        except TrainingError:
            raise
        except (
            OSError,
            KeyError,
            TypeError,
            ValueError,
            RuntimeError,
            SafetensorError,
        ) as error:
            raise TrainingError(
                "A checkpoint must be readable.",
                expected=f"{path} as the trainer wrote it",
                got=f"{type(error).__name__}: {error}",
                fix="remove it to start anew",
            ) from error

    def _require_same_run(self, identity: dict[str, Any]) -> None:
        differing = [
            f"{key} {self.identity.get(key)} (now) and {identity.get(key)} (then)"
            for key in sorted(self.identity.keys() | identity.keys())
            if self.identity.get(key) != identity.get(key)
        ]
        if differing:
            raise TrainingError(
                "A run can only go on with the options and data it was started with.",
                expected="the run of the checkpoint",
                got=f"another run than that in {self.folder}: " + "; ".join(differing),
                fix="name another directory, or remove the checkpoint to start anew",
            )

    def _restore(self, facts: dict[str, Any], tensors: dict[str, Tensor]) -> Progress:
        self.network.load_state_dict(_part(tensors, "network."))
        self.averaged.load_state_dict(_part(tensors, "averaged."))
        state = self.optimizer.state_dict()
        state["state"] = _nested(_part(tensors, "optimizer."))
        state["param_groups"][0]["lr"] = facts["learning_rate"]
        self.optimizer.load_state_dict(state)
        return Progress(
            epoch=facts["epoch"],
            step=facts["step"],
            best=tuple(facts["best"]),
            stale=facts["stale"],
            history=facts["history"],
            best_weights=_part(tensors, "best."),
        )


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _nested(flat: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    nested: dict[int, dict[str, Tensor]] = {}
    for name, value in flat.items():
        index, key = name.split(".", 1)
        nested.setdefault(int(index), {})[key] = value
    return nested


def _digest(facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    found = hashlib.sha256(digest_of(facts).encode())
    for name in sorted(tensors):
        found.update(name.encode())
        found.update(tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
