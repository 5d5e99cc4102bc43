"""`torch.autograd.functional`: derivatives of functions. What needs derivatives of derivatives is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.grad_mode import enable_grad
from gradus.engine.autograd.record import Variable, wrap
from gradus.engine.compat.absent import NotSupported, refuse

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["jacobian", "vjp"]

__getattr__ = refuse(__name__)


def jacobian(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivative of each number that func gives by each of its inputs, one walk for each number.

    Args:
        strict: raise if a result does not depend on an input, instead of giving zeros.
        vectorize, strategy: accepted; the numbers are the same.

    Returns:
        A tensor of the result's shape followed by the input's; a tuple of them for several inputs, a tuple of those
        for several results.

    Raises:
        NotSupported: if create_graph.
    """
    _refuse_graph(create_graph)
    leaves, results, alone, single = _computed(func, inputs)
    rows = []
    for result in results:
        blocks: list[list[Any]] = [[] for _ in leaves]
        for i in range(result._array.size):
            seed = np.zeros(result._array.shape, result._array.dtype)
            seed.reshape(-1)[i] = 1
            for block, gradient in zip(blocks, _pulled(result, leaves, wrap(seed), strict), strict=True):
                block.append(gradient)
        shape = result._array.shape
        row = [wrap(np.stack(b).reshape(shape + x._array.shape)) for b, x in zip(blocks, leaves, strict=True)]
        rows.append(row[0] if single else tuple(row))
    return rows[0] if alone else tuple(rows)


def vjp(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    v: Tensor | tuple[Tensor, ...] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """What func gives, and v times its derivative by each input; v may be left out where func gives one number."""
    _refuse_graph(create_graph)
    leaves, results, alone, single = _computed(func, inputs)
    seeds = [None] * len(results) if v is None else [v] if isinstance(v, Variable) else list(v)
    total: list[Any] = [np.zeros_like(x._array) for x in leaves]
    for result, seed in zip(results, seeds, strict=True):
        total = [a + g for a, g in zip(total, _pulled(result, leaves, seed, strict), strict=True)]
    gradients = tuple(map(wrap, total))
    plain = tuple(result.detach() for result in results)
    return plain[0] if alone else plain, gradients[0] if single else gradients


def _refuse_graph(create_graph: bool) -> None:
    if create_graph:
        raise NotSupported("create_graph=True is not supported: a gradient has no gradient here")


def _computed(func: Callable[..., Any], inputs: Any) -> tuple[list[Tensor], list[Tensor], bool, bool]:
    """The inputs as leaves, the results, and whether each of the two was one tensor."""
    single = isinstance(inputs, Variable)
    given = [inputs] if single else list(inputs)
    with enable_grad():
        leaves = [x.detach().clone().requires_grad_() for x in given]
        results = func(*leaves)
    alone = isinstance(results, Variable)
    several: list[Any] = [results] if alone else list(results)
    for result in several:
        if not isinstance(result, Variable):
            raise TypeError(f"The outputs of the function must be tensors, but one is {type(result).__name__}")
    return leaves, several, alone, single


def _pulled(result: Any, leaves: list[Tensor], seed: Any, strict: bool) -> list[Any]:
    from gradus.engine.autograd import grad

    if not result.requires_grad:
        if strict:
            raise RuntimeError("The function's output does not require gradient: it is independent of the inputs")
        return [np.zeros_like(x._array) for x in leaves]
    gradients = grad(result, leaves, seed, retain_graph=True, allow_unused=True)
    if strict and any(g is None for g in gradients):
        raise RuntimeError("The function's output is independent of one of its inputs")
    return [np.zeros_like(x._array) if g is None else g._array for g, x in zip(gradients, leaves, strict=True)]
