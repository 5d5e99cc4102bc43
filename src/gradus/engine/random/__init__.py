"""Random sampling: PyTorch's random numbers on the CPU, bit for bit, as NumPy arrays.

Each function turns a generator's random words into numbers, by the algorithms of PyTorch 2.13's CPU kernels: the same
seed and calls give the same numbers, and leave the generator in the same state. If no generator is given, the default
one is used. For large arrays, compiled loops (`kernels/draws.py`) do the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.engine import kernels
from gradus.engine.compat.absent import refuse
from gradus.engine.dtypes import REAL
from gradus.engine.dtypes.limits import limits_of
from gradus.engine.random.box_muller import box_muller, by_libm, fma
from gradus.engine.random.generator import Generator, default_generator
from gradus.lazy import lazy

# `torch.random` is this module, too: its functions, of the default generator, are imported at their first use.
_OF_TORCH_RANDOM = ("fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state")
__getattr__ = lazy("gradus.engine", dict.fromkeys(_OF_TORCH_RANDOM, "functions.drawing"), refuse(__name__))

__all__ = [
    "Generator",
    "bernoulli",
    "default_generator",
    "exponential",
    "multinomial",
    "normal",
    "rand",
    "randint",
    "randn",
    "random_full_range",
    "randperm",
    "uniform",
]

Array = npt.NDArray[Any]
Shape = int | tuple[int, ...]
ShapeOrOut = Shape | Array  # a shape; or a contiguous array of the dtype, to fill

_CHUNK = 1 << 15  # elements drawn at a time: a multiple of 16, and small enough for the processor's cache
_SHUFFLED = 16  # how much slower randperm is without a loop than other draws
_WIDE_RANGE = 1 << 28  # from this many values on, randint uses two words an element, to keep the modulo bias small


def rand(shape: Shape, dtype: npt.DTypeLike = np.float32, generator: Generator | None = None) -> Array:
    """Uniform samples in [0, 1): a word's low 24 bits / 2²⁴; in float64, a double word's low 53 bits / 2⁵³."""
    return uniform(shape, 0.0, 1.0, dtype, generator)


def uniform(
    shape: ShapeOrOut,
    a: float = 0.0,
    b: float = 1.0,
    dtype: npt.DTypeLike = np.float32,
    generator: Generator | None = None,
) -> Array:
    """Uniform samples in [a, b): u * (b - a) + a with one rounding, u as drawn by `rand`.

    Raises:
        RuntimeError: if a > b, or a or b is too large for the dtype.
    """
    if np.dtype(dtype).char in _ROUNDED:
        numbers = _rounded(shape, dtype, lambda out: uniform(out, a, b, np.float32, generator))
        numbers[numbers >= numbers.dtype.type(b)] = a  # rounded up to b, which is excluded
        return numbers
    if np.dtype(dtype).kind == "c":
        return _by_parts(shape, dtype, lambda out, part: uniform(out, a, b, part, generator))
    np_dtype = _float_dtype(dtype)
    if not a <= b:
        raise RuntimeError(f"uniform needs a <= b, got a={a}, b={b}")
    with np.errstate(over="ignore"):
        low, width = np_dtype.type(a), np_dtype.type(b) - np_dtype.type(a)
    if not (np.isfinite(low) and np.isfinite(width)):
        raise RuntimeError(f"uniform needs bounds that {np_dtype} can hold, got a={a}, b={b}")
    generator = generator or default_generator
    numbers = _empty(shape, np_dtype)
    flat = numbers.reshape(-1)
    if loops := _loops(flat.size):
        generator.draw(loops.uniform if np_dtype == np.float32 else loops.uniform_double, flat, width, low)
        return numbers
    for part in _parts(flat.size):
        u = _unit(part.stop - part.start, np_dtype, generator)
        flat[part] = u if low == 0 and width == 1 else fma(u, float(width), float(low))
    return numbers


def randn(shape: Shape, dtype: npt.DTypeLike = np.float32, generator: Generator | None = None) -> Array:
    """Standard normal samples: see `normal`."""
    return normal(shape, 0.0, 1.0, dtype, generator)


def normal(
    shape: ShapeOrOut,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: npt.DTypeLike = np.float32,
    generator: Generator | None = None,
    *,
    twice: bool = True,
) -> Array:
    """Normal samples, by the Box-Muller transform (1958) of pairs of uniform ones.

    Fewer than 16: one pair at a time, always in float64, and the second of an odd pair is cached for the next such
    call. 16 or more: in blocks of 16 uniform numbers of the dtype; if the size is no multiple of 16, the last 16 are
    drawn again.
    (PyTorch fills a tensor that is not contiguous one pair at a time whatever its size, and draws the last of 16-bit
    numbers only once: `twice` is False for them.) Complex numbers: each part with half the variance.

    Raises:
        RuntimeError: if std is negative.
    """
    if np.dtype(dtype).char in _ROUNDED:
        return _rounded(shape, dtype, lambda out: normal(out, mean, std, np.float32, generator, twice=False))
    if np.dtype(dtype).kind == "c":
        return _by_parts(shape, dtype, lambda out, part: normal(out, mean, std / math.sqrt(2), part, generator))
    np_dtype = _float_dtype(dtype)
    if not std >= 0:
        raise RuntimeError(f"normal needs std >= 0, got {std}")
    generator = generator or default_generator
    numbers = _empty(shape, np_dtype)
    flat = numbers.reshape(-1)
    if flat.size < 16:
        standard = np.array([_next_normal(generator) for _ in range(flat.size)], np.float64)
        flat[:] = fma(standard, float(std), float(mean))
        return numbers
    ragged = flat.size % 16
    if loops := _loops(flat.size):
        loop = loops.normal if np_dtype == np.float32 else loops.normal_double
        generator.draw(loop, flat[: flat.size - ragged], np_dtype.type(std), np_dtype.type(mean))
    else:
        for part in _parts(flat.size - ragged):
            flat[part] = box_muller(_unit(part.stop - part.start, np_dtype, generator), mean, std)
    if ragged:
        if twice:
            _unit(ragged, np_dtype, generator)  # drawn by PyTorch, too, and overwritten
        flat[-16:] = box_muller(_unit(16, np_dtype, generator), mean, std)
    return numbers


def randint(
    low: int, high: int, shape: ShapeOrOut, dtype: npt.DTypeLike = np.int64, generator: Generator | None = None
) -> Array:
    """Integers low .. high-1: word % (high - low) + low; from 2²⁸ values on, of double words.

    Raises:
        RuntimeError: if low >= high, or the dtype cannot hold the bounds.
    """
    np_dtype = np.dtype(dtype)
    if low >= high:
        raise RuntimeError(f"randint needs low < high, got low={low}, high={high}")
    least, greatest = _bounds(np_dtype)
    if low < least or high - 1 > greatest:
        raise RuntimeError(f"{np_dtype} holds {least} .. {greatest}, randint was asked for {low} .. {high - 1}")
    generator = generator or default_generator
    numbers = _empty(shape, np_dtype)
    count = high - low
    flat = numbers.reshape(-1)
    if count < _WIDE_RANGE and (loops := _loops(flat.size)):
        drawn = flat if np_dtype == np.int64 else np.empty(flat.size, np.int64)
        generator.draw(loops.integers, drawn, np.uint32(count), int(np.uint64(low % (1 << 64)).astype(np.int64)))
        if drawn is not flat:
            flat[:] = drawn.astype(np_dtype)
        return numbers
    for part in _parts(flat.size):
        n = part.stop - part.start
        below = _remainder(generator, n, count, wide=count >= _WIDE_RANGE)
        flat[part] = (below + np.uint64(low % (1 << 64))).view(np.int64).astype(np_dtype)  # modulo 2⁶⁴
    return numbers


def random_full_range(shape: ShapeOrOut, dtype: npt.DTypeLike = np.int64, generator: Generator | None = None) -> Array:
    """Samples for `Tensor.random_()`: 0 .. the dtype's largest integer; float32 0 .. 2²⁴, float64 0 .. 2⁵³."""
    np_dtype = np.dtype(dtype)
    count = _bounds(np_dtype)[1] + 1
    generator = generator or default_generator
    numbers = _empty(shape, np_dtype)
    flat = numbers.reshape(-1)
    for part in _parts(flat.size):
        flat[part] = _remainder(generator, part.stop - part.start, count, wide=np_dtype.itemsize == 8).astype(np_dtype)
    return numbers


