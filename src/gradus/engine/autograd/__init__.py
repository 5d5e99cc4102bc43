"""`torch.autograd`: gradients of anything by anything, and `Function` for an operation of one's own."""

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
from gradus.engine.autograd.walk import Place, Walk
from gradus.engine.compat.absent import refuse
from gradus.engine.dtypes import Array
from gradus.engine.kernels import memory

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__getattr__ = refuse(__name__)

_NO_SECOND = (
    "create_graph=True is not supported: this engine does not record the backward walk, so a gradient has no gradient. "
    "For derivatives of derivatives use the torch backend."
)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the derivative of tensors by every leaf they depend on to the leaves' `.grad`.

    Args:
        tensors: where the walk starts.
        grad_tensors: the derivative of something by each of them; may be left out where a tensor is one number.
        retain_graph: keep what a second walk would need.
        create_graph: not supported; derivatives of derivatives need a graph of the walk itself.
        inputs: accumulate only into these.

    Raises:
        RuntimeError: if nothing requires a gradient, a gradient is missing or of the wrong shape, the graph has been
            walked already, or a value that the derivative needs has been changed in place.
    """
    if create_graph:
        raise RuntimeError(_NO_SECOND)
    edges, seeds = _roots(tensors, grad_tensors)
    memory.arrange()
    if inputs is None:
        Walk().run(edges, seeds, retain_graph)
        return
    leaves = _several(inputs)
    if not leaves:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    places = _places(leaves)
    found = Walk(places).run(edges, seeds, retain_graph)
    for leaf, place in {id(place): (leaf, place) for leaf, place in zip(leaves, places, strict=True)}.values():
        if id(place) in found:
            leaf._accumulate(found[id(place)])


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
    """Return the sum of the gradients of outputs with respect to each input; no `.grad` is changed.

    >>> x, w = torch.tensor(3.0), torch.tensor(2.0, requires_grad=True)
    >>> torch.autograd.grad((w * x) ** 2, w)  # 2 w x²
    (tensor(36.),)

    Args:
        grad_outputs, retain_graph, create_graph: as `backward`.
        allow_unused: give None for an input that outputs do not depend on, instead of raising.
        materialize_grads: give zeros for such an input.
    """
    if is_grads_batched:
        raise RuntimeError("is_grads_batched=True is not supported: call grad once for each gradient")
    wanted = _several(inputs)
    places = _places(wanted)
    if create_graph:
        raise RuntimeError(_NO_SECOND)
    memory.arrange()
    found = Walk(places).run(*_roots(outputs, grad_outputs), retain_graph)
    results: list[Tensor | None] = []
    for i, (tensor, place) in enumerate(zip(wanted, places, strict=True)):
        if id(place) in found:
            results.append(wrap(found[id(place)].copy()))
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


def _places(tensors: Sequence[Tensor]) -> list[Place]:
    places = []
    for tensor in tensors:
        edge = tensor._edge()
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        places.append(edge)
    return places


def _roots(tensors: Any, gradients: Any) -> tuple[Sequence[Edge], Sequence[Array]]:
    """The edges to where a walk starts, and the gradients it starts with."""
    if isinstance(tensors, _Variable):
        if gradients is not None and not isinstance(gradients, _Variable):
            (gradients,) = _matched(gradients, 1)
        edge, seed = _root(tensors, gradients, 0)
        return (edge,), (seed,)
    several = list(tensors)
    given = [None] * len(several) if gradients is None else _matched(gradients, len(several))
    roots = [_root(tensor, given[i], i) for i, tensor in enumerate(several)]
    return [edge for edge, _ in roots], [seed for _, seed in roots]


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
        if array.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        if array.dtype.kind == "c":
            raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {tensor.dtype}")
        return edge, ONE if array.dtype is ONE.dtype and not array.ndim else np.ones_like(array)
    if not isinstance(gradient, _Variable):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    if gradient._array.shape != tensor._array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {gradient.shape} and output[{i}] has a shape of "  # type: ignore[attr-defined]
            f"{tensor.shape}."
        )
    return edge, gradient._array.astype(tensor._array.dtype, copy=False).view()  # a view: the caller has the array
