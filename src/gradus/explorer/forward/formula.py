"""A number explained: the formula that gave it with its numbers put in, and the terms of its sum, the largest first.
Plain parts, which a page or a notebook lays out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

MOST_TERMS = 12

Line = list[dict[str, Any] | str]  # parts, and the signs between them


def part(symbol: str, value: float, name: str = "") -> dict[str, Any]:
    """A symbol of a formula, the number it stands for, and what that is in words."""
    return {"symbol": symbol, "value": float(value), "name": name}


def explained(
    title: str,
    says: str,
    *formulas: Sequence[dict[str, Any] | str],
    terms: dict[str, Any] | None = None,
    note: str = "",
) -> dict[str, Any]:
    """What is shown of a number.

    Args:
        title: what number it is.
        says: one sentence on what it means here.
        formulas: lines, each of parts and of the signs between them; the first part of the first line is the number.
        terms: of `sum_of`.
        note: one sentence more.

    Returns:
        title, says, note, lines (of parts and {"sign"}), terms or None, result: the number.
    """
    lines = [[{"sign": one} if isinstance(one, str) else one for one in line] for line in formulas]
    return {
        "title": title,
        "says": says,
        "note": note,
        "lines": lines,
        "terms": terms,
        "result": lines[0][0]["value"],
    }


def sum_of(
    caption: str, labels: Sequence[str], columns: dict[str, ArrayLike], *, total: str, most: int = MOST_TERMS
) -> dict[str, Any]:
    """The terms of a sum, the largest first, whatever their sign.

    Args:
        labels: of the terms.
        columns: what each is made of, by name; the last column is what is summed.
        total: the symbol of the sum.
        most: how many are told.

    Returns:
        caption, columns (names), rows (label and numbers), total and its value, and of the terms that are not told
        their number and their sum.
    """
    arrays = [np.asarray(column, dtype=np.float64) for column in columns.values()]
    summed = arrays[-1]
    order = np.argsort(-np.abs(summed), kind="stable")[:most]
    return {
        "caption": caption,
        "columns": list(columns),
        "rows": [{"label": labels[i], "values": [float(column[i]) for column in arrays]} for i in order],
        "total": total,
        "value": float(summed.sum()),
        "others": len(summed) - len(order),
        "others_sum": float(summed.sum() - summed[order].sum()),
    }
