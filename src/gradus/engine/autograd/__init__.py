"""`torch.autograd`: gradients of tensors with respect to tensors, and `Function` for custom operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.anomaly_mode import detect_anomaly as detect_anomaly
from gradus.engine.autograd.anomaly_mode import set_detect_anomaly as set_detect_anomaly
from gradus.engine.autograd.function import Function as Function
from gradus.engine.autograd.grad_mode import enable_grad as enable_grad
from gradus.engine.autograd.grad_mode import inference_mode as inference_mode
from gradus.engine.autograd.grad_mode import no_grad as no_grad
from gradus.engine.autograd.grad_mode import set_grad_enabled as set_grad_enabled
from gradus.engine.autograd.node import ONE, Edge
from gradus.engine.autograd.record import Variable as _Variable
from gradus.engine.autograd.record import wrap
from gradus.engine.autograd.variable import Variable as Variable
from gradus.engine.autograd.walk import Target, Walk
from gradus.engine.compat.absent import refuse
from gradus.engine.dtypes import Array
from gradus.engine.kernels import memory

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__getattr__ = refuse(__name__)

_NO_SECOND = (
    "create_graph=True is not supported: this engine does not record backward, so a gradient has no gradient. For "
    "derivatives of derivatives use the torch backend."
)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Compute the gradients of tensors with respect to the leaves of their graph, and accumulate them into `.grad`.

    Args:
        tensors: the roots of the graph to differentiate, of any shape.
        grad_tensors: the gradient with respect to each of them, of its shape; optional for a tensor of one element.
        retain_graph: keep the saved tensors, so that backward can run again.
        create_graph: not supported: derivatives of derivatives need a graph of backward itself.
        inputs: accumulate only into these.

    Raises:
        RuntimeError: if no tensor requires a gradient, a gradient is missing or has the wrong shape, the saved tensors
            were freed by an earlier backward, or one was changed by an in-place operation.
    """
    if create_graph:
        raise RuntimeError(_NO_SECOND)
    edges, gradients = _roots(tensors, grad_tensors)
    memory.arrange()
    if inputs is None:
        Walk().run(edges, gradients, retain_graph)
        return
    leaves = _several(inputs)
    if not leaves:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    targets = _targets(leaves)
    captured = Walk(targets).run(edges, gradients, retain_graph)
    for leaf, target in {id(target): (leaf, target) for leaf, target in zip(leaves, targets, strict=True)}.values():
        if id(target) in captured:
            leaf._accumulate(captured[id(target)])


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Compute and return the gradients of outputs with respect to inputs, one for each; no `.grad` changes.

    >>> x, w = torch.tensor(3.0), torch.tensor(2.0, requires_grad=True)
    >>> torch.autograd.grad((w * x) ** 2, w)  # 2 w x²
    (tensor(36.),)

    Args:
        grad_outputs, retain_graph, create_graph: as in `backward`.
        allow_unused: return None for an input on which the outputs do not depend, instead of raising.
        materialize_grads: return zeros for such an input.

    Raises:
        RuntimeError: as `backward`; if an input requires no gradient, or is unused without allow_unused.
    """
    if is_grads_batched:
        raise RuntimeError("is_grads_batched=True is not supported: call grad once for each gradient")
    wanted = _several(inputs)
    targets = _targets(wanted)
    if create_graph:
        raise RuntimeError(_NO_SECOND)
    memory.arrange()
    captured = Walk(targets).run(*_roots(outputs, grad_outputs), retain_graph)
    results: list[Tensor | None] = []
    for i, (tensor, target) in enumerate(zip(wanted, targets, strict=True)):
        if id(target) in captured:
            results.append(wrap(captured[id(target)].copy()))
        elif materialize_grads:
            results.append(wrap(np.zeros_like(tensor._array)))
        elif allow_unused:
            results.append(None)
        else:
            raise RuntimeError(
                f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
    return tuple(results)


def _several(tensors: Any) -> list[Any]:
    return [tensors] if isinstance(tensors, _Variable) else list(tensors)


def _targets(tensors: Sequence[Tensor]) -> list[Target]:
    targets = []
    for tensor in tensors:
        edge = tensor._edge()
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        targets.append(edge)
    return targets


def _roots(tensors: Any, gradients: Any) -> tuple[Sequence[Edge], Sequence[Array]]:
    """The edges to the roots of a walk, and the gradients for them."""
    if isinstance(tensors, _Variable):
        if gradients is not None and not isinstance(gradients, _Variable):
            (gradients,) = _matched(gradients, 1)
        edge, gradient = _root(tensors, gradients, 0)
        return (edge,), (gradient,)
    several = list(tensors)
    given = [None] * len(several) if gradients is None else _matched(gradients, len(several))
    roots = [_root(tensor, given[i], i) for i, tensor in enumerate(several)]
    return [edge for edge, _ in roots], [gradient for _, gradient in roots]


def _matched(gradients: Any, number: int) -> list[Any]:
    given = _several(gradients)
    if len(given) != number:
        raise RuntimeError(f"got {number} tensors and {len(given)} gradients")
    return given


def _root(tensor: Any, gradient: Any, i: int) -> tuple[Edge, Array]:
    edge: Edge = tensor._edge()
    if edge is None:
        raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
    if gradient is None:
        array = tensor._array
        if array.dtype is ONE.dtype and not array.ndim:
            return edge, ONE
        if array.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        if array.dtype.kind == "c":
            raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {tensor.dtype}")
        return edge, np.ones_like(array)
    if not isinstance(gradient, _Variable):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    if gradient._array.shape != tensor._array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {gradient.shape} and output[{i}] has a shape of "  # type: ignore[attr-defined]
            f"{tensor.shape}."
        )
    return edge, gradient._array.astype(tensor._array.dtype, copy=False).view()  # a view: the caller has the array