def randperm(n: int, dtype: npt.DTypeLike = np.int64, generator: Generator | None = None) -> Array:
    """A random permutation of 0 .. n-1 (Fisher & Yates 1938, Durstenfeld 1964): swap i with i + word % (n - i).

    Raises:
        RuntimeError: if n is negative, or 2³²/20 or more, where PyTorch uses another algorithm.
    """
    if not 0 <= n < (1 << 32) // 20:
        raise RuntimeError(f"randperm needs 0 <= n < {(1 << 32) // 20}, got {n}")
    generator = generator or default_generator
    if loops := _loops(_SHUFFLED * n):
        shuffled = np.arange(n)
        generator.draw(loops.shuffle, shuffled)
        return shuffled.astype(dtype, copy=False)
    left = np.arange(n, 1, -1, dtype=np.uint32)  # positions not yet drawn
    partner = generator.words(left.size) % left + np.arange(left.size, dtype=np.uint32)
    order = list(range(n))
    for i, other in enumerate(partner.tolist()):
        order[i], order[other] = order[other], order[i]
    return np.array(order, dtype)


def exponential(
    shape: ShapeOrOut, lambd: float = 1.0, dtype: npt.DTypeLike = np.float32, generator: Generator | None = None
) -> Array:
    """Exponential samples of rate lambd, by inverting the distribution function: -log(1 - u) / lambd, u of 53 bits.

    Raises:
        RuntimeError: if lambd is not positive.
    """
    if np.dtype(dtype).char in _ROUNDED:
        return _rounded(shape, dtype, lambda out: exponential(out, lambd, np.float32, generator))
    np_dtype = _float_dtype(dtype)
    if not lambd > 0:
        raise RuntimeError(f"exponential needs lambd > 0, got {lambd}")
    generator = generator or default_generator
    numbers = _empty(shape, np_dtype)
    flat = numbers.reshape(-1)
    for part in _parts(flat.size):
        u = _unit(part.stop - part.start, np.dtype(np.float64), generator)
        log = (
            np.log1p(-u) if np_dtype == np.float32 else by_libm(math.log1p, -u)
        )  # rounding to float32 hides the last bit
        flat[part] = (-1.0 / lambd) * log
    return numbers


