"""A product of a few rows, y (N, M) = x (N, K) @ W + bias, as in generation: W is read once, in place.

Packing W for tiles (`tiles.py`) would take longer than the product, which is bound by memory bandwidth. The inner
functions take addresses, because a slice of an array costs as much as some dozens of multiplications.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import floats, job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.micro_kernel import strip
from gradus.engine.kernels.panels import LINE
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.target import LANES, STRIP_ROWS, STRIP_VECTORS
from gradus.engine.kernels.vectors import prefer_wide_vectors

MOST = STRIP_ROWS  # rows; more are for tiles
LOW = 3  # rows, at least, that are multiplied in strips
PIECE = 256  # products summed one after another; more would lose digits
STRIP = STRIP_VECTORS * LANES  # columns of a strip
ROWS = 4  # of W transposed, read together
DEEP = 8  # rows of W, read together for fewer rows of x
NUMBERS = 1 << 16  # elements of W in a part
CHUNK = 1024  # columns of y in a part: one row of it stays in the first-level cache


@inner()
def _four(x: int, w: int, n: int) -> Any:
    """One row's products with four consecutive rows of W transposed."""
    prefer_wide_vectors()
    f, a, b, c, d = floats(x, n), floats(w, n), floats(w + 4 * n, n), floats(w + 8 * n, n), floats(w + 12 * n, n)
    p = q = r = s = np.float32(0)
    for k in range(n):
        p += f[k] * a[k]
        q += f[k] * b[k]
        r += f[k] * c[k]
        s += f[k] * d[k]
    return p, q, r, s


@inner()
def _eight(x: int, w: int, n: int) -> Any:
    """Two rows' products with four consecutive rows of W transposed."""
    prefer_wide_vectors()
    f, g = floats(x, n), floats(x + 4 * n, n)
    a, b, c, d = floats(w, n), floats(w + 4 * n, n), floats(w + 8 * n, n), floats(w + 12 * n, n)
    p = q = r = s = t = u = v = z = np.float32(0)
    for k in range(n):
        p += f[k] * a[k]
        q += f[k] * b[k]
        r += f[k] * c[k]
        s += f[k] * d[k]
        t += g[k] * a[k]
        u += g[k] * b[k]
        v += g[k] * c[k]
        z += g[k] * d[k]
    return (p, q, r, s), (t, u, v, z)


@inner()
def _by_rows(x: int, n: int, depth: int, w: int, bias: int, y: int, m: int, start: int, stop: int) -> None:
    """Columns start..stop of y, four at a time; the last four may overlap the ones before, or another part's."""
    for left in range(start, stop, ROWS):
        j = max(min(left, stop - ROWS), 0)
        b = floats(bias + 4 * j, ROWS)
        for i in range(0, n - 1, 2):
            first, second = _eight(x + 4 * i * depth, w + 4 * j * depth, depth)
            y0, y1 = floats(y + 4 * (i * m + j), ROWS), floats(y + 4 * ((i + 1) * m + j), ROWS)
            for c in range(ROWS):
                term = b[c] if bias != 0 else np.float32(0)
                y0[c], y1[c] = first[c] + term, second[c] + term
        if n % 2:
            last, y0 = _four(x + 4 * (n - 1) * depth, w + 4 * j * depth, depth), floats(y + 4 * ((n - 1) * m + j), ROWS)
            for c in range(ROWS):
                y0[c] = last[c] + (b[c] if bias != 0 else np.float32(0))


