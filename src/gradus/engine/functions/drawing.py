"""Random tensors: PyTorch's numbers, bit for bit; `engine/random` has the algorithms."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes, random
from gradus.engine.autograd.grad_mode import state
from gradus.engine.autograd.in_place import apply_
from gradus.engine.autograd.record import wrap
from gradus.engine.dtypes import Array
from gradus.engine.dtypes import dtype as DType
from gradus.engine.dtypes.layouts import by_memory, order_of
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.checks import floating_only, refuse_unknown
from gradus.engine.functions.creation import empty_like, float_dtype, leaf, validate_size
from gradus.engine.functions.operands import array_of, is_tensor
from gradus.engine.ops import copying
from gradus.engine.random import Generator, inversion, rejection

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "bernoulli", "get_rng_state", "initial_seed", "manual_seed", "multinomial", "normal", "poisson", "rand",
    "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "seed", "set_rng_state",
]  # fmt: skip


def manual_seed(seed: Any) -> Generator:
    """Set the seed of the default generator, which is returned; the numbers drawn are PyTorch's for that seed."""
    return random.default_generator.manual_seed(int(seed))


def seed() -> int:
    """Set the default generator's seed to a nondeterministic number, which is returned."""
    return random.default_generator.seed()


def initial_seed() -> int:
    """Return the seed the default generator was last set to."""
    return random.default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Return the default generator's state as a uint8 tensor."""
    return wrap(random.default_generator.get_state())


def set_rng_state(new_state: Tensor) -> None:
    """Set the default generator's state, as `get_rng_state` returned it."""
    random.default_generator.set_state(new_state._array)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, **_: Any) -> Iterator[None]:
    """A context manager that restores the default generator's state at its end."""
    state = random.default_generator.get_state()
    try:
        yield
    finally:
        if enabled:
            random.default_generator.set_state(state)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    **named: Any,
) -> Tensor:
    """Return a tensor of the given shape drawn from the uniform distribution on [0, 1)."""
    dtypes.check_device(device)
    return leaf(random.rand(validate_size(size, named), float_dtype(dtype), generator), requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    **named: Any,
) -> Tensor:
    """Return a tensor of the given shape drawn from the standard normal distribution."""
    dtypes.check_device(device)
    return leaf(random.randn(validate_size(size, named), float_dtype(dtype), generator), requires_grad)


