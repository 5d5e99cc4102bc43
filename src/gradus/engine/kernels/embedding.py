"""The gradient of an embedding: add rows to a table at given indices; duplicate indices accumulate."""

from __future__ import annotations

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array


def add_rows(table: Array, index: Array, rows: Array) -> None:
    """table[index[i]] += rows[i] for every i; table (V, ...), index any shape, rows index.shape + table.shape[1:]."""
    if kernels.accepts(rows, table):
        flat = table if table.ndim == 2 else table.reshape(len(table), -1)
        kernels.compiled().add_rows(flat, index.reshape(-1), rows.reshape(-1, flat.shape[1]))
    else:
        np.add.at(table, index, rows)
