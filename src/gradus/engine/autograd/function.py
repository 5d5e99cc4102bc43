"""`torch.autograd.Function`: custom operations, with forward and backward written in terms of tensors.

class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * dy

y = Cube.apply(x)
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd import node
from gradus.engine.autograd.grad_mode import no_grad, state
from gradus.engine.autograd.in_place import rewire
from gradus.engine.autograd.node import SECOND_TIME, Edge, Output
from gradus.engine.autograd.record import Variable, wrap, writable
from gradus.engine.compat.absent import refuse
from gradus.engine.dtypes import FLOATING

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


class FunctionCtx:
    """The context that `forward` passes to `backward`: saved tensors, and whatever attributes it sets."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._to_save: tuple[Any, ...] = ()
        self._saved: list[tuple[Any, ...]] | None = []
        self._dirty: tuple[Any, ...] = ()
        self._without_gradient: tuple[Any, ...] = ()
        self._materialize = True
        self._called = ""

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Save tensors for backward, which raises if one was changed in place."""
        self._to_save = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Declare that forward changed these inputs in place, and returns them."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Declare that these outputs have no gradient."""
        self._without_gradient = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward is given zeros (the default) or None for an output that received no gradient."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        if self._saved is None:
            raise RuntimeError(SECOND_TIME)
        tensors: list[Tensor | None] = []
        for tensor, array, counter, version in self._saved:
            if counter is not None and counter[0] != version:
                raise RuntimeError(node.changed(array, counter[0], version, "", self._called))
            tensors.append(tensor if tensor is not None or array is None else wrap(array))
        return tuple(tensors)

    def _keep(self, outputs: tuple[Any, ...]) -> None:
        """Record what is saved: an input itself, of an output only the array, which avoids a reference cycle."""
        self._saved = [
            (None, None, None, 0)
            if t is None
            else (None if any(t is o for o in outputs) else t, t._array, t._version_counter, t._version_counter[0])
            for t in self._to_save
        ]
        self._to_save = ()


_ALWAYS: node.SavedVersion = ([0], 0, 0, None)  # of no tensor: makes the walk call `release`


class Custom(node.Function):
    """The node of a custom operation."""

    def __init__(self, function: type[Function], context: FunctionCtx) -> None:
        self.function, self.context = function, context
        context._called = self.name()
        self.shapes: list[tuple[tuple[int, ...], Any]] = []

    def name(self) -> str:
        return self.function.__name__ + "Backward"

    def backward(self, dy: Any) -> Any:
        gradients: Any = dy if type(dy) is list else [dy]
        given: list[Any] = []
        for gradient, (shape, dtype) in zip(gradients, self.shapes, strict=True):
            if gradient is None and self.context._materialize:
                gradient = np.zeros(shape, dtype)
            given.append(None if gradient is None else wrap(writable(gradient)))
        with no_grad():
            grad_inputs: Any = self.function.backward(self.context, *given)
        grad_inputs = grad_inputs if isinstance(grad_inputs, tuple) else (grad_inputs,)
        extra = [g for g in grad_inputs[len(self.edges) :] if g is not None]
        if len(grad_inputs) < len(self.edges) or extra:
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {len(self.edges)}, got "
                f"{len(grad_inputs)})"
            )
        return tuple(self._fitting(i, g) for i, g in enumerate(grad_inputs))

    def release(self) -> None:
        if self.context._saved:
            self.context._saved = None

    def _fitting(self, i: int, gradient: Any) -> Any:
        edge = self.edges[i] if i < len(self.edges) else None
        if gradient is None or edge is None:
            return None
        expected = self.inputs[i]
        if gradient._array.shape != expected:
            raise RuntimeError(
                f"Function {self.name()} returned an invalid gradient at index {i} - got "
                f"{list(gradient._array.shape)} but expected shape compatible with {list(expected)}"
            )
        return gradient._array.view()  # the function may hold the array

    inputs: tuple[Any, ...] = ()


class Function:
    """Derive a class with static methods `forward(ctx, *args)` and `backward(ctx, *grads)`, and call its `apply`.

    backward returns one gradient for each argument of forward, or None for an argument that has none. With a static
    method `setup_context(ctx, inputs, output)`, forward is written without ctx.

    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, dy):
    ...         (x,) = ctx.saved_tensors
    ...         return dy * 2 * x
    >>> x = torch.tensor([3.0, -1.0], requires_grad=True)
    >>> Square.apply(x).sum().backward()
    >>> x.grad
    tensor([ 6., -2.])
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the output from the inputs; the first argument is ctx unless there is a `setup_context`."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save in ctx what backward needs."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return the gradient of each input, given those of the outputs."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward, and record the operation.

        With `setup_context`, the defaults of forward's parameters are inputs, too.
        """
        new_style = cls.setup_context is not Function.setup_context
        if new_style:
            args = _with_defaults(cls.forward, args, kwargs)
        elif kwargs:
            raise TypeError(f"{cls.__name__}.apply() takes no keyword arguments")
        edges: tuple[Edge, ...] = tuple(a._edge() if isinstance(a, Variable) and state.enabled else None for a in args)
        context = FunctionCtx(tuple(edge is not None for edge in edges))
        with no_grad():
            if new_style:
                result = cls.forward(*args)
                cls.setup_context(context, args, result)
            else:
                result = cls.forward(context, *args)
        several = isinstance(result, tuple)
        outputs = result if several else (result,)
        grad_fn = Custom(cls, context)
        grad_fn.inputs = tuple(a._array.shape if isinstance(a, Variable) else None for a in args)
        recorded = any(context.needs_input_grad)
        if recorded:
            if several:
                grad_fn.outputs = len(outputs)
            grad_fn.join(edges, (_ALWAYS,))
        tensors = []
        for i, out in enumerate(outputs):
            grad_fn.shapes.append(
                (out._array.shape, out._array.dtype) if isinstance(out, Variable) else ((), np.float64)
            )
            tensors.append(_placed(out, grad_fn, i, args, context, recorded) if isinstance(out, Variable) else out)
        context._keep((*outputs, *tensors))
        context._dirty = context._without_gradient = ()
        return tuple(tensors) if several else tensors[0]


class InplaceFunction(Function):
    """A `Function` with an `inplace` flag."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator for a backward that is not differentiable; in this engine, none is."""

    @functools.wraps(fn)
    def backward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        with no_grad():
            return fn(ctx, *args, **kwargs)

    return backward


def _with_defaults(forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    bound = inspect.signature(forward).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


def _placed(out: Any, grad_fn: Custom, output: int, args: tuple[Any, ...], context: FunctionCtx, recorded: bool) -> Any:
    """An output with its grad_fn; an input that was returned unchanged becomes a new tensor."""
    if any(out is dirty for dirty in context._dirty):
        if recorded:
            if grad_fn.outputs is not None and out._base is not None:
                raise RuntimeError(f"{grad_fn.name()} changes a view in place: it cannot return more than one tensor")
            rewire(out, grad_fn if grad_fn.outputs is None else Output(grad_fn, output))
        return out
    if any(out is argument for argument in args):
        passed_on = wrap(out._array)
        passed_on._counter = out._version_counter
        out = passed_on
    wanted = recorded and out._array.dtype.kind in FLOATING and not any(out is x for x in context._without_gradient)
    if wanted:
        out._base = None
        out._become(grad_fn if grad_fn.outputs is None else Output(grad_fn, output))
    return out


__getattr__ = refuse(__name__)
