"""The matrices of an operation as the page is sent them: a window of a large one, and tokens as the names of rows and
columns where they are tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.explorer.backward.walk import Arrival, Walked, norm
from gradus.explorer.opened import Opened
from gradus.explorer.wire import quantised
from gradus.models import Transformer

ROWS, COLUMNS = 48, 96  # of a matrix that are sent


class Names:
    """What the rows and columns of a matrix are called: tokens, where they are tokens."""

    def __init__(self, opened: Opened, step: Walked, operation: int) -> None:
        self.opened, self.batch, self.operation = opened, step.batch, operation
        self.vocabulary = step.model.config.vocab_size
        self.two_texts = isinstance(step.model, Transformer)  # an activation may be of either
        products = [i for i, op in enumerate(step.operations) if type(op.node).__name__ in ("Linear", "MatMul")]
        self.before_head = operation <= products[0] if products else True  # what is left of it has a column a token
        self.name = type(step.operations[operation].node).__name__
        self.head = bool(products) and operation == products[0]

    def window(
        self, key: str, title: str, array: npt.NDArray[Any], row: int | None, column: int | None, arrival: Arrival
    ) -> dict[str, Any]:
        rows, columns = array.shape
        first_row, first_column = _first(row, rows, ROWS), _first(column, columns, COLUMNS)
        part = array[first_row : first_row + ROWS, first_column : first_column + COLUMNS]
        return {
            "title": title,
            "rows": rows,
            "columns": columns,
            "first_row": first_row,
            "first_column": first_column,
            "values": quantised(part, 16),
            "norm": norm(array),
            "row": row,
            "column": column,
            "row_names": self._rows(key, rows, arrival, range(first_row, first_row + part.shape[0])),
            "column_names": self._columns(key, columns, arrival, range(first_column, first_column + part.shape[1])),
        }

    def _rows(self, key: str, rows: int, arrival: Arrival, shown: range) -> list[str]:
        if key == "w" or (key == "result" and arrival.parameter):
            of_tokens = (self.name == "Embedding" and not re.search("wpe|position|segment", arrival.parameter)) or (
                self.head and self.name == "Linear"
            )
            return self._pieces(shown) if of_tokens and rows in (self.vocabulary, self.vocabulary + 1) else []
        x = self.batch.x
        if self.name == "Attention" and rows % x.shape[1] == 0 and len(x) == 1 and not self.two_texts:
            return self._pieces(np.resize(x[0], rows)[shown.start : shown.stop].tolist())  # head by head
        if self.name == "Attention" or key in ("a", "b") or rows != x.size or self.two_texts:
            return []
        return self._pieces(x.reshape(-1)[shown.start : shown.stop].tolist())

    def _columns(self, key: str, columns: int, arrival: Arrival, shown: range) -> list[str]:
        if columns != self.vocabulary or not self.before_head:
            return []
        if self.head and (key in ("w", "x") or (key == "result" and arrival.position < 2)):
            return []  # a column for each unit of what the head reads
        return self._pieces(shown)

    def _pieces(self, ids: Iterable[int]) -> list[str]:
        size = self.opened.tokenizer.vocab_size
        return ["" if i < 0 else self.opened.piece(i) if i < size else "[mask]" for i in ids]


def _first(at: int | None, size: int, most: int) -> int:
    """Where a window of at most so many begins that has a place in its middle."""
    return 0 if at is None else max(0, min(at - most // 2, size - most))
