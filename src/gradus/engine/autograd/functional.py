"""`torch.autograd.functional`: derivatives of functions. Derivatives of derivatives are not supported."""

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
    """The Jacobian of func: the derivative of each output element with respect to each input, one backward for each.

    Args:
        strict: raise if an output does not depend on an input, instead of returning zeros.
        vectorize, strategy: accepted, without effect on the result.

    Returns:
        A tensor of the output's shape followed by the input's; a tuple of them for several inputs, a tuple of those
        for several outputs.

    Raises:
        NotSupported: if create_graph.
    """
    _refuse_graph(create_graph)
    leaves, results, alone, single = _call(func, inputs)
    rows = []
    for result in results:
        blocks: list[list[Any]] = [[] for _ in leaves]
        for i in range(result._array.size):
            grad_output = np.zeros(result._array.shape, result._array.dtype)
            grad_output.reshape(-1)[i] = 1
            for block, gradient in zip(blocks, _gradients(result, leaves, wrap(grad_output), strict), strict=True):
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
    """func's outputs and the vector-Jacobian product with v for each input; v is optional for one output element."""
    _refuse_graph(create_graph)
    leaves, results, alone, single = _call(func, inputs)
    grad_outputs = [None] * len(results) if v is None else [v] if isinstance(v, Variable) else list(v)
    total: list[Any] = [np.zeros_like(x._array) for x in leaves]
    for result, grad_output in zip(results, grad_outputs, strict=True):
        total = [a + g for a, g in zip(total, _gradients(result, leaves, grad_output, strict), strict=True)]
    gradients = tuple(map(wrap, total))
    detached = tuple(result.detach() for result in results)
    return detached[0] if alone else detached, gradients[0] if single else gradients


def _refuse_graph(create_graph: bool) -> None:
    if create_graph:
        raise NotSupported("create_graph=True is not supported: a gradient has no gradient here")


def _call(func: Callable[..., Any], inputs: Any) -> tuple[list[Tensor], list[Tensor], bool, bool]:
    """The inputs as leaves, the outputs, and whether each of the two was a single tensor."""
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


def _gradients(result: Any, leaves: list[Tensor], grad_output: Any, strict: bool) -> list[Any]:
    from gradus.engine.autograd import grad

    if not result.requires_grad:
        if strict:
            raise RuntimeError("The function's output does not require gradient: it is independent of the inputs")
        return [np.zeros_like(x._array) for x in leaves]
    gradients = grad(result, leaves, grad_output, retain_graph=True, allow_unused=True)
    if strict and any(g is None for g in gradients):
        raise RuntimeError("The function's output is independent of one of its inputs")
    return [np.zeros_like(x._array) if g is None else g._array for g, x in zip(gradients, leaves, strict=True)]
