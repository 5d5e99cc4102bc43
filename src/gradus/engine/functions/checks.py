"""Checks of arguments, and the errors they raise, with the names that PyTorch's messages have for dtypes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.record import Variable
from gradus.engine.dtypes import Array
from gradus.engine.dtypes.layouts import check_format, check_layout
from gradus.engine.dtypes.names import c_name, scalar_name
from gradus.engine.dtypes.promotion import RANK

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


def type_name(x: Any) -> str:
    """The name of x's type in PyTorch's messages: Tensor, int, numpy.ndarray."""
    kind = type(x)
    return (
        "Tensor"
        if isinstance(x, Variable)
        else f"numpy.{kind.__name__}"
        if kind.__module__ == "numpy"
        else kind.__name__
    )


def only_tensors(function: str, *arguments: Any, first: int = 1, names: Sequence[str] = ("input", "other")) -> None:
    """Raise a TypeError if an argument is not a tensor; `first` is the position of the first one."""
    for i, (x, name) in enumerate(zip(arguments, names, strict=False)):
        if not isinstance(x, Variable):
            raise TypeError(
                f"{function}(): argument '{name}' (position {first + i}) must be Tensor, not {type_name(x)}"
            )


def refuse_bool_dtype(dtype: np.dtype[Any], name: str) -> None:
    """Raise a NotImplementedError for the dtype bool."""
    if dtype.kind == "b":
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'")


def check_cast(dtype: np.dtype[Any], into: np.dtype[Any]) -> None:
    """Raise a RuntimeError unless a result of one dtype may be written into another."""
    if RANK[dtype.kind] > RANK[into.kind]:
        raise RuntimeError(
            f"result type {scalar_name(dtype)} can't be cast to the desired output type {scalar_name(into)}"
        )


def floating_only(x: Tensor, name: str) -> Tensor:
    """Return x; raise a NotImplementedError unless its dtype is floating point or complex."""
    if x._array.dtype.kind not in dtypes.REAL:
        hint = "" if x._array.dtype.kind == "c" else ": use .float() first"
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(x._array.dtype)}'{hint}")
    return x


def refuse_complex(x: Array, message: str, error: type[RuntimeError] = RuntimeError) -> None:
    """Raise an error if x is complex: complex numbers have no order."""
    if x.dtype.kind == "c":
        raise error(message)


def refuse_bool(x: Tensor, name: str) -> Tensor:
    """Return x; raise a NotImplementedError if it is bool."""
    if x._array.dtype == bool:
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'")
    return x


def check_factors(a: Tensor, b: Tensor, bias: Tensor | None) -> None:
    """Raise a RuntimeError unless a, b and bias of a @ b + bias have one dtype."""
    wanted = b._array.dtype
    for name, x in (("self", bias), ("mat1", a)):
        if x is None or x._array.dtype == wanted:
            continue
        if bias is None:
            raise RuntimeError(
                f"expected m1 and m2 to have the same dtype, but got: {c_name(x._array.dtype)} != {c_name(wanted)}"
            )
        have = scalar_name(x._array.dtype)
        raise RuntimeError(f"{name} and mat2 must have the same dtype, but got {have} and {scalar_name(wanted)}")


def explain_broadcast(a: Any, b: Any) -> None:
    """Raise as PyTorch does when two shapes do not broadcast."""
    if not (isinstance(a, Variable) and isinstance(b, Variable)):
        return
    x, y = a._array.shape, b._array.shape
    for i in range(1, min(len(x), len(y)) + 1):
        if x[-i] != y[-i] and 1 not in (x[-i], y[-i]):
            raise RuntimeError(
                f"The size of tensor a ({x[-i]}) must match the size of tensor b ({y[-i]}) at non-singleton dimension "
                f"{max(len(x), len(y)) - i}"
            ) from None


_WITHOUT_EFFECT = {"pin_memory", "non_blocking"}  # there is one kind of memory here


def refuse_unknown(function: str, others: dict[str, Any]) -> None:
    """Of the keywords a maker of tensors does not use, check the device, pass those without effect, refuse the rest."""
    for name, value in others.items():
        if name == "device":
            dtypes.check_device(value)
        elif name == "layout":
            check_layout(value)
        elif name == "memory_format":
            check_format(value)
        elif name not in _WITHOUT_EFFECT and not (name == "out" and value is None):
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")
