"""How a tensor prints: as PyTorch prints it, digit for digit.

The numbers of one tensor share a format: whole numbers without digits, others with four, and all in scientific notation
if they are very large, very small or far apart. Rows wrap at 80 columns; more than 1,000 numbers are summarised by the
first and last three of each dimension. `set_printoptions` changes those four.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.dtypes import Array
from gradus.engine.dtypes.promotion import of_number

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["printoptions", "set_printoptions"]


@dataclass(frozen=True)
class Options:
    """The options of `set_printoptions`."""

    precision: int = 4  # digits after the point
    threshold: float = 1000  # more numbers than this are summarised
    edgeitems: int = 3  # ... by so many at each end
    linewidth: int = 80
    sci_mode: bool | None = None  # None: as the numbers need


_PROFILES = {
    "default": Options(),
    "short": Options(precision=2, edgeitems=2),
    "full": Options(threshold=math.inf),
}
_options = Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """How tensors print from now on."""
    global _options
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    _options = replace(_options if profile is None else _PROFILES[profile], **changes, sci_mode=sci_mode)


@contextlib.contextmanager
def printoptions(**changes: Any) -> Iterator[None]:
    """How tensors print inside a `with`."""
    global _options
    before = _options
    set_printoptions(**changes)
    try:
        yield
    finally:
        _options = before


# ---- the names of types


_TYPES = {
    "float32": "torch.FloatTensor",
    "float64": "torch.DoubleTensor",
    "float16": "torch.HalfTensor",
    "bfloat16": "torch.BFloat16Tensor",
    "complex64": "torch.ComplexFloatTensor",
    "complex128": "torch.ComplexDoubleTensor",
    "int64": "torch.LongTensor",
    "int32": "torch.IntTensor",
    "int16": "torch.ShortTensor",
    "int8": "torch.CharTensor",
    "uint8": "torch.ByteTensor",
    "bool": "torch.BoolTensor",
}


def type_name(array: Array) -> str:
    """PyTorch's old name for a tensor of this type, such as torch.FloatTensor."""
    return _TYPES[array.dtype.name]


def kind_of_type_name(name: str) -> str:
    """The NumPy type behind such a name."""
    for kind, known in _TYPES.items():
        if name == known:
            return kind
    raise ValueError(f"invalid type: '{name}'")


# ---- the printed form


def represent(x: Tensor) -> str:
    """tensor([1., 2.], requires_grad=True)"""
    kind = type(x).__name__
    start = "tensor(" if kind in ("Tensor", "Parameter", "Buffer") else f"{kind}("
    array = x._array
    usual = array.dtype in (of_number(1.0), of_number(1j), np.dtype(np.int64), np.dtype(np.bool_))
    suffixes = []
    if not array.size:
        body = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={tuple(array.shape)}")
        if array.dtype != dtypes.get_default_dtype().numpy:
            suffixes.append(f"dtype={x.dtype}")
    else:
        body = _numbers(array, len(start))
        if not usual:
            suffixes.append(f"dtype={x.dtype}")
    node = x.grad_fn
    if node is not None:
        suffixes.append(f"grad_fn=<{node.name().rpartition('::')[2]}>")
    elif x.requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(start + body, suffixes, len(start))


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    used = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if used + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            used = indent + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text + ")"


def _numbers(array: Array, indent: int) -> str:
    summarised = array.size > _options.threshold
    shown = _ends(array) if summarised else array
    return _box(array, indent, summarised, _ComplexFormat(shown) if array.dtype.kind == "c" else _Format(shown))


def _ends(array: Array) -> Array:
    """The numbers that a summary shows."""
    n = _options.edgeitems
    for axis, size in enumerate(array.shape):
        if size > 2 * n:
            array = np.take(array, [*range(n), *range(size - n, size)], axis=axis)
    return array


class _Format:
    """One width and one notation for all numbers of a tensor."""

    def __init__(self, array: Array) -> None:
        self.floating = array.dtype.kind in dtypes.REAL
        self.whole, self.scientific, self.width = True, False, 1
        if not self.floating:
            self.width = max(len(str(x)) for x in array.reshape(-1).tolist())
            return
        shown = array[np.isfinite(array) & (array != 0)].astype(np.float64)
        if not shown.size:
            return
        size = np.abs(shown)
        least, most = float(size.min()), float(size.max())
        self.whole = bool((shown == np.ceil(shown)).all())
        wide = most / least > 1000.0 or most > 1.0e8 or least < 1.0e-4
        self.scientific = wide if _options.sci_mode is None else _options.sci_mode
        self.width = max(len(self._text(x)) for x in shown.tolist())

    def _text(self, x: Any) -> str:
        if not self.floating:
            return str(x)
        if self.scientific:
            return f"{x:.{_options.precision}e}"
        if self.whole:
            return f"{x:.0f}" + ("." if math.isfinite(x) else "")
        return f"{x:.{_options.precision}f}"

    def __call__(self, x: Any) -> str:
        return self._text(x).rjust(self.width)


class _ComplexFormat:
    """A format for all real parts, and one for all imaginary ones."""

    def __init__(self, array: Array) -> None:
        self.real, self.imag = _Format(array.real), _Format(array.imag)
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, x: complex) -> str:
        imag = self.imag(x.imag).lstrip()
        return self.real(x.real) + ("" if imag[0] in "+-" else "+") + imag + "j"


def _box(array: Array, indent: int, summarised: bool, shown: _Format | _ComplexFormat) -> str:
    if not array.ndim:
        return shown(array.item())
    if array.ndim == 1:
        return _row(array, indent, summarised, shown)
    n, size = _options.edgeitems, len(array)
    cut = summarised and size > 2 * n
    places = [*range(n), *range(size - n, size)] if cut else list(range(size))
    parts = [_box(array[i], indent + 1, summarised, shown) for i in places]
    if cut:
        parts.insert(n, "...")
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _row(array: Array, indent: int, summarised: bool, shown: _Format | _ComplexFormat) -> str:
    n = _options.edgeitems
    if summarised and len(array) > 2 * n:
        texts = [*map(shown, array[:n].tolist()), " ...", *map(shown, array[-n:].tolist())]
    else:
        texts = [*map(shown, array.tolist())]
    each_line = max(1, (_options.linewidth - indent) // (shown.width + 2))
    lines = [", ".join(texts[i : i + each_line]) for i in range(0, len(texts), each_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