def bernoulli(
    shape: ShapeOrOut, p: float | Array, dtype: npt.DTypeLike = np.float32, generator: Generator | None = None
) -> Array:
    """Bernoulli samples: 1 with probability p, else 0, as u < p.

    u has 53 bits if p is a number (this is dropout's mask, with p = 1 - the dropout rate) or a float64 array, and 24
    bits if it is a float32 array. An array is broadcast to the shape.

    Raises:
        RuntimeError: if a probability is not in 0 .. 1.
    """
    chance = np.asarray(p)
    if "c" in (chance.dtype.kind, np.dtype(dtype).kind):
        raise NotImplementedError('"bernoulli_scalar_cpu_" not implemented for complex numbers')
    if not np.all((chance >= 0) & (chance <= 1)):
        raise RuntimeError(f"bernoulli needs 0 <= p <= 1, got {p}")
    if isinstance(p, np.ndarray) and p.dtype.char in _ROUNDED:
        p = chance = p.astype(np.float32)
    np_dtype = _float_dtype(p.dtype) if isinstance(p, np.ndarray) else np.dtype(np.float64)
    generator = generator or default_generator
    hits = _empty(shape, np.dtype(dtype))
    chances = np.broadcast_to(chance, hits.shape).reshape(-1) if chance.ndim else chance
    flat = hits.reshape(-1)
    if not chance.ndim and np_dtype == np.float64 and (loops := _loops(flat.size)):
        hit = flat if flat.dtype == np.bool_ else np.empty(flat.size, np.bool_)
        generator.draw(loops.bernoulli, hit, float(chance))
        if hit is not flat:
            flat[:] = hit
        return hits
    for part in _parts(flat.size):
        flat[part] = _unit(part.stop - part.start, np_dtype, generator) < (chances[part] if chance.ndim else chance)
    return hits