def randint(
    *ends: Any,
    low: int = 0,
    high: int | None = None,
    size: Sequence[int] | None = None,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """Return integers drawn uniformly from [low, high): `randint(high, size)` or `randint(low, high, size)`; int64.

    Raises:
        RuntimeError: if the range is empty.
    """
    refuse_unknown("randint", others)
    dtypes.check_device(device)
    parts = list(ends)
    if size is None:
        if not parts or not isinstance(parts[-1], (tuple, list)):
            raise TypeError("randint(): the shape must be a tuple, as in randint(0, 10, (3,))")
        size = parts.pop()
    if parts:
        low, high = (low, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    if high is None:
        raise TypeError("randint() is missing the upper end of its range")
    if int(low) >= int(high):
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={int(low)} >= to={int(high)}")
    numpy_dtype = np.dtype(np.int64) if dtype is None else dtypes.to_numpy(dtype)
    return leaf(random.randint(int(low), int(high), validate_size((size,)), numpy_dtype, generator), requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """Return a random permutation of 0 .. n - 1; int64 by default."""
    refuse_unknown("randperm", others)
    dtypes.check_device(device)
    numpy_dtype = np.dtype(np.int64) if dtype is None else dtypes.to_numpy(dtype)
    return leaf(random.randperm(int(n), numpy_dtype, generator), requires_grad)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """Return numbers drawn from normal distributions with the given means and standard deviations.

    Either is a tensor, and the result has their broadcast shape; or both are numbers, and `size` gives the shape.
    """
    refuse_unknown("normal", others)
    if size is not None:
        shape = validate_size((size,))
        return leaf(random.normal(shape, float(mean), float(std), float_dtype(dtype), generator), requires_grad)
    if not is_tensor(mean) and not is_tensor(std):
        raise TypeError("normal() of two numbers needs a size, as in normal(0.0, 1.0, (3,))")
    shape = np.broadcast_shapes(*[x._array.shape for x in (mean, std) if is_tensor(x)])
    numpy_dtype = (mean if is_tensor(mean) else std)._array.dtype
    return wrap(np.asarray(random.randn(shape, numpy_dtype, generator) * array_of(std) + array_of(mean)))


def _elsewhere(input: Tensor, others: dict[str, Any]) -> bool:
    """Whether a random tensor like input is not C-contiguous."""
    return order_of(input._array) != "C" or others.get("memory_format") is not None


def rand_like(input: Tensor, *, dtype: DType | None = None, requires_grad: bool = False, **others: Any) -> Tensor:
    """Return a tensor of input's shape drawn uniformly from [0, 1)."""
    refuse_unknown("rand_like", others)
    if _elsewhere(input, others):
        return uniform_(empty_like(input, dtype=dtype, **others)).requires_grad_(requires_grad)
    return rand(*input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: DType | None = None, requires_grad: bool = False, **others: Any) -> Tensor:
    """Return a tensor of input's shape drawn from the standard normal distribution."""
    refuse_unknown("randn_like", others)
    if _elsewhere(input, others):
        return normal_(empty_like(input, dtype=dtype, **others)).requires_grad_(requires_grad)
    return randn(*input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randint_like(
    input: Tensor,
    low: int = 0,
    high: int | None = None,
    *,
    dtype: DType | None = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """Return integers of input's shape drawn uniformly from [low, high), in input's dtype."""
    refuse_unknown("randint_like", others)
    low, high = (0, low) if high is None else (low, high)
    if _elsewhere(input, others):
        return random_(empty_like(input, dtype=dtype, **others), low, high).requires_grad_(requires_grad)
    return randint(low, high, tuple(input.shape), dtype=dtype or input.dtype, requires_grad=requires_grad)


def bernoulli(input: Tensor, p: Any = None, *, generator: Generator | None = None) -> Tensor:
    """Draw 0 or 1: each element is 1 with the probability that input (or p) gives."""
    chance = input._array if p is None else array_of(p)
    return wrap(random.bernoulli(input._array.shape, chance, input._array.dtype, generator))


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Draw from the Poisson distribution: input, of a floating-point dtype, has the expected numbers of events.

    Raises:
        RuntimeError: if an expected number is negative or NaN.
        NotImplementedError: if input is not of floating-point numbers.
    """
    rate = floating_only(input, "poisson_cpu")._array
    if not (rate >= 0).all():  # also NaN
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    return wrap(rejection.each(rejection.poisson, rate, generator=generator).astype(rate.dtype))


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Draw `num_samples` indices from each row of weights: (n,) -> (k,), (m, n) -> (m, k); int64."""
    return wrap(random.multinomial(input._array, num_samples, replacement, generator))


# ---- in place


def normal_(input: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill input with draws from the normal distribution; return input."""

    def draw(place: Any) -> Array:
        if input._array.flags.c_contiguous:
            return random.normal(place, mean, std, input._array.dtype, generator)
        pieces = [random.normal(1, mean, std, input._array.dtype, generator) for _ in range(input._array.size)]
        return np.concatenate(pieces).reshape(place) if pieces else np.empty(place, input._array.dtype)

    return _fill(input, draw)


def uniform_(
    input: Tensor, from_: float = 0, to: float = 1, *, generator: Generator | None = None, **ends: float
) -> Tensor:
    """Fill input with draws from the uniform distribution on [from, to); return input."""
    low = ends.get("from", from_)
    return _fill(input, lambda place: random.uniform(place, low, to, input._array.dtype, generator))


def exponential_(input: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill input with draws from the exponential distribution of rate `lambd`; return input."""
    return _fill(input, lambda place: random.exponential(place, lambd, input._array.dtype, generator))


def geometric_(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill input with draws of the number of trials up to the first success, each with probability p; return input.

    Raises:
        RuntimeError: if p is not in (0, 1).
        NotImplementedError: if input is of bools or complex numbers.
    """
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    if input._array.dtype.kind in "bc":
        raise NotImplementedError(f"\"geometric_cpu\" not implemented for '{scalar_name(input._array.dtype)}'")
    return _fill_by_one(input, lambda chosen: inversion.geometric(p, chosen), generator)


def cauchy_(input: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill input with draws from the Cauchy distribution; return input.

    Raises:
        RuntimeError: if sigma is not positive, or input is not of floating-point numbers.
    """
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    if not input.is_floating_point():
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {input.dtype}"
        )
    return _fill_by_one(input, lambda chosen: inversion.cauchy(median, sigma, chosen), generator)


def log_normal_(input: Tensor, mean: float = 1, std: float = 2, *, generator: Generator | None = None) -> Tensor:
    """Fill input with exp of draws from the normal distribution of this mean and standard deviation; return input.

    Raises:
        RuntimeError: if std is not positive.
        NotImplementedError: if input is not of floating-point numbers.
    """
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
    floating_only(input, "log_normal_cpu")
    return _fill_by_one(input, lambda chosen: inversion.log_normal(mean, std, chosen), generator)


def _fill_by_one(input: Tensor, draw: Callable[[Generator], float], generator: Generator | None) -> Tensor:
    """Fill a tensor with samples drawn one at a time."""
    chosen = generator or random.default_generator

    def fill(place: Any) -> Array:
        numbers = place if isinstance(place, np.ndarray) else np.empty(place, input._array.dtype)
        numbers[...] = np.reshape([draw(chosen) for _ in range(numbers.size)], numbers.shape)
        return numbers

    return _fill(input, fill)


def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill input with 0 and 1, 1 with probability p (a number or a tensor); return input."""
    if is_tensor(p):
        return input.copy_(wrap(random.bernoulli(input._array.shape, p._array, input._array.dtype, generator)))
    return _fill(input, lambda place: random.bernoulli(place, p, input._array.dtype, generator))


def random_(input: Tensor, *ends: int, generator: Generator | None = None) -> Tensor:
    """Fill input with integers from [from, to), or from 0 to the largest its dtype represents; return input."""
    dtype = input._array.dtype
    if not ends:
        return _fill(input, lambda place: random.random_full_range(place, dtype, generator))
    low, high = (0, ends[0]) if len(ends) == 1 else (ends[0], ends[1])
    return _fill(input, lambda place: random.randint(low, high, place, dtype, generator))


def _fill(input: Tensor, draw: Callable[[Any], Array]) -> Tensor:
    """Fill a tensor with samples, as PyTorch does in the order of its elements in memory.

    `draw` is given a shape, or, where nothing is recorded, the memory itself.
    """
    x = input._array
    if x.flags.carray and (not state.enabled or input._edge() is None):
        draw(x)
        input._version_counter[0] += 1
        return input
    return apply_(input, copying.CopyFrom, in_order_of(x, draw))


def in_order_of(x: Array, draw: Callable[[Any], Array]) -> Array:
    """Samples for the elements of x, drawn in their order in memory and laid out like x."""
    order = by_memory(x)
    if order == list(range(x.ndim)):
        return draw(x.shape)
    return draw(tuple(x.shape[i] for i in order)).transpose(np.argsort(order))
