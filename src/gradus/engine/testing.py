"""`torch.testing`: assertions that tensors are close."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradus.engine.compat.absent import refuse
from gradus.engine.functions.creation import as_tensor
from gradus.engine.tensor import Tensor

__all__ = ["assert_close"]

__getattr__ = refuse(__name__)

_TOLERANCES = {  # the name of a type: relative, absolute
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise unless |actual - expected| <= atol + rtol |expected| everywhere, in the same shape and type.

    Args:
        actual, expected: tensors, arrays or numbers; or sequences or mappings of them, compared one by one.
        rtol, atol: both or neither; without them, as PyTorch for the type: 1.3e-6 and 1e-5 for float32.
        equal_nan: whether NaN equals NaN.
        msg: the message, or what makes it of the usual one.

    Raises:
        AssertionError: if they are not close.
        ValueError: if only one of rtol and atol is given.
        TypeError: if what is given cannot be compared.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or unspecified, got {rtol=} and {atol=}.")
    for where, a, b in _pairs(actual, expected, ""):
        found = _difference(a, b, allow_subclasses, rtol, atol, equal_nan, check_dtype, check_stride)
        if found:
            found += f"\n\nThe failure occurred for item {where}" if where else ""
            raise AssertionError(msg(found) if callable(msg) else msg or found)


def _pairs(actual: Any, expected: Any, where: str) -> list[tuple[str, Any, Any]]:
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if set(actual) != set(expected):
            raise AssertionError(f"The keys of the mappings do not match:\n{sorted(actual)} and {sorted(expected)}")
        keys: Any = actual
    elif _several(actual) and _several(expected):
        if len(actual) != len(expected):
            raise AssertionError(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}")
        keys = range(len(actual))
    else:
        return [(where, actual, expected)]
    return [pair for key in keys for pair in _pairs(actual[key], expected[key], f"{where}[{key!r}]")]


def _several(x: Any) -> bool:
    return isinstance(x, Sequence) and not isinstance(x, str)


def _difference(
    actual: Any,
    expected: Any,
    allow_subclasses: bool,
    rtol: float | None,
    atol: float | None,
    equal_nan: bool,
    check_dtype: bool,
    check_stride: bool,
) -> str | None:
    """The error message for two tensors or numbers that are not close; None if they are."""
    if actual is None and expected is None:
        return None
    same_kind = type(actual) is type(expected) or (
        allow_subclasses and (isinstance(actual, type(expected)) or isinstance(expected, type(actual)))
    )
    plain = isinstance(actual, (int, float, complex)) and isinstance(expected, (int, float, complex))
    if not (same_kind or plain) or not isinstance(actual, (Tensor, np.ndarray, np.generic, int, float, complex)):
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}.")
    if plain and check_dtype and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    a, b = as_tensor(actual).detach(), as_tensor(expected).detach()
    if a.shape != b.shape:
        return f"The values for attribute 'shape' do not match: {a.shape} != {b.shape}."
    if check_dtype and a.dtype is not b.dtype:
        return f"The values for attribute 'dtype' do not match: {a.dtype} != {b.dtype}."
    if check_stride and a.stride() != b.stride():
        return f"The values for attribute 'stride()' do not match: {a.stride()} != {b.stride()}."
    if rtol is None or atol is None:
        usual = [_TOLERANCES.get(str(x.dtype).removeprefix("torch."), (0.0, 0.0)) for x in (a, b)]
        rtol, atol = max(r for r, _ in usual), max(t for _, t in usual)
    if a.dtype is not b.dtype:
        a, b = a.double(), b.double()
    near = a.isclose(b, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if bool(near.all()):
        return None
    if not a.ndim:
        kind = "Scalars" if plain else "Tensor-likes"
        return f"{kind} are not {_word(rtol, atol)}!\n\nExpected {b.item()} but got {a.item()}."
    wrong = int((~near).sum())
    return (
        f"Tensor-likes are not {_word(rtol, atol)}!\n\nMismatched elements: {wrong} / {a.numel()} "
        f"({100 * wrong / a.numel():.1f}%)\n" + _greatest(a, b, rtol, atol)
    )


def _word(rtol: float, atol: float) -> str:
    return "equal" if rtol == atol == 0 else "close"


def _greatest(a: Tensor, b: Tensor, rtol: float, atol: float) -> str:
    x, y = a.double().numpy(), b.double().numpy()
    with np.errstate(all="ignore"):
        absolute = np.where(x == y, 0, np.abs(x - y))
        relative = absolute / np.abs(y)
    lines = []
    for name, sizes, allowed in (("absolute", absolute, atol), ("relative", relative, rtol)):
        place = np.unravel_index(int(np.argmax(np.nan_to_num(sizes, nan=np.inf))), sizes.shape)
        index = tuple(int(i) for i in place)
        allowance = f" (up to {allowed} allowed)" if rtol or atol else ""
        lines.append(f"Greatest {name} difference: {sizes[place]} at index {index}{allowance}")
    return "\n".join(lines)
