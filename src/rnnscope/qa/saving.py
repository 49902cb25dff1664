"""A question network as a directory: ``questions.safetensors`` and ``questions.json``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from rnnscope.cells import LSTM
from rnnscope.data import Vocabulary
from rnnscope.errors import ModelError, UsageError
from rnnscope.models import Direction, Layer, Readout
from rnnscope.qa.model import QuestionModel
from rnnscope.storage import (
    as_path,
    digest_of,
    new_folder,
    read_description,
    read_whole,
    settled,
)

__all__ = ["load_question_model", "save_question_model"]

FORMAT = "rnnscope question network"
VERSION = 1
WEIGHTS, DESCRIPTION = "questions.safetensors", "questions.json"


def save_question_model(model: QuestionModel, path: str | Path) -> Path:
    """Write a network to a directory, whole or not at all.

    Raises:
        UsageError: the path holds something that is not a saved question network, or cannot be
            written.
    """
    weights = {name: w.detach().cpu().contiguous() for name, w in _weights(model).items()}
    data = save_tensors(weights)
    description = {
        "format": FORMAT,
        "version": VERSION,
        "network": model.version,
        "directions": len(model.document.directions),
        "one_logit": model.readout.one_logit,
        "vocabulary": model.vocabulary.to_dict(),
        "record": model.record,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    description["description_sha256"] = digest_of(description)
    text = json.dumps(description, ensure_ascii=False, indent=1)
    try:
        with new_folder(path, marker=DESCRIPTION, what="a question network") as draft:
            (draft / WEIGHTS).write_bytes(data)
            (draft / DESCRIPTION).write_text(text, encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise UsageError(
            "A question network is saved to a path that can be written.",
            got=f"{str(path)[:80]}: {error}",
        ) from error
    return as_path(path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def load_question_model(path: str | Path) -> QuestionModel:
    """Read a network that ``save`` or ``rnnscope qa train`` wrote. Never executes code.

    Raises:
        UsageError: there is none at the path.
        ModelError: the files are damaged or do not belong together.
    """
    folder = settled(as_path(path))
    if not _is_file(folder / DESCRIPTION) and _is_file(folder / "model" / DESCRIPTION):
        folder = folder / "model"
    if not _is_file(folder / DESCRIPTION):
        raise UsageError(
            "There must be a saved question network at the path.",
            expected=f"a directory with {DESCRIPTION} and {WEIGHTS}",
            got=str(path),
            fix="train one with `rnnscope qa train`",
        )
    try:
        described = read_description(folder / DESCRIPTION)
        data = read_whole(folder / WEIGHTS)
        if described["format"] != FORMAT or described["version"] != VERSION:
            raise ValueError(f"format {described['format']!r}, version {described['version']!r}")
        if hashlib.sha256(data).hexdigest() != described["sha256"]:
            raise ValueError("the weights are not those that were saved")
        stored = described.pop("description_sha256", None)
        if stored is not None and stored != digest_of(described):
            raise ValueError("the description is not the one that was saved")
        return _build(described, load_tensors(data))
    except (OSError, KeyError, TypeError, ValueError, AttributeError, SafetensorError) as error:
        raise ModelError(
            "A saved question network must be readable.",
            expected=f"{folder} as it was written",
            got=f"{type(error).__name__}: {error}",
        ) from error


def _weights(model: QuestionModel) -> dict[str, Tensor]:
    named = {
        "embedding": model.embedding,
        "readout.weight": model.readout.weight,
        "readout.bias": model.readout.bias,
    }
    for part, layer in (("question", model.question), ("document", model.document)):
        for k, direction in enumerate(layer.directions):
            for name, weight in direction.cell.parameters.items():
                named[f"{part}.{k}.{name}"] = weight
    return named


def _build(described: dict[str, Any], weights: dict[str, Tensor]) -> QuestionModel:
    if not all(bool(torch.isfinite(w).all()) for w in weights.values()):
        raise ValueError("a weight is not finite")

    def layer(part: str, directions: int) -> Layer:
        found = []
        for k in range(directions):
            cell = LSTM(**{name: weights[f"{part}.{k}.{name}"] for name in "WVb"})
            found.append(Direction(cell=cell, reverse=k == 1))
        return Layer(directions=tuple(found))

    return QuestionModel(
        version=described["network"],
        embedding=weights["embedding"],
        vocabulary=Vocabulary.from_dict(described["vocabulary"]),
        question=layer("question", 2),
        document=layer("document", int(described["directions"])),
        readout=Readout(
            weight=weights["readout.weight"],
            bias=weights["readout.bias"],
            one_logit=bool(described["one_logit"]),
        ),
        record=described["record"],
    )
