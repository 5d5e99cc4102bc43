"""Large matrix products, their rows shared among our own threads.

NumPy's library of products has a pool of its own, whose threads wait by spinning: on an idle machine that costs
nothing, but beside another busy program, or beside our pool, a step becomes ten times slower. So that library gets one
thread, and a large product is cut into as many parts as there are threads here.
"""

from __future__ import annotations

import functools

import numpy as np
from threadpoolctl import ThreadpoolController

from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads

SHARE = 4_000_000  # multiplications a thread should have to do, to be worth waking


@functools.cache
def take_over() -> None:
    """From now on NumPy's products use one thread each."""
    ThreadpoolController().select(user_api="blas").limit(limits=1)


def product(a: Array, b: Array) -> Array:
    """a @ b for matrices (N, K) @ (K, M)."""
    work = a.shape[0] * a.shape[1] * b.shape[1]
    if work < 2 * SHARE:
        return np.asarray(a @ b)
    take_over()
    out = np.empty((a.shape[0], b.shape[1]), np.result_type(a, b))
    threads.split(len(a), lambda i, j: np.matmul(a[i:j], b, out=out[i:j]), SHARE * len(a) // work + 1)
    return out
