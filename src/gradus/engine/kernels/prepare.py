"""Compile the loops of a GPT's training step, in reverse order.

A process that finds none in the cache starts this one (`cache.py`): each loads from the cache what the other has
compiled.
"""

from __future__ import annotations

import numpy as np

from gradus.engine.kernels import (
    activations,
    addition,
    attention,
    cross_entropy,
    embedding,
    normalization,
    optimizer,
    products,
    threads,
)


def prepare() -> None:
    """Call every loop once."""
    threads.set_num_threads(1)
    x, row, column = np.ones((128, 64), np.float32), np.ones(64, np.float32), np.ones(128, np.float32)
    table, index = x.copy(), np.zeros(128, np.int64)
    q = np.ones((2, 32, 2, 16), np.float32).swapaxes(1, 2)
    logsumexp = np.ones((2, 2, 32), np.float32)
    optimizer.adamw([(table,) * 4], [(1.0,) * 6])
    optimizer.sum_of_squares([x])
    embedding.add_rows(table, index, x)
    normalization.layer_norm_backward(x, x, row, column, column)
    attention.backward(q, q, q, q, logsumexp, True, 1.0)
    activations.gelu_tanh_backward(x, x)
    products.column_sums(x)
    large = np.ones(addition.LEAST, np.float32)
    addition.add(large, large)
    cross_entropy.backward(x, index, column, row[:1], -1)
    cross_entropy.forward(x, index, -1)
    activations.gelu_tanh(x)
    attention.forward(q, q, q, True, 1.0)


if __name__ == "__main__":
    prepare()
