"""HDF5 files opened so that nothing outside the file is read and nothing is unpacked unweighed."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnscope.errors import ModelError, RnnscopeError
from rnnscope.models.readers.limits import check_size, damaged, needs

DEPTH = 24


@contextmanager
def opened(source: Path | bytes, what: str) -> Iterator[Any]:
    """The root group of a file on disk or in memory.

    Raises:
        UsageError: h5py is not installed.
        ModelError: whatever goes wrong inside.
    """
    try:
        import h5py  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise needs("h5py", "keras", "Keras files") from error
    try:
        given = io.BytesIO(source) if isinstance(source, bytes) else source
        with h5py.File(given, "r") as file:
            yield file
    except RnnscopeError:
        raise
    except Exception as error:  # h5py raises OSError, KeyError, RuntimeError and more
        raise damaged(what, error) from error


def child(group: Any, name: str) -> Any:
    """A member of a group that lies in the same file; None where there is none.

    Raises:
        ModelError: it is a link to elsewhere.
    """
    import h5py  # pyright: ignore[reportMissingImports]

    for part in [part for part in name.split("/") if part]:
        if not isinstance(group, h5py.Group):
            return None
        link = group.get(part, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise ModelError(
                "A weights file must hold its own weights.",
                got=f"a link to elsewhere: {part!r}",
            )
        group = group[part]
    return group


def array(dataset: Any, name: str, max_bytes: int) -> Tensor:
    """A dataset as a tensor, weighed first.

    Raises:
        ModelError: no numbers, stored in another file, or too large.
    """
    import h5py  # pyright: ignore[reportMissingImports]

    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
        raise ModelError("Weights are arrays of numbers.", got=f"{name}: {type(dataset).__name__}")
    if dataset.is_virtual or dataset.external:
        raise ModelError("A weights file must hold its own weights.", got=f"{name} lies elsewhere")
    check_size(math.prod(dataset.shape) * dataset.dtype.itemsize, max_bytes, name)
    stored = dataset.id.get_storage_size()
    if math.prod(dataset.shape) * dataset.dtype.itemsize > 1_000 * max(stored, 4096):
        raise ModelError(
            "An array must not unpack to a thousand times its size.",
            got=f"{name}: {stored:,} bytes for shape {dataset.shape}",
        )
    return torch.from_numpy(np.asarray(dataset[()], dtype=_wide(dataset.dtype)))


def _wide(dtype: np.dtype[Any]) -> Any:
    return np.float64 if dtype == np.float64 else np.float32


def text(value: Any) -> str:
    """An attribute that may be bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
