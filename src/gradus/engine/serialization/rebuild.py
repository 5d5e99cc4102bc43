"""The functions that a PyTorch file may call, and what is done in their place."""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.node import LEAF
from gradus.engine.dtypes import Array
from gradus.engine.nn.parameter import Parameter
from gradus.engine.serialization.storages import KINDS, view
from gradus.engine.tensor import Tensor


class Word(NamedTuple):
    """A function that a file may name."""

    module: str
    name: str


def word(module: str, name: str) -> Any:
    """The value of a name: a `Word` to call later, a dtype, or None for an unknown name."""
    found = Word(module, name)
    if module == "torch" and isinstance(getattr(dtypes, name, None), dtypes.dtype):
        return getattr(dtypes, name)
    if found in _CALLS or found in _TYPES or found in _FACTORIES or (module == "torch" and name in KINDS):
        return found
    return None


def call(function: Word, arguments: tuple[Any, ...]) -> Any:
    """The result of a call that a file contains."""
    if function not in _CALLS:
        raise pickle.UnpicklingError(
            f"the file calls {function.module}.{function.name}: torch.load calls only the functions that rebuild "
            "tensors and containers"
        )
    return _CALLS[function](*arguments)


def _tensor(
    storage: Array,
    offset: int,
    size: Any,
    stride: Any,
    requires_grad: bool = False,
    hooks: Any = None,
    metadata: Any = None,
) -> Tensor:
    made = Tensor._wrap(view(storage, offset, tuple(size), tuple(stride)))
    made._node = LEAF if requires_grad is True else None
    return made


def _parameter(data: Tensor, requires_grad: bool, hooks: Any = None, state: Any = None) -> Parameter:
    return _with_attributes(Parameter(data, requires_grad), state)


def _from_type(function: Word, kind: Word, arguments: tuple[Any, ...], state: Any) -> Any:
    """A tensor that had extra attributes, or was of a subclass."""
    return _with_attributes(call(function, arguments), state)


def _with_attributes(made: Any, state: Any) -> Any:
    if isinstance(state, dict):
        made.__dict__.update({key: value for key, value in state.items() if not key.startswith("_")})
    return made


def _encode(text: str, encoding: str) -> bytes:
    """Bytes, as protocol 2 writes them."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes are encoded as latin1, not {encoding}")
    return text.encode("latin1")


def _device(kind: str, index: int | None = None) -> dtypes.device:
    return dtypes.device(kind, index)


def _bytearray(data: str | bytes = b"", encoding: str = "latin1") -> bytearray:
    return bytearray(_encode(data, encoding) if isinstance(data, str) else memoryview(data))


def _defaultdict(factory: Word | None = None) -> defaultdict[Any, Any]:
    return defaultdict(None if factory is None else _FACTORIES[factory])


def _numpy_dtype(name: str, align: bool = False, copy: bool = True) -> np.dtype[Any]:
    dtype = np.dtype(name)
    if dtype.kind not in "fciubUS":
        raise pickle.UnpicklingError(f"NumPy arrays of {dtype} are not read")
    return dtype


def _numpy_scalar(dtype: np.dtype[Any], data: bytes) -> Any:
    return np.frombuffer(data, dtype, 1)[0]


def _numpy_empty(kind: Word, shape: Any, code: Any) -> Array:
    return np.empty(0)


def fill_numpy(made: Any, state: Any) -> None:
    """Set the dtype, shape and elements of an array made by `_numpy_empty`; for a dtype, only check the byte order."""
    if isinstance(made, np.dtype):
        if state[1] not in ("<", "|", "="):
            raise pickle.UnpicklingError("NumPy arrays in big-endian order are not read")
        return
    _, shape, kind, fortran, data = state
    if not isinstance(kind, np.dtype) or kind.kind not in "fciubUS" or not isinstance(data, bytes):
        raise pickle.UnpicklingError("only NumPy arrays of numbers and strings are read")
    read = np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")
    made.__setstate__((1, read.shape, kind, bool(fortran), read.tobytes("F" if fortran else "C")))


_FACTORIES: dict[Word, type] = {
    Word("builtins", kind.__name__): kind for kind in (int, float, str, list, dict, set, bool)
}

_TYPES = {
    Word("torch", "Tensor"),
    Word("torch.nn.parameter", "Parameter"),
    Word("copyreg", "_reconstructor"),
    Word("builtins", "object"),
    Word("numpy", "ndarray"),
}

_CALLS: dict[Word, Callable[..., Any]] = {
    Word("torch._utils", "_rebuild_tensor_v2"): _tensor,
    Word("torch._utils", "_rebuild_tensor"): _tensor,
    Word("torch._utils", "_rebuild_parameter"): _parameter,
    Word("torch._utils", "_rebuild_parameter_with_state"): lambda data, grad, hooks, state: _parameter(
        data, grad, hooks, state
    ),
    Word("torch._tensor", "_rebuild_from_type_v2"): _from_type,
    Word("torch", "Size"): dtypes.Size,
    Word("torch", "device"): _device,
    Word("collections", "OrderedDict"): lambda items=(): OrderedDict(items),
    Word("collections", "Counter"): lambda counts=(): Counter(dict(counts)),
    Word("collections", "defaultdict"): _defaultdict,
    Word("_codecs", "encode"): _encode,
    Word("builtins", "bytes"): lambda: b"",
    Word("builtins", "bytearray"): _bytearray,
    Word("builtins", "set"): lambda items=(): set(items),
    Word("builtins", "frozenset"): lambda items=(): frozenset(items),
    Word("builtins", "complex"): complex,
    Word("numpy", "dtype"): _numpy_dtype,
    **{
        Word(module, name): function
        for module in ("numpy.core.multiarray", "numpy._core.multiarray")
        for name, function in (("scalar", _numpy_scalar), ("_reconstruct", _numpy_empty))
    },
}
