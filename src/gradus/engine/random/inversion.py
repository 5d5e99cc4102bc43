"""Sampling by transforming one uniform or normal number each: geometric, Cauchy and log-normal, bit for bit as
PyTorch's on the CPU.
"""

from __future__ import annotations

import math

import numpy as np

from gradus.engine.random import _next_normal
from gradus.engine.random.box_muller import fma
from gradus.engine.random.generator import Generator
from gradus.engine.random.rejection import unit

EPS = float(np.finfo(np.float64).eps)


def geometric(p: float, generator: Generator) -> float:
    """The number of trials up to the first success, each with probability p: ⌈log u / log(1 - p)⌉."""
    u = unit(generator)
    return math.ceil(math.log(u) / math.log1p(-p)) if u else math.inf


def cauchy(median: float, sigma: float, generator: Generator) -> float:
    """median + sigma tan(π (u - 1/2)), u clamped away from 0 and 1."""
    u = min(max(unit(generator), EPS), 1 - EPS)
    return median + sigma * math.tan(math.pi * (u - 0.5))


def log_normal(mean: float, std: float, generator: Generator) -> float:
    """exp of a normal number."""
    return math.exp(fma(np.array(_next_normal(generator)), std, mean))
