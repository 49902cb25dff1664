"""A model as a directory: ``model.safetensors`` and ``model.json``. Loading never executes code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from rnnscope.cells import CELLS, POINTWISE, Cell, Steps, Transformed
from rnnscope.data import Vocabulary
from rnnscope.errors import ModelError, NotApplicable, RnnscopeError, UsageError
from rnnscope.models.attention import Attention
from rnnscope.models.certificate import Certificate
from rnnscope.models.layers import Direction, Layer, Readout
from rnnscope.models.model import Model
from rnnscope.storage import (
    DAMAGE,
    digest_of,
    new_folder,
    read_description,
    read_whole,
    settled,
)

FORMATS = (1, 2)
"""2 where a model has a head, attention or steps between its layers, which 1 could not say."""

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"


def save_model(model: Model, path: str | Path) -> Path:
    """Write a model to a directory, whole or not at all.

    Raises:
        UsageError: the path holds something that is not a saved model.
        NotApplicable: the model's cell is a callable of the user's, which a file cannot hold.
    """
    try:
        return _save(model, Path(path).resolve())
    except (OSError, ValueError, TypeError) as error:
        unusable = isinstance(error, UsageError) and error.rule.startswith("A path must")
        if isinstance(error, RnnscopeError) and not unusable:
            raise
        raise UsageError(
            "The model's directory must be one that can be written.",
            expected="a path that can be made, with room for the weights",
            got=f"{str(path)[:80]!r}: {error}",
        ) from error


def _save(model: Model, path: Path) -> Path:
    weights = {name: w.detach().cpu().contiguous() for name, w in model.weights().items()}
    data = save_tensors(weights)
    description = _describe(model, data)
    description["description_sha256"] = digest_of(description)
    text = json.dumps(description, indent=1, ensure_ascii=False)
    with new_folder(path, marker=DESCRIPTION, what="a saved model") as draft:
        (draft / WEIGHTS).write_bytes(data)
        (draft / DESCRIPTION).write_text(text, encoding="utf-8")
    return path


def load(path: str | Path) -> Model:
    """Read a model that ``model.save`` or ``rnnscope train`` wrote. Never executes code.

    Args:
        path: the directory, either file in it, or a run's directory that has it as ``model``.

    Raises:
        UsageError: there is no model at the path; the message says what is there.
        ModelError: the files are damaged, of a later format, or do not belong together.
    """
    try:
        path = Path(path)
        settled(path)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            "There must be a saved model at the path.", got=f"{str(path)[:80]!r}: {error}"
        ) from error
    folder = path if path.is_dir() else path.parent
    if not (folder / DESCRIPTION).is_file() and (path / "model" / DESCRIPTION).is_file():
        folder = path / "model"
    if not path.exists() or not (folder / DESCRIPTION).is_file():
        raise UsageError(
            "There must be a saved model at the path.",
            expected=f"a directory with {DESCRIPTION} and {WEIGHTS}",
            got=f"{path}: {_what_is_there(path)}",
            fix="train one with `rnnscope train`, or save one with model.save(path)",
        )
    try:
        description = read_description(folder / DESCRIPTION)
        data = read_whole(folder / WEIGHTS)
        if description["format"] not in FORMATS:
            raise ModelError(
                "The model's format must be one this version reads.",
                expected=f"format {' or '.join(map(str, FORMATS))}",
                got=f"format {description['format']} in {folder / DESCRIPTION}",
                fix="install a newer rnnscope",
            )
        if hashlib.sha256(data).hexdigest() != description["weights_sha256"]:
            raise ModelError(
                "The weights must be those the description was written with.",
                expected=f"the digest stored in {DESCRIPTION}",
                got=f"another digest of {folder / WEIGHTS}",
                fix="the file is damaged or from another model; save it again",
            )
        model = _build(description, load_tensors(data))
        _hold_together(description, folder)
        return model
    except RnnscopeError:
        raise
    except (*DAMAGE, SafetensorError) as error:
        raise ModelError(
            "A saved model must be readable.",
            expected=f"{DESCRIPTION} and {WEIGHTS} as rnnscope wrote them",
            got=f"{folder}: {type(error).__name__}: {error}",
            fix="the files are damaged; save or train the model again",
        ) from error


def _hold_together(description: dict[str, Any], folder: Path) -> None:
    """Models written before descriptions had a digest have none."""
    stored = description.pop("description_sha256", None)
    if stored is not None and stored != digest_of(description):
        raise ModelError(
            "The description must be as it was written.",
            expected=f"the digest stored in {DESCRIPTION}",
            got=f"another digest of what {folder / DESCRIPTION} says",
            fix="the file is damaged or was edited; save the model again",
        )


def _describe(model: Model, data: bytes) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if model.head:
        more["head"] = _describe_steps(model.head)
    if model.attention is not None:
        steps = _describe_steps(model.attention.steps)
        more["attention"] = {"scale": model.attention.scale, "steps": steps}
    return {
        "format": 1 if model.linear else 2,
        "weights_sha256": hashlib.sha256(data).hexdigest(),
        "layers": [[_describe_direction(d) for d in layer.directions] for layer in model.layers],
        "pooling": model.pooling,
        "classes": list(model.classes),
        "one_logit": model.readout is not None and model.readout.one_logit,
        "vocabulary": None if model.vocabulary is None else model.vocabulary.to_dict(),
        "certificate": None if model.certificate is None else model.certificate.to_dict(),
        "record": model.record,
        **more,
    }


def _describe_steps(steps: Steps) -> list[dict[str, Any]]:
    return [{"kind": step.kind, **step.options} for step in steps]


def _describe_direction(direction: Direction) -> dict[str, Any]:
    cell = direction.cell
    if isinstance(cell, Transformed):
        inner = _describe_direction(replace(direction, cell=cell.inner))
        return inner | {"steps": _describe_steps(cell.steps)}
    if cell.kind not in CELLS:
        raise NotApplicable(
            "A saved model holds numbers, not code.",
            expected=f"cells of kind {', '.join(CELLS)}",
            got=f"a cell of kind {cell.kind}",
            fix="keep the code that builds it and build it again",
        )
    described: dict[str, Any] = {"kind": cell.kind, "reverse": direction.reverse}
    if hasattr(cell, "nonlinearity"):
        described["nonlinearity"] = cell.nonlinearity  # type: ignore[attr-defined]
    return described


def _build(description: dict[str, Any], weights: dict[str, Tensor]) -> Model:
    layers = tuple(
        Layer(directions=tuple(_build_direction(k, d, weights) for d in directions))
        for k, directions in enumerate(description["layers"])
    )
    readout = None
    if "readout.weight" in weights:
        readout = Readout(
            weight=weights["readout.weight"],
            bias=weights["readout.bias"],
            one_logit=bool(description["one_logit"]),
        )
    attention = description.get("attention")
    words, certificate = description["vocabulary"], description["certificate"]
    if not isinstance(description["record"], dict):
        raise TypeError("the record is not an object")
    if not all(isinstance(name, str) for name in description["classes"]):
        raise TypeError("a class name is not a string")
    return Model(
        layers=layers,
        embedding=weights.get("embedding"),
        vocabulary=None if words is None else Vocabulary.from_dict(words),
        readout=readout,
        pooling=description["pooling"],
        head=_build_steps(description.get("head", []), "head", weights),
        attention=None
        if attention is None
        else Attention(
            steps=_build_steps(attention["steps"], "attention", weights),
            scale=float(attention["scale"]),
        ),
        classes=tuple(description["classes"]),
        certificate=None if certificate is None else Certificate(**certificate),
        record=description["record"],
    )


def _build_direction(k: int, described: dict[str, Any], weights: dict[str, Tensor]) -> Direction:
    prefix = f"layer{k}.{'backward' if described['reverse'] else 'forward'}."
    own = {
        name.removeprefix(prefix): weight
        for name, weight in weights.items()
        if name.startswith(prefix)
    }
    initial = own.pop("initial", None)
    options = {key: described[key] for key in ("nonlinearity",) if key in described}
    own = {name: weight for name, weight in own.items() if "." not in name}
    cell: Cell = CELLS[described["kind"]](**own, **options)
    if "steps" in described:
        cell = Transformed(
            inner=cell, steps=_build_steps(described["steps"], f"{prefix}step", weights)
        )
    return Direction(cell=cell, initial=initial, reverse=described["reverse"])


def _build_steps(steps: Any, prefix: str, weights: dict[str, Tensor]) -> Steps:
    built = []
    for k, described in enumerate(steps):
        start = f"{prefix}{k}."
        own: dict[str, Any] = {
            name.removeprefix(start): weight
            for name, weight in weights.items()
            if name.startswith(start)
        }
        options = {name: value for name, value in described.items() if name != "kind"}
        built.append(POINTWISE[described["kind"]](**own, **options))
    return tuple(built)


def _what_is_there(path: Path) -> str:
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir())[:6]
        return "a directory with " + (", ".join(inside) if inside else "nothing in it")
    if path.exists():
        return "a file that is not part of a saved model"
    parent = path.parent
    near = sorted(p.name for p in parent.iterdir())[:6] if parent.is_dir() else []
    return "nothing there" + (f"; {parent} holds {', '.join(near)}" if near else "")
