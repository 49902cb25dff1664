"""Phrase models as files: JSON to edit by hand, and one Python file that replaces the network."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rnnscope.errors import DataError
from rnnscope.rules import files, reading, standalone, standalone_model

if TYPE_CHECKING:
    from rnnscope.rules.phrase_model import PhraseModel

    M = TypeVar("M", bound=PhraseModel)

KIND = files.Kind(
    name="phrase model",
    entry="phrase",
    entries="phrases",
    header=("classes", "bias", "tokenizer", "method", "fingerprint"),
    written_by="PhraseModel.export",
)
ENTRY = ("phrase", "weights")


def export_model(model: PhraseModel, path: str | Path) -> Path:
    """Write a phrase model as its path's ending says; see ``PhraseModel.export``."""
    writers = {".json": lambda: to_json(model), ".py": lambda: to_python(model)}
    return files.write(KIND, path, writers)


def save_model(model: PhraseModel, path: str | Path) -> Path:
    """Write a phrase model as JSON; see ``PhraseModel.save``."""
    return files.write(KIND, path, {".json": lambda: to_json(model)})


def to_json(model: PhraseModel) -> str:
    """The model as JSON, one phrase a line."""
    header = {
        "classes": list(model.classes),
        "bias": _by_class(model, model.bias),
        "tokenizer": model.tokenizer,
        "method": model.method,
        "fingerprint": model.fingerprint,
    }
    entries = (
        {"phrase": list(words), "weights": _by_class(model, row)}
        for words, row in zip(model.phrases, model.weights, strict=True)
    )
    return files.as_json(KIND, header, entries)


def to_python(model: PhraseModel) -> str:
    """The model as a Python file: its data, the tokenizer's source, and what classifies."""
    listed = [
        f"    ({files.plain(words)!a}, {tuple(row)!r}),"
        for words, row in zip(model.phrases, model.weights.tolist(), strict=True)
    ]
    origin = files.plain((model.tokenizer, model.method, model.fingerprint))
    data = [
        f"CLASSES = {files.plain(model.classes)!a}",
        f"BIAS = {tuple(model.bias.tolist())!r}",
        f"TOKENIZER, METHOD, FINGERPRINT = {origin!a}",
        "# Each phrase and what it adds to each class.",
        *(["PHRASES = (", *listed, ")"] if listed else ["PHRASES = ()"]),
    ]
    code = [
        files.copied(standalone_model, standalone_model.COPIED),
        inspect.getsource(standalone._words).strip(),
        inspect.getsource(standalone.main).strip(),
        'if __name__ == "__main__":\n    main()',
    ]
    return files.as_python(KIND, data, files.tokenizer_source(), "\n\n\n".join(code))


def load_model(cls: type[M], path: str | Path) -> M:
    """Read what ``to_json`` wrote; see ``PhraseModel.load``."""
    header, entries = reading.header_and_entries(KIND, path)
    classes = reading.classes(KIND, header)
    origin = reading.origin(header)
    weights = np.zeros((len(entries), len(classes)))
    phrases: list[tuple[str, ...]] = []
    for place, entry in enumerate(entries, 1):
        where = f"phrase {place}"
        if not isinstance(entry, dict):
            raise DataError(
                "A phrase comes with its weights.",
                expected='{"phrase": "not good", "weights": {"negative": 1.5}}',
                got=f"{entry!r:.60} as {where}",
            )
        reading.check_names(KIND, entry, ENTRY, where)
        words = reading.phrase(KIND, entry.get("phrase"), origin["tokenizer"], where)
        phrases.append(words)
        named = f"{where}, {entry['phrase']!r:.60}"
        weights[place - 1] = _by_index(classes, entry.get("weights"), f"the weights of {named}")
    return cls(
        phrases=tuple(phrases),
        weights=weights,
        bias=np.array(_by_index(classes, header.get("bias", {}), "the bias")),
        classes=classes,
        **origin,
    )


def _by_class(model: PhraseModel, values: np.ndarray) -> dict[str, float]:
    return dict(zip(model.classes, values.tolist(), strict=True))


def _by_index(classes: tuple[str, ...], values: Any, where: str) -> list[float]:
    """A number for each class; 0 for one that is left out."""
    if not isinstance(values, Mapping):
        raise DataError(
            "Weights are numbers by the names of the classes.",
            expected=f'such as {{"{classes[0]}": 1.5}}; a class left out has 0',
            got=f"{values!r:.60} as {where}",
        )
    for name, value in values.items():
        if name not in classes:
            raise DataError(
                "A weight must be for a class of the model.",
                expected=", ".join(map(repr, classes)),
                got=f"{name!r} in {where}",
            )
        if not reading.is_number(value):
            raise DataError("A weight is a finite number.", got=f"{value!r:.60} in {where}")
    return [float(values.get(name, 0.0)) for name in classes]
