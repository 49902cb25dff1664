"""Named arrays out of a file or a tree: safetensors, torch checkpoints, npz, msgpack, nested dicts.

Nothing in them is run: torch files are read with ``weights_only=True``, npz without pickles, and of
msgpack only numbers, strings, lists, maps and flax's arrays.
"""

from __future__ import annotations

import dataclasses
import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from rnnscope.errors import ModelError, UsageError
from rnnscope.models.readers.limits import (
    JSON_BYTES,
    MAX_BYTES,
    Archive,
    check_size,
    damaged,
    needs,
    regular_file,
)

DEPTH = 32
"""The deepest tree that is followed."""

Arrays = dict[str, Tensor]


def named_arrays(source: Any, max_bytes: int = MAX_BYTES) -> tuple[Arrays, str]:
    """Every array of a file or tree by its dotted name, and what it was read from.

    Args:
        source: a path to ``.safetensors``, ``.pt``, ``.pth``, ``.bin``, ``.ckpt``, ``.npz`` or
            ``.msgpack``; or a tree of mappings, sequences and dataclasses with arrays as leaves.
        max_bytes: the most it may hold.

    Raises:
        UsageError: no such file, or a kind of file that is not read.
        ModelError: damaged, too large, or holds no arrays.
    """
    if isinstance(source, str | Path):
        path = regular_file(source, max_bytes)
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise UsageError(
                "The kind of file is told by its ending.",
                expected=", ".join(READERS),
                got=path.name,
            )
        tree, what = reader(path, max_bytes), f"{path.suffix.lstrip('.')} file {path.name}"
    else:
        tree, what = source, f"a tree of type {type(source).__name__}"
    found: Arrays = {}
    _flatten(tree, "", found, 0)
    if not found:
        raise ModelError("A network's weights are arrays.", got=f"none in {what}")
    check_size(sum(w.numel() * w.element_size() for w in found.values()), max_bytes, what)
    return found, what


def _flatten(tree: Any, name: str, found: Arrays, depth: int) -> None:
    if depth > DEPTH:
        raise ModelError("A tree of weights is no deeper than that.", expected=f"{DEPTH} levels")
    children: list[tuple[Any, Any]] = []
    if isinstance(tree, Mapping):
        children = list(tree.items())
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        children = [(f.name, getattr(tree, f.name, None)) for f in dataclasses.fields(tree)]
    elif isinstance(tree, list | tuple):
        children = list(enumerate(tree))
    elif not isinstance(tree, Tensor | np.ndarray):
        boxed: Any = tree  # a variable of flax
        tree = boxed.get_value() if hasattr(boxed, "get_value") else getattr(boxed, "value", boxed)
    for key, child in children:
        text = key if isinstance(key, str) else str(key)
        # Flat files write a path as one name: with dots, or with slashes.
        text = text.replace("/", ".")
        _flatten(child, f"{name}.{text}" if name else text, found, depth + 1)
    if not children:
        array = _as_tensor(tree)
        if array is not None:
            found[name] = array


def _as_tensor(value: Any) -> Tensor | None:
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if value is None or isinstance(value, str | bytes | bool | int | float) or callable(value):
        return None
    try:
        array = np.asarray(value)
    except Exception:  # an object of another library that is no array
        return None
    if array.dtype.kind == "V" and array.dtype.itemsize == 2:  # bfloat16 of ml_dtypes
        return torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    if array.dtype.kind not in "fiu":
        return None
    return torch.from_numpy(np.array(array, order="C"))


def _safetensors(path: Path, max_bytes: int) -> Any:
    data = path.read_bytes()
    try:
        (size,) = struct.unpack("<Q", data[:8])
        check_size(size, min(JSON_BYTES, len(data)), f"the header of {path.name}")
        for name, about in json.loads(data[8 : 8 + size]).items():
            if name != "__metadata__":
                check_size(math.prod(about["shape"]), max_bytes, f"{name} of {path.name}")
        return load_safetensors(data)
    except ModelError:
        raise
    except (SafetensorError, ValueError, KeyError, TypeError, struct.error, RecursionError) as e:
        raise damaged(str(path), e) from e


def _torch(path: Path, max_bytes: int) -> Any:
    with path.open("rb") as stream:
        zipped = stream.read(4) == b"PK\x03\x04"
    if not zipped:
        raise ModelError(
            "A checkpoint of torch is a zip file since torch 1.6; older ones are pickles alone.",
            got=f"{path.name}, which is none",
            fix="load it where it was made and save its state_dict as safetensors",
        )
    archive = Archive(path, max_bytes)
    check_size(sum(i.file_size for i in archive.members.values()), max_bytes, str(path))
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch each raise their own
        raise ModelError(
            "A torch checkpoint must hold tensors only: what would run code is not loaded.",
            expected="a state_dict that torch.load(weights_only=True) reads",
            got=f"{path.name}: {type(error).__name__}: {str(error).splitlines()[0][:200]}",
            fix="save model.state_dict(), best as safetensors; a damaged file, fetch again",
        ) from error
    if isinstance(loaded, Mapping):
        for key in ("state_dict", "model_state_dict", "model"):
            if isinstance(loaded.get(key), Mapping):
                return loaded[key]
    return loaded


def _npz(path: Path, max_bytes: int) -> Any:
    archive = Archive(path, max_bytes)
    check_size(sum(i.file_size for i in archive.members.values()), max_bytes, str(path))
    found = {}
    import io

    for name in archive.members:
        data = archive.read(name)
        try:
            stream = io.BytesIO(data)
            version = np.lib.format.read_magic(stream)
            read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
                version, np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(stream)
            check_size(math.prod(shape) * dtype.itemsize, len(data), f"{name} of {path.name}")
            stream.seek(0)
            found[name.removesuffix(".npy")] = np.lib.format.read_array(stream, allow_pickle=False)
        except ModelError:
            raise
        except Exception as error:  # the format's reader raises what Python's parser does
            raise damaged(f"{name} in {path.name}", error) from error
    return found


def _msgpack(path: Path, max_bytes: int) -> Any:
    try:
        import msgpack  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise needs("msgpack", "flax", "Flax's files") from error

    def extended(code: int, data: bytes) -> Any:
        if code not in (1, 3):  # flax: 1 an array, 2 a complex number, 3 a numpy scalar
            raise ValueError(f"an extension {code}")
        shape, dtype, raw = msgpack.unpackb(data, raw=False, strict_map_key=False)
        name = dtype.decode() if isinstance(dtype, bytes) else str(dtype)
        if name == "bfloat16":
            bits = np.frombuffer(raw, dtype=np.uint16).astype(np.uint32) << 16
            return bits.view(np.float32).reshape(shape)
        kind = np.dtype(name)
        if kind.kind not in "fiub":
            raise ValueError(f"an array of {name}")
        return np.frombuffer(raw, dtype=kind).reshape(shape)

    try:
        return msgpack.unpackb(
            path.read_bytes(), ext_hook=extended, raw=False, strict_map_key=False
        )
    except Exception as error:  # msgpack raises ValueError and its own, numpy TypeError
        raise damaged(str(path), error) from error


READERS = {
    ".safetensors": _safetensors,
    ".pt": _torch,
    ".pth": _torch,
    ".bin": _torch,
    ".ckpt": _torch,
    ".npz": _npz,
    ".msgpack": _msgpack,
    ".flax": _msgpack,
}
"""By the file's ending."""
