"""Rejection sampling, one sample at a time: gamma, Poisson and binomial, bit for bit as PyTorch's on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.random import _next_normal
from gradus.engine.random.generator import Generator, default_generator

THIRD, SQUEEZE = float(np.float32(1) / np.float32(3)), float(np.float32(0.0331))  # as in PyTorch's code, in float32


def each(draw: Callable[..., float], *parameters: Array, generator: Generator | None = None) -> Array:
    """Call draw(parameters, generator) for every element, in float64."""
    chosen = generator or default_generator
    lists = [np.asarray(x, np.float64).ravel().tolist() for x in parameters]
    drawn = [draw(*values, chosen) for values in zip(*lists, strict=True)]
    return np.array(drawn, np.float64).reshape(parameters[0].shape)


def unit(generator: Generator) -> float:
    """Uniform in [0, 1), of 53 bits."""
    return float(generator.double_words(1)[0] & np.uint64((1 << 53) - 1)) * 2.0**-53


def gamma(alpha: float, generator: Generator) -> float:
    """With rate 1 (Marsaglia and Tsang, 2000); for alpha < 1, that of alpha + 1 times a power of a uniform sample."""
    scale = 1.0
    if alpha < 1:
        if alpha == 0:
            return 0.0
        scale = (1 - unit(generator)) ** (1 / alpha)
        alpha += 1
    d = alpha - THIRD
    c = 1 / math.sqrt(9 * d)
    while True:
        x = _next_normal(generator)
        y = 1 + c * x
        if y <= 0:
            continue
        v = y * y * y
        u = 1 - unit(generator)
        square = x * x
        if u < 1 - SQUEEZE * square * square or math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v


def poisson(rate: float, generator: Generator) -> float:
    """Below 10 by multiplying uniform numbers (Knuth, 1969), else by transformed rejection (Hörmann, 1993)."""
    if rate == 0:
        return 0.0
    if rate < 10:
        count, product, least = 0, unit(generator), math.exp(-rate)
        while product > least:
            count += 1
            product *= unit(generator)
        return float(count)
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    sure = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = unit(generator) - 0.5, unit(generator)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= sure:
            return float(k)
        if k < 0 or (us < 0.013 and v > us):
            continue
        if math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b) <= (
            -rate + k * log_rate - math.lgamma(k + 1)
        ):
            return float(k)


def binomial(count: float, prob: float, generator: Generator) -> float:
    """By geometric gaps between successes; if 10 or more are expected, by transformed rejection (Hörmann, 1993)."""
    if count <= 0 or prob <= 0:
        return 0.0
    if prob >= 1:
        return count
    if prob > 0.5:
        return count - binomial(count, 1 - prob, generator)
    if count * prob >= 10:
        return _many_successes(count, prob, generator)
    successes, place, log_failure = 0, 0.0, math.log1p(-prob)
    while True:
        u = unit(generator)
        place += math.ceil(math.log(u) / log_failure) if u else math.inf
        if place > count:
            return float(successes)
        successes += 1


def _many_successes(count: float, prob: float, generator: Generator) -> float:
    spread = math.sqrt(count * prob * (1 - prob))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    c = count * prob + 0.5
    sure = 0.92 - 4.2 / b
    odds = prob / (1 - prob)
    alpha = (2.83 + 5.1 / b) * spread
    m = math.floor((count + 1) * prob)
    while True:
        u, v = unit(generator) - 0.5, unit(generator)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + c)
        if us >= 0.07 and v <= sure:
            return float(k)
        if k < 0 or k > count:
            continue
        bound = (
            (m + 0.5) * math.log((m + 1) / (odds * (count - m + 1)))
            + (count + 1) * math.log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * math.log(odds * (count - k + 1) / (k + 1))
            + sum(sign * _tail(n) for sign, n in ((1, m), (1, count - m), (-1, k), (-1, count - k)))
        )
        if math.log(v * alpha / (a / (us * us) + b)) <= bound:
            return float(k)


def _tail(k: float) -> float:
    """log k! minus Stirling's approximation."""
    if k <= 9:
        return math.lgamma(k + 1) - ((k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi))
    square = (k + 1) ** 2
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)
