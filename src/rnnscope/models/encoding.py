"""Documents as a model reads them: indices of words, or vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import DataError

if TYPE_CHECKING:
    from rnnscope.models.model import Model


def encode_documents(model: Model, documents: Iterable[Any]) -> list[np.ndarray]:
    """See ``Model.encode``."""
    if isinstance(documents, str):
        raise DataError(
            "Documents come as a list.",
            expected="a list of token lists or texts",
            got=f"one text, {documents[:40]!r}",
            fix="wrap it: [text]",
        )
    if not isinstance(documents, Iterable) or getattr(documents, "ndim", 1) == 0:
        raise DataError(
            "Documents come as a list.",
            expected="a list of token lists or texts",
            got=type(documents).__name__,
        )
    return [_encoded(model, document, row) for row, document in enumerate(documents)]


def _encoded(model: Model, document: Any, row: int) -> np.ndarray:
    if isinstance(document, str):
        document = model.tokenize(document)
    if not hasattr(document, "__iter__") or getattr(document, "ndim", 1) == 0:
        raise DataError(
            "A document is a sequence of words, of word indices, or of vectors.",
            expected="a list, an array or a text",
            got=f"document {row}: {type(document).__name__}",
        )
    if not hasattr(document, "__len__"):
        document = list(document)
    if len(document) == 0:
        raise DataError(
            "A document must have at least one word.",
            expected="one word or more",
            got=f"document {row} is empty",
            fix="drop it before scoring",
        )
    if model.embedding is None:
        return _as_vectors(document, model.input_size, row)
    if not isinstance(next(iter(document)), str):
        return _as_indices(document, len(model.embedding), row)
    if model.vocabulary is None:
        raise DataError(
            "Words need a vocabulary.",
            expected="word indices, since this model was given no vocabulary",
            got=f"document {row} holds words",
            fix="pass vocabulary= when the model is read",
        )
    try:
        return model.vocabulary.encode(document)
    except DataError as error:
        got = f"document {row}: {error.got}"
        raise DataError(error.rule, expected=error.expected, got=got, fix=error.fix) from None


def _as_vectors(document: Any, width: int, row: int) -> np.ndarray:
    """A document as finite vectors (steps, width); ``row`` names it in the error."""
    if isinstance(document, Sequence) and any(isinstance(item, str) for item in document):
        raise DataError(
            "This model reads vectors, not words.",
            expected=f"an array (steps, {width})",
            got=f"document {row} holds words",
        )
    values = _as_array(document)
    fits = values.dtype.kind in "fiub" and values.ndim == 2 and values.shape[1] == width
    if not fits or not np.isfinite(values).all():
        raise DataError(
            "A sequence of vectors must be finite and fit the model's input.",
            expected=f"an array (steps, {width}) of finite numbers",
            got=f"sequence {row} of type {values.dtype} and shape {values.shape}",
        )
    return values


def _as_indices(document: Any, rows: int, row: int) -> np.ndarray:
    """A document as word indices below ``rows``; ``row`` names it in the error."""
    ids = _as_array(document)
    if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
        raise DataError(
            "A document is a sequence of words, or of word indices.",
            expected="strings or whole numbers",
            got=f"document {row} of type {ids.dtype} and shape {ids.shape}",
        )
    if ids.min() < 0 or ids.max() >= rows:
        raise DataError(
            "A word index must be a row of the embedding.",
            expected=f"0 to {rows - 1}",
            got=f"document {row} holds {ids.min()} to {ids.max()}",
        )
    return ids.astype(np.int64)


def _as_array(document: Any) -> np.ndarray:
    """A document as an array; one of objects, which nothing accepts, where it is none."""
    try:
        if isinstance(document, Tensor):
            document = document.detach().cpu()
            if document.dtype == torch.bfloat16:
                document = document.float()
        return np.asarray(document)
    except (TypeError, ValueError):  # rows of different lengths, sparse tensors
        return np.empty(0, dtype=object)
