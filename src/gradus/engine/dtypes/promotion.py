"""Type promotion: the dtype of an operation on mixed operands, by PyTorch's rules.

Categories are ordered bool < integer < floating < complex. Tensors with dimensions decide; a 0-d tensor counts only
if its category is higher than theirs, and a Python number only if its category is higher than all tensors'.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.dtypes.names import scalar_name

RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}  # by NumPy's `dtype.kind`; V is bfloat16
NumpyDtype = np.dtype[Any]


def promote(a: NumpyDtype, b: NumpyDtype) -> NumpyDtype:
    """The dtype of two tensors with dimensions: the higher category, or within one the wider dtype.

    Raises:
        RuntimeError: for uint16, uint32 or uint64 with another dtype, unless that is a float's.
    """
    if a is b:
        return a
    if "u" in (a.kind, b.kind) and a != b:
        _refuse_wide_unsigned(a, b)
    if RANK[a.kind] != RANK[b.kind]:
        higher, lower = (a, b) if RANK[a.kind] > RANK[b.kind] else (b, a)
        return complex_of(lower, higher) if higher.kind == "c" else higher
    if a.kind != b.kind and "V" in (a.kind, b.kind):
        return np.promote_types(a if a.kind == "f" else b, np.float32)  # bfloat16 with float16 gives float32
    return np.promote_types(a, b)


def _refuse_wide_unsigned(a: NumpyDtype, b: NumpyDtype) -> None:
    """Raise a RuntimeError if one of two different dtypes is uint16, uint32 or uint64, and none a float's."""
    if any(x.kind == "u" and x.itemsize > 1 for x in (a, b)) and not any(x.kind in dtypes.REAL for x in (a, b)):
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{scalar_name(a)} and {scalar_name(b)}: convert one of them"
        )


def complex_of(dtype: NumpyDtype, least: NumpyDtype) -> NumpyDtype:
    """The complex dtype for another dtype: with the precision of a float, at least `least`."""
    return np.promote_types(dtype, least) if dtype.kind == "f" else least


def of_number(x: Any) -> NumpyDtype:
    """The dtype of a Python number, if its category is the highest."""
    if isinstance(x, bool):
        return np.dtype(np.bool_)
    if isinstance(x, int):
        return np.dtype(np.int64)
    default = dtypes.get_default_dtype().numpy
    return complex_of(default, np.dtype(np.complex64)) if isinstance(x, complex) else default


def result_type(*operands: Any) -> NumpyDtype:
    """The common dtype of arrays and Python numbers."""
    result: NumpyDtype | None = None
    tiers: tuple[list[NumpyDtype], list[NumpyDtype], list[NumpyDtype]] = ([], [], [])  # with dimensions, 0-d, numbers
    for x in operands:
        if isinstance(x, np.ndarray):
            tiers[0 if x.ndim else 1].append(x.dtype)
        else:
            tiers[2].append(of_number(x))
    for tier in tiers:
        if not tier:
            continue
        dtype = tier[0]
        for other in tier[1:]:
            dtype = promote(dtype, other)
        if result is None:
            result = dtype
        elif dtype.kind == "c" and result.kind in dtypes.REAL:
            result = complex_of(result, np.dtype(np.complex64))  # the number's own precision does not count
        elif RANK[dtype.kind] > RANK[result.kind]:
            result = dtype
    assert result is not None
    return result