@loop()
def by_rows(pool: Array, x: Array, w: Array, bias: Array, y: Array) -> None:
    """y = x @ W + bias, W given transposed, as (M, K), M at least ROWS."""
    m, depth = w.shape
    bias_at = np.int64(bias.ctypes.data) if len(bias) else np.int64(0)
    arguments = (x.ctypes.data, len(x), depth, w.ctypes.data, bias_at, y.ctypes.data, m)
    parallel_for(pool, job(_by_rows, arguments), m, max(1, NUMBERS // depth // ROWS) * ROWS)


@inner()
def _add_one(y: int, x: int, w: int, n: int) -> None:
    """y += x (1,) @ the first n columns of one row of W"""
    prefer_wide_vectors()
    to, factor, row = floats(y, n), floats(x, 1)[0], floats(w, n)
    for j in range(n):
        to[j] += factor * row[j]


@inner()
def _add_eight(y: int, x: int, w: int, m: int, n: int) -> None:
    """y += x (8,) @ the first n columns of eight rows of W"""
    prefer_wide_vectors()
    to, f = floats(y, n), floats(x, DEEP)
    p, q, r, s, t, u, v, z = f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7]
    a, b, c, d = floats(w, n), floats(w + 4 * m, n), floats(w + 8 * m, n), floats(w + 12 * m, n)
    w += 16 * m
    e, g, h, i = floats(w, n), floats(w + 4 * m, n), floats(w + 8 * m, n), floats(w + 12 * m, n)
    for j in range(n):
        to[j] += p * a[j] + q * b[j] + r * c[j] + s * d[j] + t * e[j] + u * g[j] + v * h[j] + z * i[j]


@inner()
def _copy_padded(to: int, source: int, columns: int) -> None:
    """Copy so many elements, and pad them with 0 to the width of a strip."""
    line, row = floats(to, STRIP), floats(source, columns)
    for c in range(STRIP):
        line[c] = row[c] if c < columns else np.float32(0)


@inner()
def _in_strips(x: int, n: int, depth: int, w: int, bias: int, y: int, m: int, start: int, stop: int) -> None:
    """Columns start..stop of y, a strip at a time; x is padded to the rows of a strip, of which n are stored."""
    workspace = np.empty((STRIP_ROWS + 1 + (depth if (stop - start) % STRIP else 0)) * STRIP, np.float32)
    result = workspace.ctypes.data
    bias_row, narrow = result + 4 * STRIP_ROWS * STRIP, result + 4 * (STRIP_ROWS + 1) * STRIP
    for j in range(start, stop, STRIP):
        columns, b, ldb, addend = min(STRIP, stop - j), w + 4 * j, m, 0
        if columns < STRIP:
            for k in range(depth):
                _copy_padded(narrow + 4 * k * STRIP, w + 4 * (k * m + j), columns)
            b, ldb = narrow, STRIP
        if bias != 0:
            _copy_padded(bias_row, bias + 4 * j, columns)
            addend = bias_row
        in_place = columns == STRIP and n == STRIP_ROWS
        to, ldc, ld_addend = (y + 4 * j, m, 0) if in_place else (result, STRIP, 0)
        for k in range(0, depth, PIECE):
            piece = b + 4 * k * ldb
            strip(min(PIECE, depth - k), x + 4 * k, depth, 1, piece, ldb, to, ldc, addend, ld_addend)
            addend, ld_addend = to, ldc
        if not in_place:
            for i in range(n):
                sums, row = floats(result + 4 * i * STRIP, columns), floats(y + 4 * (i * m + j), columns)
                for c in range(columns):
                    row[c] = sums[c]
    workspace[0] = np.float32(0)  # used until here: Numba frees an array after the last statement that names it


@inner()
def _by_columns(x: int, n: int, depth: int, w: int, bias: int, y: int, m: int, start: int, stop: int) -> None:
    if n >= LOW:
        _in_strips(x, n, depth, w, bias, y, m, start, stop)
        return
    width, whole = stop - start, depth // DEEP * DEEP
    for i in range(n):
        row, b = floats(y + 4 * (i * m + start), width), floats(bias + 4 * start, width)
        for j in range(width):
            row[j] = b[j] if bias != 0 else np.float32(0)
    for k in range(0, whole, DEEP):
        for i in range(n):
            _add_eight(y + 4 * (i * m + start), x + 4 * (i * depth + k), w + 4 * (k * m + start), m, width)
    for k in range(whole, depth):
        for i in range(n):
            _add_one(y + 4 * (i * m + start), x + 4 * (i * depth + k), w + 4 * (k * m + start), width)


@loop()
def by_columns(pool: Array, x: Array, w: Array, bias: Array, y: Array) -> None:
    """y = x @ W + bias, W given as (K, M); K is not 0."""
    n, (depth, m) = len(x), w.shape
    padded = np.zeros((STRIP_ROWS if LOW <= n < STRIP_ROWS else 0, depth), np.float32)
    rows = x.ctypes.data
    if len(padded):
        padded[:n] = x
        rows = padded.ctypes.data
    w_at, y_at = np.int64(w.ctypes.data), np.int64(y.ctypes.data)
    bias_at = np.int64(bias.ctypes.data) if len(bias) else np.int64(0)
    head, chunk = 0, min(max(CHUNK, ((m + 1) // 2 + LINE - 1) // LINE * LINE), 4 * CHUNK)
    if n >= LOW:
        head, chunk = min(-w_at // 4 % LINE, m), CHUNK  # strips are aligned to cache lines
        _by_columns(rows, n, depth, w_at, bias_at, y_at, m, 0, head)
    arguments = (rows, n, depth, w_at + 4 * head, bias_at + 4 * head if bias_at != 0 else 0, y_at + 4 * head, m)
    parallel_for(pool, job(_by_columns, arguments), m - head, chunk)
    if len(padded):
        padded[0, 0] = np.float32(0)  # used until here