def multinomial(
    probs: Array,
    num_samples: int,
    replacement: bool = False,
    generator: Generator | None = None,
    *,
    inverse_cdf: bool = False,
) -> npt.NDArray[np.int64]:
    """Sample categories with probabilities proportional to weights.

    One sample, or without replacement: the largest of weight / q, where q is exponential, one for every category (the
    exponential race; Efraimidis & Spirakis 2006). Several with replacement: the first category whose cumulative
    probability reaches a uniform u of 53 bits.

    Args:
        probs: (V,) or (B, V) weights, float32 or float64, not negative; they need not sum to 1.
        num_samples: samples from each row; without replacement at most V.
        inverse_cdf: with replacement, use the second rule for one sample, too. It reproduces the names of the makemore
            lectures; PyTorch 2.13 draws others.

    Returns:
        (num_samples,) or (B, num_samples) int64. Without replacement, and with fewer weights above 0 than samples, the
        categories of weight 0 come last, in their order (in PyTorch, in an undefined order).

    Raises:
        RuntimeError: if weights are negative, not finite or sum to 0, or num_samples is out of range.
    """
    if probs.dtype.kind not in REAL:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {probs.dtype.name}")
    if probs.ndim not in (1, 2):
        raise RuntimeError(f"multinomial needs weights of 1 or 2 dimensions, got shape {probs.shape}")
    categories = probs.shape[-1]
    if num_samples <= 0 or (not replacement and num_samples > categories):
        limit = "" if replacement else f" and <= {categories}, the number of categories"
        raise RuntimeError(f"multinomial needs num_samples > 0{limit}, got {num_samples}")
    weights = np.atleast_2d(probs)  # (B, V)
    if not np.all((weights >= 0) & (weights < np.inf)):
        raise RuntimeError("multinomial needs weights that are finite and not negative")
    if np.any(weights.sum(axis=1) == 0):
        raise RuntimeError("multinomial needs in every row a weight above 0")
    generator = generator or default_generator
    if replacement and (num_samples > 1 or inverse_cdf):
        drawn = _by_inverse_cdf(weights, num_samples, generator)
    else:
        race = exponential(weights.shape, 1.0, probs.dtype, generator)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            race = weights / race
        drawn = np.argmax(race, axis=1)[:, None] if num_samples == 1 else _largest(race, num_samples)
    return drawn.astype(np.int64).reshape(*probs.shape[:-1], num_samples)


def _by_inverse_cdf(weights: Array, num_samples: int, generator: Generator) -> npt.NDArray[np.int64]:
    cumulative = np.cumsum(weights, axis=1, dtype=weights.dtype)  # (B, V), summed in order and in the weights' dtype
    cumulative /= cumulative[:, -1:].copy()
    cumulative[:, -1] = 1
    u = rand((len(weights), num_samples), np.float64, generator)
    drawn = np.empty(u.shape, np.int64)
    for row in range(len(weights)):
        drawn[row] = np.searchsorted(cumulative[row].astype(np.float64), u[row])
    return drawn


