"""One token through the blocks of a GPT, as a step of generation takes it: a compiled function, so that no time passes
between the products, which read every weight once and are bound by memory bandwidth.

All arrays are given by their addresses, those of a layer as a row of a table. Matrices are float32 or float16, which
halves what has to be read; sums are float32 either way.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import floats, halves, job, widened
from gradus.engine.kernels.few_rows import DEEP, NUMBERS, ROWS, _add_eight, _add_one, _by_rows
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.loops.elementary import ONE, ZERO, exp32, inverse_root
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.vectors import prefer_wide_vectors, prefetch

AHEAD = 8192  # bytes that are prefetched: by itself the processor reads the short rows of float16 at 7, not 11 GB/s
SHARED = 1 << 17  # elements of a matrix from which threads share a product

# The columns of a layer's row; a bias that there is not is 0.
NORM, NORM_BIAS, ATTENTION, ATTENTION_BIAS, PROJECTION, PROJECTION_BIAS = range(6)
NORM_2, NORM_2_BIAS, HIDDEN, HIDDEN_BIAS, OUTPUT, OUTPUT_BIAS, KEYS, VALUES = range(6, 14)
WIDTH = 14  # of the table; the last row is the final norm's, in the first two columns, and the head in ATTENTION

_GELU_A = np.float32(2 * math.sqrt(2 / math.pi))
_GELU_B = np.float32(0.044715)


@inner()
def _four_halves(x: int, w: int, n: int) -> Any:
    """The products of x with four consecutive rows of float16."""
    prefer_wide_vectors()
    f, a, b, c, d = floats(x, n), halves(w, n), halves(w + 2 * n, n), halves(w + 4 * n, n), halves(w + 6 * n, n)
    p = q = r = s = np.float32(0)
    for k in range(n):
        p += f[k] * widened(a[k])
        q += f[k] * widened(b[k])
        r += f[k] * widened(c[k])
        s += f[k] * widened(d[k])
    return p, q, r, s


@inner()
def _by_halves(x: int, depth: int, w: int, bias: int, y: int, start: int, stop: int) -> None:
    """Elements start..stop of y = W x + bias, W (M, K) of float16; the last four may overlap those before."""
    for left in range(start, stop, ROWS):
        j = max(min(left, stop - ROWS), 0)
        for line in range(0, 2 * ROWS * depth, 64):
            prefetch(w + 2 * j * depth + AHEAD + line)
        four, to, b = _four_halves(x, w + 2 * j * depth, depth), floats(y + 4 * j, ROWS), floats(bias + 4 * j, ROWS)
        for c in range(ROWS):
            to[c] = four[c] + (b[c] if bias != 0 else ZERO)


@inner()
def _product(pool: Array, half: bool, x: int, depth: int, w: int, bias: int, y: int, m: int) -> None:
    """y = W x + bias, W (m, depth)."""
    part = max(1, NUMBERS // depth // ROWS) * ROWS if m * depth >= SHARED else m
    if half:
        parallel_for(pool, job(_by_halves, (x, depth, w, bias, y)), m, part)
    else:
        parallel_for(pool, job(_by_rows, (x, 1, depth, w, bias, y, m)), m, part)


@inner()
def _norm(x: int, weight: int, bias: int, y: int, n: int, eps: float) -> None:
    """y = layer norm of x."""
    prefer_wide_vectors()
    f, w, to, b = floats(x, n), floats(weight, n), floats(y, n), floats(bias, n)
    total = ZERO
    for j in range(n):
        total += f[j]
    mean, squares = total / np.float32(n), ZERO
    for j in range(n):
        d = f[j] - mean
        squares += d * d
    r = inverse_root(squares / np.float32(n) + np.float32(eps))
    for j in range(n):
        to[j] = (f[j] - mean) * r * w[j] + (b[j] if bias != 0 else ZERO)


@inner()
def _gelu(x: int, n: int) -> None:
    """x = gelu(x), with tanh's approximation."""
    prefer_wide_vectors()
    f = floats(x, n)
    for j in range(n):
        v = f[j]
        u = v + _GELU_B * v * v * v
        f[j] = v / (ONE + exp32(-_GELU_A * u)) if v >= np.float32(-6) else v * ZERO


