"""Type promotion: what number type an operation on mixed operands computes in, as PyTorch decides it.

Categories are ordered bool < integer < floating. Tensors with dimensions decide; a 0-d tensor counts only when its
category is higher than theirs, and a Python number only when its category is higher than all tensors'.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine import dtypes

_RANK = {"b": 0, "u": 1, "i": 1, "f": 2}
Kind = np.dtype[Any]


def promote(a: Kind, b: Kind) -> Kind:
    """The type of equals: the higher category, or within one category the wider type."""
    if _RANK[a.kind] != _RANK[b.kind]:
        return a if _RANK[a.kind] > _RANK[b.kind] else b
    return np.promote_types(a, b)


def of_number(x: Any) -> Kind:
    """The type a Python number brings when its category wins."""
    if isinstance(x, bool):
        return np.dtype(np.bool_)
    return np.dtype(np.int64) if isinstance(x, int) else dtypes.get_default_dtype().numpy


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
        if result is None or _RANK[kind.kind] > _RANK[result.kind]:
            result = kind
    assert result is not None
    return result
