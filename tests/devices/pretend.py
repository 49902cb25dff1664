"""A second device that is not there: tensors that say they lie on it, computed on the CPU.

As on a GPU, an operation on tensors of both devices is an error, and so is ``numpy()``; so work
that keeps to the device of its model gives on "pretend" what it gives on the CPU, and work that
does not fails. Importing this registers the device with torch for good: for processes of their own.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

NAME = "pretend"
INDEXED = ("aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")
"""Operations that take indices from the CPU on any device."""


class _Module(backend_registration._DummyBackendModule):
    def get_rng_state(self, device: Any = None) -> Tensor:
        return torch.get_rng_state()

    def set_rng_state(self, state: Tensor, device: Any = None) -> None:
        pass

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.float16, torch.bfloat16]


backend_registration._setup_privateuseone_for_python_backend(NAME, backend_module=_Module())


class Away(Tensor):
    """A tensor on the second device."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> Away:
        made = Tensor._make_wrapper_subclass(
            cls,
            here.shape,
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=torch.device(NAME, 0),
        )
        made.here = here
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def _is_away(device: Any) -> bool:
    return device is not None and torch.device(device).type == NAME


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """An operation on the CPU, its result where a device would have it."""
    name = func.overloadpacket._qualified_op_name
    tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
    away = [t for t in tensors if isinstance(t, Away)]
    goes = bool(away)
    if goes and name not in (*INDEXED, "aten::_to_copy", "aten::copy_"):
        strangers = [tuple(t.shape) for t in tensors if not isinstance(t, Away) and t.ndim]
        if strangers:
            raise RuntimeError(f"{name}: tensors on two devices; on the CPU are {strangers}")
    if kwargs.get("device") is not None:
        goes = _is_away(kwargs["device"])
        kwargs = {**kwargs, "device": torch.device("cpu")}
    given, named = tree_map_only(Away, lambda t: t.here, (args, kwargs))
    found = func(*given, **named)
    if name == "aten::copy_":
        return args[0]
    for one in away:
        if one.here is found:
            return one
    return tree_map_only(Tensor, Away, found) if goes else found


class _Operations(TorchDispatchMode):
    """Makes what is asked for on the second device, such as ``torch.zeros(3, device=...)``."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _Functions(TorchFunctionMode):
    """What torch does in C++ before any operation is dispatched."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        first = args[0] if args else None
        if func is Tensor.tolist and isinstance(first, Away):
            return first.here.tolist()
        if func is Tensor.__getitem__ and isinstance(args[1], list):
            return first[torch.tensor(args[1], dtype=torch.long)]
        if func is Tensor.new_tensor and isinstance(first, Away):
            return Away(first.here.new_tensor(*args[1:], **kwargs))
        if func in (torch.tensor, torch.as_tensor) and _is_away(kwargs.get("device")):
            rest = {name: value for name, value in kwargs.items() if name != "device"}
            if isinstance(first, Away):
                return first.to(**rest)
            return Away(func(*args, **rest).clone())
        if func is Tensor.to:
            like = [a for a in args[1:] if isinstance(a, Tensor)]
            asked = [a for a in (*args[1:], kwargs.get("device")) if isinstance(a, str)]
            asked += [a for a in (*args[1:], kwargs.get("device")) if isinstance(a, torch.device)]
            asked += [a.device for a in like]
            dtypes = [a for a in (*args[1:], kwargs.get("dtype")) if isinstance(a, torch.dtype)]
            dtypes += [a.dtype for a in like]
            if asked and _is_away(asked[0]):
                if isinstance(first, Away):
                    return first.to(dtypes[0]) if dtypes else first
                return Away(first.to(*dtypes[:1]).clone() if dtypes else first.clone())
        return func(*args, **kwargs)


@contextmanager
def second_device():
    """With it there."""
    with ExitStack() as stack:
        stack.enter_context(_Operations())
        stack.enter_context(_Functions())
        yield NAME