@inner()
def _add(x: int, y: int, n: int) -> None:
    """x += y"""
    to, f = floats(x, n), floats(y, n)
    for j in range(n):
        to[j] += f[j]


@inner()
def _softmax(scores: int, n: int, scale: float) -> None:
    prefer_wide_vectors()
    s = floats(scores, n)
    top = s[0]
    for t in range(n):
        top = max(top, s[t])
    total = ZERO
    for t in range(n):
        e = exp32((s[t] - top) * np.float32(scale))
        s[t] = e
        total += e
    for t in range(n):
        s[t] /= total


@inner()
def _heads(qkv: int, keys: int, values: int, hs: int, size: int, n: int, scores: int, y: int, h0: int, h1: int) -> None:
    """y = attention of one query to n keys, in heads h0..h1; scores has room for `size` numbers of each head."""
    for h in range(h0, h1):
        mine, k, v = scores + 4 * h * size, keys + 4 * h * size * hs, values + 4 * h * size * hs
        _by_rows(qkv + 4 * h * hs, 1, hs, k, 0, mine, size, 0, max(n, ROWS))
        _softmax(mine, n, 1 / math.sqrt(hs))
        to = floats(y + 4 * h * hs, hs)
        for j in range(hs):
            to[j] = ZERO
        whole = n // DEEP * DEEP
        for t in range(0, whole, DEEP):
            _add_eight(y + 4 * h * hs, mine + 4 * t, v + 4 * t * hs, hs, hs)
        for t in range(whole, n):
            _add_one(y + 4 * h * hs, mine + 4 * t, v + 4 * t * hs, hs)


@inner()
def _keep(qkv: int, keys: int, values: int, heads: int, hs: int, size: int, place: int) -> None:
    """Write the new key and value, which follow the query, to their place in the cache."""
    width = heads * hs
    for h in range(heads):
        at = 4 * (h * size + place) * hs
        k, v = floats(keys + at, hs), floats(values + at, hs)
        new_k, new_v = floats(qkv + 4 * (width + h * hs), hs), floats(qkv + 4 * (2 * width + h * hs), hs)
        for j in range(hs):
            k[j], v[j] = new_k[j], new_v[j]


@loop()
def step(
    pool: Array, table: Array, half: bool, x: Array, heads: int, size: int, place: int, eps: float, logits: Array
) -> None:
    """The logits (V,) after the token whose embedding is x (C,), which is changed.

    Args:
        table: (n_layer + 1, WIDTH) addresses.
        half: whether matrices are float16.
        size: of the cache, at least ROWS.
        place: how many tokens were read before; less than size.
    """
    C = len(x)
    hs = C // heads
    room = np.empty(8 * C + heads * size, np.float32)
    at, y = x.ctypes.data, room.ctypes.data
    wide, scores = y + 4 * C, y + 4 * 8 * C  # what c_attn or c_fc give, and the scores of all heads
    for layer in range(len(table) - 1):
        row = table[layer]
        _norm(at, row[NORM], row[NORM_BIAS], y, C, eps)
        _product(pool, half, y, C, row[ATTENTION], row[ATTENTION_BIAS], wide, 3 * C)
        _keep(wide, row[KEYS], row[VALUES], heads, hs, size, place)
        arguments = (wide, row[KEYS], row[VALUES], hs, size, place + 1, scores, y)
        parallel_for(pool, job(_heads, arguments), heads, 1 if place * C >= SHARED else heads)
        _product(pool, half, y, C, row[PROJECTION], row[PROJECTION_BIAS], wide, C)
        _add(at, wide, C)
        _norm(at, row[NORM_2], row[NORM_2_BIAS], y, C, eps)
        _product(pool, half, y, C, row[HIDDEN], row[HIDDEN_BIAS], wide, 4 * C)
        _gelu(wide, 4 * C)
        _product(pool, half, wide, 4 * C, row[OUTPUT], row[OUTPUT_BIAS], y, C)
        _add(at, y, C)
    row = table[len(table) - 1]
    _norm(at, row[NORM], row[NORM_BIAS], y, C, eps)
    _product(pool, half, y, C, row[ATTENTION], 0, logits.ctypes.data, len(logits))
    room[0] = ZERO  # used until here: Numba frees an array after the last statement that names it
