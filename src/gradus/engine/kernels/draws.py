"""Random numbers by the million: the Mersenne Twister and the algorithms of `engine/random`, compiled, bit for bit.

The Twister's 624 words are twisted and tempered in vectors, and the loops below turn them into numbers, a piece at a
time that stays in the first-level cache. `state` is the generator's own memory: its words and its position in them. A
stream has one order, so none of this runs in parallel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.vectors import fma, prefer_wide_vectors

WORDS, MIDDLE = 624, 397
PIECE = 8192  # words at a time: a multiple of 16

_TOP, _REST = np.uint32(0x80000000), np.uint32(0x7FFFFFFF)
_TWIST = np.uint32(0x9908B0DF)
_TEMPER = np.uint32(0x9D2C5680), np.uint32(0xEFC60000)
_LOW_24, _LOW_53 = np.uint32((1 << 24) - 1), np.uint64((1 << 53) - 1)
_UNIT_24, _UNIT_53 = np.float32(2**-24), 2.0**-53


@inner(fastmath=False)
def _twist(word: Array, following: Array, middle: Array, out: Array) -> None:
    prefer_wide_vectors()
    for i in range(len(out)):
        y = (word[i] & _TOP) | (following[i] & _REST)
        out[i] = middle[i] ^ (y >> np.uint32(1)) ^ (_TWIST if y & np.uint32(1) else np.uint32(0))


@inner(fastmath=False)
def _twist_all(key: Array, new: Array) -> None:
    """Each new word depends on two old ones, and on a later one or one that is new already."""
    rest = WORDS - MIDDLE
    _twist(key[:rest], key[1 : rest + 1], key[MIDDLE:], new[:rest])
    for start in range(rest, WORDS - 1, rest):
        stop = min(start + rest, WORDS - 1)
        _twist(key[start:stop], key[start + 1 : stop + 1], new[start - rest : stop - rest], new[start:stop])
    _twist(key[WORDS - 1 :], new[:1], new[MIDDLE - 1 : MIDDLE], new[WORDS - 1 :])
    key[:] = new


@inner(fastmath=False)
def _temper(key: Array, out: Array) -> None:
    prefer_wide_vectors()
    for i in range(len(out)):
        y = key[i]
        y ^= y >> np.uint32(11)
        y ^= (y << np.uint32(7)) & _TEMPER[0]
        y ^= (y << np.uint32(15)) & _TEMPER[1]
        out[i] = y ^ (y >> np.uint32(18))


@inner(fastmath=False)
def _draw(state: Array, out: Array) -> None:
    """The next words of the stream."""
    position: Any = np.int64(state[WORDS])
    start = 0
    new = np.empty(WORDS, np.uint32)
    while start < len(out):
        if position >= WORDS:
            _twist_all(state[:WORDS], new)
            position = 0
        n = min(WORDS - position, len(out) - start)
        _temper(state[position : position + n], out[start : start + n])
        position, start = position + n, start + n
    state[WORDS] = position


@loop(fastmath=False)
def words(state: Array, out: Array) -> None:
    _draw(state, out)


# ---- uniform


@inner(fastmath=False)
def _uniform(drawn: Array, out: Array, width: Any, low: Any) -> None:
    prefer_wide_vectors()
    for i in range(len(out)):
        out[i] = fma(np.float32(np.int32(drawn[i] & _LOW_24)) * _UNIT_24, width, low)


@inner(fastmath=False)
def _unit_53(first: Any, second: Any) -> Any:
    return np.float64(np.int64(((np.uint64(first) << np.uint64(32)) | np.uint64(second)) & _LOW_53)) * _UNIT_53


@inner(fastmath=False)
def _uniform_double(drawn: Array, out: Array, width: float, low: float) -> None:
    prefer_wide_vectors()
    for i in range(len(out)):
        out[i] = fma(_unit_53(drawn[2 * i], drawn[2 * i + 1]), width, low)


@loop(fastmath=False)
def uniform(state: Array, out: Array, width: Any, low: Any) -> None:
    """u * width + low, u of 24 bits."""
    drawn = np.empty(PIECE, np.uint32)
    for start in range(0, len(out), PIECE):
        piece = out[start : start + PIECE]
        _draw(state, drawn[: len(piece)])
        _uniform(drawn, piece, width, low)


@loop(fastmath=False)
def uniform_double(state: Array, out: Array, width: float, low: float) -> None:
    """u * width + low, u of 53 bits."""
    drawn = np.empty(2 * PIECE, np.uint32)
    for start in range(0, len(out), PIECE):
        piece = out[start : start + PIECE]
        _draw(state, drawn[: 2 * len(piece)])
        _uniform_double(drawn, piece, width, low)


@inner(fastmath=False)
def _below(drawn: Array, out: Array, p: float) -> None:
    prefer_wide_vectors()
    for i in range(len(out)):
        out[i] = _unit_53(drawn[2 * i], drawn[2 * i + 1]) < p


@loop(fastmath=False)
def bernoulli(state: Array, out: Array, p: float) -> None:
    """u < p, u of 53 bits."""
    drawn = np.empty(2 * PIECE, np.uint32)
    for start in range(0, len(out), PIECE):
        piece = out[start : start + PIECE]
        _draw(state, drawn[: 2 * len(piece)])
        _below(drawn, piece, p)


# ---- normal: `engine/random/box_muller.py` explains the algorithm


@inner(fastmath=False)
def _log(x: Any) -> Any:
    """log of a float32 in (0, 1]."""
    bits = np.float32(x).view(np.int32)
    e = (bits >> np.int32(23)) - np.int32(126)
    m = np.int32((bits & np.int32(0x007FFFFF)) | np.int32(0x3F000000)).view(np.float32)  # 0.5 <= m < 1
    low = m < np.float32(math.sqrt(0.5))
    power = np.float32(e - np.int32(low))
    m = (m + m if low else m) - np.float32(1)
    square = m * m
    y = fma(m, np.float32(7.0376836292e-2), np.float32(-1.1514610310e-1))
    y = fma(y, m, np.float32(1.1676998740e-1))
    y = fma(y, m, np.float32(-1.2420140846e-1))
    y = fma(y, m, np.float32(1.4249322787e-1))
    y = fma(y, m, np.float32(-1.6668057665e-1))
    y = fma(y, m, np.float32(2.0000714765e-1))
    y = fma(y, m, np.float32(-2.4999993993e-1))
    y = fma(y, m, np.float32(3.3333331174e-1))
    y = fma(y * m, square, power * np.float32(-2.12194440e-4))
    y = fma(square, np.float32(-0.5), y)
    return fma(power, np.float32(0.693359375), m + y)


@inner(fastmath=False)
def _pairs(first: Array, second: Array, scale: Any, shift: Any) -> None:
    """Uniform numbers to normal ones, in place."""
    prefer_wide_vectors()
    for i in range(len(first)):
        radius = np.float32(math.sqrt(np.float32(-2) * _log(np.float32(1) - first[i])))
        angle = np.float32(2 * math.pi) * second[i]
        quarter = (np.int32(angle * np.float32(4 / math.pi)) + np.int32(1)) >> np.int32(1)  # 0 .. 4
        eighths = np.float32(np.int32(2) * quarter)
        x = fma(eighths, np.float32(-0.78515625), angle)
        x = fma(eighths, np.float32(-2.4187564849853515625e-4), x)
        x = fma(eighths, np.float32(-3.77489497744594108e-8), x)
        square = x * x
        c = fma(square, np.float32(2.443315711809948e-5), np.float32(-1.388731625493765e-3))
        c = fma(c, square, np.float32(4.166664568298827e-2)) * square
        c = fma(c, square, np.float32(-0.5) * square) + np.float32(1)
        s = fma(square, np.float32(-1.9515295891e-4), np.float32(8.3321608736e-3))
        s = fma(s, square, np.float32(-1.6666654611e-1)) * square
        s = fma(s, x, x)
        odd = (quarter & np.int32(1)) != np.int32(0)
        sin, cos = (c, s) if odd else (s, c)
        sin = -sin if quarter == np.int32(2) or quarter == np.int32(3) else sin
        cos = -cos if quarter == np.int32(1) or quarter == np.int32(2) else cos
        first[i] = fma(radius * cos, scale, shift)
        second[i] = fma(radius * sin, scale, shift)


@loop(fastmath=False)
def normal(state: Array, out: Array, scale: Any, shift: Any) -> None:
    """Normal numbers * scale + shift, in blocks of 16; the size is a multiple of 16."""
    drawn = np.empty(PIECE, np.uint32)
    first, second = np.empty(PIECE // 2, np.float32), np.empty(PIECE // 2, np.float32)
    for start in range(0, len(out), PIECE):
        n = min(PIECE, len(out) - start)
        _draw(state, drawn[:n])
        for block in range(n // 16):
            for j in range(8):
                first[8 * block + j] = np.float32(np.int32(drawn[16 * block + j] & _LOW_24)) * _UNIT_24
                second[8 * block + j] = np.float32(np.int32(drawn[16 * block + 8 + j] & _LOW_24)) * _UNIT_24
        _pairs(first[: n // 2], second[: n // 2], scale, shift)
        for block in range(n // 16):
            for j in range(8):
                out[start + 16 * block + j] = first[8 * block + j]
                out[start + 16 * block + 8 + j] = second[8 * block + j]


@loop(fastmath=False)
def normal_double(state: Array, out: Array, scale: float, shift: float) -> None:
    drawn = np.empty(32, np.uint32)
    for start in range(0, len(out), 16):
        _draw(state, drawn)
        for j in range(8):
            u1 = 1.0 - _unit_53(drawn[2 * j], drawn[2 * j + 1])
            angle = 2.0 * math.pi * _unit_53(drawn[16 + 2 * j], drawn[17 + 2 * j])
            radius = math.sqrt(-2.0 * math.log(u1))
            out[start + j] = fma(radius * math.cos(angle), scale, shift)
            out[start + 8 + j] = fma(radius * math.sin(angle), scale, shift)


# ---- integers


@inner(fastmath=False)
def _remainders(drawn: Array, out: Array, count: Any, low: int) -> None:
    for i in range(len(out)):
        out[i] = low + np.int64(drawn[i] % count)


@loop(fastmath=False)
def integers(state: Array, out: Array, count: Any, low: int) -> None:
    """word % count + low."""
    drawn = np.empty(PIECE, np.uint32)
    for start in range(0, len(out), PIECE):
        piece = out[start : start + PIECE]
        _draw(state, drawn[: len(piece)])
        _remainders(drawn, piece, count, low)


@loop(fastmath=False)
def shuffle(state: Array, order: Array) -> None:
    """Swap element i with element i + word % (n - i), for each i."""
    drawn = np.empty(PIECE, np.uint32)
    n = len(order)
    for start in range(0, n - 1, PIECE):
        stop = min(start + PIECE, n - 1)
        _draw(state, drawn[: stop - start])
        for i in range(start, stop):
            other = i + np.int64(drawn[i - start] % np.uint32(n - i))
            order[i], order[other] = order[other], order[i]