def _largest(values: Array, k: int) -> npt.NDArray[np.int64]:
    return np.argsort(-values, axis=1, kind="stable")[:, :k].astype(np.int64)


def _unit(n: int, np_dtype: np.dtype[Any], generator: Generator) -> Array:
    """n uniform samples in [0, 1) of the dtype: as many low bits of a word as its significand has."""
    if loops := _loops(n):
        u = np.empty(n, np_dtype)
        one, zero = np_dtype.type(1), np_dtype.type(0)
        generator.draw(loops.uniform if np_dtype == np.float32 else loops.uniform_double, u, one, zero)
        return u
    if np_dtype == np.float32:
        return (generator.words(n) & np.uint32((1 << 24) - 1)).astype(np.float32) * np.float32(2**-24)
    return (generator.double_words(n) & np.uint64((1 << 53) - 1)) * 2.0**-53


def _remainder(generator: Generator, n: int, count: int, *, wide: bool) -> npt.NDArray[np.uint64]:
    if wide:
        return generator.double_words(n) % np.uint64(count)
    return (generator.words(n) % np.uint32(count)).astype(np.uint64)


def _next_normal(generator: Generator) -> float:
    """One standard normal sample in float64, the cached one or from a new pair."""
    if generator.cached_normal is not None:
        number, generator.cached_normal = generator.cached_normal, None
        return number
    u1, u2 = _unit(2, np.dtype(np.float64), generator).tolist()
    radius, angle = math.sqrt(-2.0 * math.log1p(-u2)), 2.0 * math.pi * u1
    generator.cached_normal = radius * math.sin(angle)
    return radius * math.cos(angle)


def _loops(n: int) -> Any:
    """The compiled loops, if n elements are enough to use them."""
    return kernels.compiled("draws") if kernels.worthwhile(n) else None


def _parts(n: int) -> Iterator[slice]:
    for start in range(0, n, _CHUNK):
        yield slice(start, min(start + _CHUNK, n))


def _empty(shape: ShapeOrOut, np_dtype: np.dtype[Any]) -> Array:
    """An empty array of a shape; or the given array."""
    if isinstance(shape, np.ndarray):
        return shape
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(size < 0 for size in sizes):
        raise RuntimeError(f"a size cannot be negative, got shape {sizes}")
    return np.empty(sizes, np_dtype)


_ROUNDED = "eE"  # NumPy's letters for float16 and bfloat16


def _rounded(shape: ShapeOrOut, dtype: npt.DTypeLike, draw: Callable[[Shape], Array]) -> Array:
    """Samples of a 16-bit dtype: drawn in float32 and rounded."""
    numbers = _empty(shape, np.dtype(dtype))
    numbers[...] = draw(numbers.shape)
    return numbers


def _by_parts(shape: ShapeOrOut, dtype: npt.DTypeLike, draw: Callable[[Shape, np.dtype[Any]], Array]) -> Array:
    """Complex samples: real and imaginary parts drawn in turn."""
    numbers = _empty(shape, np.dtype(dtype))
    numbers[...] = draw((*numbers.shape, 2), numbers.real.dtype).view(numbers.dtype)[..., 0]
    return numbers


def _float_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    np_dtype = np.dtype(dtype)
    if np_dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise NotImplementedError(f"samples are drawn in float32 or float64, not {np_dtype}")
    return np_dtype


def _bounds(np_dtype: np.dtype[Any]) -> tuple[int, int]:
    """The smallest and largest integer samples of a dtype; for floats, of the range where all integers are exact."""
    if np_dtype == np.bool_:
        return 0, 1
    if np_dtype.kind in REAL:
        exact = 1 << (limits_of(np_dtype).nmant + 1)
        return -exact, exact
    limits = np.iinfo(np_dtype)
    return int(limits.min), int(limits.max)
