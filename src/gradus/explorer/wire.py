"""What a view returns, as JSON. An array travels as the base64 of its bytes with its shape and type, or, where the page
only colours it, in 8 or 16 bits; web/lib/wire.js reads it back as a typed array."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

# The types that JavaScript has arrays of. Half precision becomes f4; wider integers i4 where they fit, else f8.
DTYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u1": "|u1", "u2": "<u2"}


@dataclass(frozen=True)
class Quantised:
    """An array to be sent in 8 or 16 bits: its values are rounded to 255 or 65,535 steps from lowest to highest."""

    array: npt.NDArray[Any]
    bits: Literal[8, 16]


def quantised(array: npt.ArrayLike, bits: Literal[8, 16] = 8) -> Quantised:
    """Mark an array for sending in 8 bits, off by at most 1/510 of its range, or in 16 bits, 1/131,070 of it. One with
    NaN or infinity is sent whole."""
    return Quantised(np.asarray(array), bits)


def to_wire(value: Any) -> Any:
    """A view's result as what `json.dumps` takes: dicts, lists, text, numbers and arrays.

    An array becomes {"shape", "dtype", "data"}, with "low" and "high" where it is quantised. A float that JSON lacks
    becomes {"number": "NaN"}, "Infinity" or "-Infinity".

    >>> to_wire({"loss": float("nan"), "ids": np.array([1, 2])})
    {'loss': {'number': 'NaN'}, 'ids': {'shape': [2], 'dtype': 'i4', 'data': 'AQAAAAIAAAA='}}

    Raises:
        TypeError: for a value that is none of these.
    """
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"number": _spelled(value)}
    if isinstance(value, np.generic):
        return to_wire(value.item())
    if isinstance(value, Mapping):
        return {str(name): to_wire(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_wire(part) for part in value]
    if isinstance(value, np.ndarray):
        dtype = _dtype(value)
        return {"shape": list(value.shape), "dtype": dtype, "data": _bytes(value, dtype)}
    if isinstance(value, Quantised):
        return _quantised(value)
    raise TypeError(f"a view returns numbers, text, lists, dicts and NumPy arrays, not {type(value).__name__}")


def _quantised(value: Quantised) -> dict[str, Any]:
    array = value.array.astype(np.float64)
    if not array.size or not np.isfinite(array).all():
        return to_wire(value.array.astype(np.float32))
    low, high, steps = float(array.min()), float(array.max()), 2**value.bits - 1
    scaled = np.rint((array - low) * (steps / (high - low) if high > low else 0.0))
    dtype = "u1" if value.bits == 8 else "u2"
    return {"shape": list(array.shape), "dtype": dtype, "data": _bytes(scaled, dtype), "low": low, "high": high}


def _dtype(array: npt.NDArray[Any]) -> str:
    if array.dtype == bool or array.dtype == np.uint8:
        return "u1"
    if array.dtype == np.uint16:
        return "u2"
    if np.issubdtype(array.dtype, np.integer):
        fits = not array.size or (array.min() >= -(2**31) and array.max() < 2**31)
        return "i4" if fits else "f8"
    if np.issubdtype(array.dtype, np.floating):
        return "f8" if array.dtype == np.float64 else "f4"
    raise TypeError(f"an array of {array.dtype} cannot be sent")


def _bytes(array: npt.NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, DTYPES[dtype]).tobytes()).decode("ascii")


def _spelled(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
