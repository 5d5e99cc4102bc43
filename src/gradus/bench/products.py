"""The matrix products of a GPT's training step and nothing else: the floor under any step that computes them.

Forward, every linear layer is x W; backward, it is one product for the gradient of x and one for that of W. Attention
has two products forward and four backward for each head, computed for the whole square: a causal mask would need only
half of each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradus.bench.work import SEED, Array, Work

_Product = Callable[[], object]


def small() -> Work:
    """Those of `transformers.small`."""
    return of_step(vocabulary=65, block=64, batch=12, layers=4, heads=4, width=128)


def of_step(*, vocabulary: int, block: int, batch: int, layers: int, heads: int, width: int) -> Work:
    """The products of one step, each into an allocated array."""
    random = np.random.default_rng(SEED)

    def matrix(*shape: int) -> Array:
        return random.normal(size=shape).astype(np.float32)

    rows = batch * block
    products: list[_Product] = []
    for wide_in, wide_out in [
        *[(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)] * layers,
        (width, vocabulary),
    ]:
        x, w, dy = matrix(rows, wide_in), matrix(wide_in, wide_out), matrix(rows, wide_out)
        products += [_product(x, w), _product(dy, w.T), _product(x.T, dy)]
    for _ in range(layers):
        q, k, v, dy = (matrix(batch, heads, block, width // heads) for _ in range(4))
        p, dp = matrix(batch, heads, block, block), matrix(batch, heads, block, block)
        products += [_product(q, k.swapaxes(2, 3)), _product(p, v)]
        products += [_product(dy, v.swapaxes(2, 3)), _product(p.swapaxes(2, 3), dy)]
        products += [_product(dp, k), _product(dp.swapaxes(2, 3), q)]

    def step() -> int:
        for product in products:
            product()
        return len(products)

    return Work({"": step})


def _product(a: Array, b: Array) -> _Product:
    out = np.empty((*a.shape[:-1], b.shape[-1]), np.float32)
    return lambda: np.matmul(a, b, out=out)
