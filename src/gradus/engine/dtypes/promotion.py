"""Type promotion: what number type an operation on mixed operands computes in, as PyTorch decides it.

Categories are ordered bool < integer < floating < complex. Tensors with dimensions decide; a 0-d tensor counts only
when its category is higher than theirs, and a Python number only when its category is higher than all tensors'.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine import dtypes

RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}  # of NumPy's kinds; V is bfloat16
Kind = np.dtype[Any]


def promote(a: Kind, b: Kind) -> Kind:
    """The type of equals: the higher category, or within one category the wider type."""
    if RANK[a.kind] != RANK[b.kind]:
        higher, lower = (a, b) if RANK[a.kind] > RANK[b.kind] else (b, a)
        return complex_of(lower, higher) if higher.kind == "c" else higher
    if a.kind != b.kind and "V" in (a.kind, b.kind):
        return np.promote_types(a if a.kind == "f" else b, np.float32)  # bfloat16 and float16 meet in float32
    return np.promote_types(a, b)


def complex_of(kind: Kind, least: Kind) -> Kind:
    """The complex type that holds a type's numbers, where floats decide on the precision."""
    return np.promote_types(kind, least) if kind.kind == "f" else least


def of_number(x: Any) -> Kind:
    """The type a Python number brings when its category wins."""
    if isinstance(x, bool):
        return np.dtype(np.bool_)
    if isinstance(x, int):
        return np.dtype(np.int64)
    kind = dtypes.get_default_dtype().numpy
    return complex_of(kind, np.dtype(np.complex64)) if isinstance(x, complex) else kind


def result_type(*operands: Any) -> Kind:
    """The type that arrays and Python numbers meet in."""
    result: Kind | None = None
    tiers: tuple[list[Kind], list[Kind], list[Kind]] = ([], [], [])  # with dimensions, 0-d, numbers
    for x in operands:
        if isinstance(x, np.ndarray):
            tiers[0 if x.ndim else 1].append(x.dtype)
        else:
            tiers[2].append(of_number(x))
    for tier in tiers:
        if not tier:
            continue
        kind = tier[0]
        for other in tier[1:]:
            kind = promote(kind, other)
        if result is None:
            result = kind
        elif kind.kind == "c" and result.kind in dtypes.REAL:
            result = complex_of(result, np.dtype(np.complex64))  # the number's own precision does not count
        elif RANK[kind.kind] > RANK[result.kind]:
            result = kind
    assert result is not None
    return result
