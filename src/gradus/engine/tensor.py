"""`Tensor`: an array of numbers that remembers where it came from.

Here are its place in the graph, the way to NumPy, and its operators; `description.py` has its shape, dtype and memory.
Its methods are the table in `methods.py`: the functions of `functions/` under PyTorch's names. The operations behind
them are in `ops/`; `autograd/record.py` records them, and `autograd/walk.py` walks the record backward.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from gradus.engine import autograd, dtypes
from gradus.engine.autograd.grad_mode import state as grad_state
from gradus.engine.autograd.node import LEAF, Node, Output, RemovableHook
from gradus.engine.autograd.record import Variable, results_are
from gradus.engine.compat import absent
from gradus.engine.description import Description
from gradus.engine.dtypes import Array
from gradus.engine.functions import (
    arithmetic,
    comparison,
    complex_numbers,
    creation,
    gathering,
    in_place_arithmetic,
    products,
    reordering,
    write_back,
)
from gradus.engine.functions.checks import floating_only as floating_only

_new = object.__new__

# Says of an attribute that is not here whether PyTorch has it. Not by `__getattr__`: every tensor's attributes, slots
# too, would be found more slowly (an MLP's step in 119 instead of 110 µs).
if TYPE_CHECKING:
    _Missing = object
else:
    _Missing = absent.missing_attributes("torch.Tensor")


class Tensor(Description, _Missing):
    """An n-dimensional array of one dtype, and its place in the graph of the operations that computed it.

    `Tensor(data)` returns a float32 tensor of data, `Tensor(2, 3)` one of that shape; most programs use `torch.tensor`.

    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> y = (x @ x.T).relu().sum()
    >>> y
    tensor(52., grad_fn=<SumBackward0>)
    >>> y.backward()  # fills x.grad with ∂y/∂x
    >>> x.grad
    tensor([[ 8., 12.],
            [ 8., 12.]])
    >>> x[:, 0].shape, x.mean(dim=1, keepdim=True).shape
    (torch.Size([2]), torch.Size([2, 1]))
    """

    __array_priority__ = 1000  # NumPy leaves `array * tensor` to the tensor

    def __init__(self, *data: Any, device: Any = None) -> None:
        given = data[0] if len(data) == 1 and isinstance(data[0], Variable) else None
        kind = dtypes.get_default_dtype().numpy if given is None else given._array.dtype
        made = creation.new(kind, *data, device=device)
        self._array, self._base, self._counter, self._node = made._array, made._base, made._counter, made._node

    # ---- its place in the graph

    @property
    def requires_grad(self) -> bool:
        return self._node is not None or (self._base is not None and self._edge() is not None)

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad`; return this tensor."""
        made = self._node is not None and self._node is not LEAF
        if made and not requires_grad:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                "a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if requires_grad and self._array.dtype.kind not in dtypes.FLOATING:
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        if not made:
            self._node = LEAF if requires_grad else None
        return self

    @property
    def is_leaf(self) -> bool:
        return self.grad_fn is None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made this tensor; None for a leaf."""
        node = self._node if self._base is None else self._edge()
        return node.of if isinstance(node, Output) else None if node is LEAF or node is self else cast("Node", node)

    @property
    def output_nr(self) -> int:
        return self._node.index if isinstance(self._node, Output) else 0

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` left here; None if there was none yet."""
        grad = self._grad
        if grad is None and self._node is not None and self._node is not LEAF and not self._retains:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated "
                "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.",
                UserWarning,
                stacklevel=2,
            )
        return grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
                    f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
        self._grad = value

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph: a change through it goes unnoticed by autograd."""
        made = _new(Tensor)  # as `wrap`, written out: each update of a parameter asks for this
        made._array = self._array
        made._base = made._counter = made._grad = made._node = None
        return made

    @data.setter
    def data(self, value: Tensor) -> None:
        self._array = value._array

    @property
    def _version(self) -> int:
        return self._version_counter[0]

    def detach(self) -> Tensor:
        """The same memory outside the graph; changes in place are noticed by autograd."""
        out = Tensor._wrap(self._array)
        out._counter = self._version_counter
        return out

    def detach_(self) -> Tensor:
        """Detach this tensor from the graph, in place; return it."""
        self._node = None
        return self

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Add the derivative of this number by every leaf it depends on to the leaves' `.grad`.

        Args:
            gradient: the derivative of something by this tensor, needed when it has more than one element.
            retain_graph: keep what a second walk would need.
            create_graph: not supported; derivatives of derivatives need a graph of the walk itself.
            inputs: accumulate only into these leaves.
        """
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Let backward set `.grad` of this tensor although it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is not None and self._node is not LEAF and not self._retains:
            self._retains = True
            self._become(self._node)

    @property
    def retains_grad(self) -> bool:
        return self._retains and self._node is not None and self._node is not LEAF

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHook:
        """Call `hook(grad)` each time this tensor's gradient is computed; a tensor it returns replaces the gradient."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        owner: Any = self._edge()
        name, watched = ("_hooks", "_watched") if owner is self else ("pre_hooks", "watched")
        entry = (hook,)
        setattr(owner, name, [*(getattr(owner, name) or ()), entry])
        setattr(owner, watched, True)
        return RemovableHook(owner, name, entry)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHook:
        """Call `hook` with this leaf each time `backward` has added to its `.grad`."""
        if self._node is not LEAF:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        self._after_accumulation = [*(self._after_accumulation or ()), hook]
        self._watched = True
        return RemovableHook(self, "_after_accumulation", hook)

    # ---- to NumPy, copies

    def numpy(self, *, force: bool = False) -> Array:
        """The array itself, not a copy. One that requires a gradient gives it under `no_grad` only, or by force."""
        if self.requires_grad and not force and grad_state.enabled:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self._array.dtype.kind == "V":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __hash__(self) -> int:
        return id(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._node is not None and self._node is not LEAF:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
                "the moment."
            )
        if id(self) not in memo:
            copied = type(self)._wrap(self._array.copy())
            copied._node = self._node
            copied._grad = None if self._grad is None else self._grad.clone()
            memo[id(self)] = copied
        return memo[id(self)]

    def __reduce__(self) -> Any:
        return _rebuild, (type(self), self._array, self._node is LEAF)

    # ---- transposes, real and imaginary part

    @property
    def T(self) -> Tensor:
        """The dimensions in reverse order."""
        return reordering.reverse(self)

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
        if self.ndim < 2:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D tensor."
            )
        return self.transpose(-2, -1)

    @property
    def mH(self) -> Tensor:
        """The last two dimensions exchanged, and conjugated."""
        return complex_numbers.conj(self.mT)

    @property
    def H(self) -> Tensor:
        """A matrix transposed and conjugated."""
        return complex_numbers.conj(self.mT)

    @property
    def real(self) -> Tensor:
        """The real part, a view."""
        return complex_numbers.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        complex_numbers.real(self).copy_(value)

    @property
    def imag(self) -> Tensor:
        """The imaginary part, a view."""
        return complex_numbers.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        complex_numbers.imag(self).copy_(value)

    # ---- operators

    __eq__ = comparison.equals
    __ne__ = comparison.differs
    __lt__, __le__, __gt__, __ge__ = comparison.lt, comparison.le, comparison.gt, comparison.ge
    __invert__ = comparison.invert
    __and__ = __rand__ = comparison.bitwise_and
    __or__ = __ror__ = comparison.bitwise_or
    __xor__ = __rxor__ = comparison.bitwise_xor
    __lshift__, __rshift__ = comparison.bitwise_left_shift, comparison.bitwise_right_shift
    __rlshift__, __rrshift__ = comparison.rlshift, comparison.rrshift
    __add__ = __radd__ = arithmetic.plus
    __sub__, __rsub__ = arithmetic.sub, arithmetic.rsub
    __mul__ = __rmul__ = arithmetic.mul
    __truediv__, __floordiv__, __mod__, __pow__ = (
        arithmetic.div,
        arithmetic.floor_divide,
        arithmetic.remainder,
        arithmetic.pow,
    )
    __neg__, __pos__, __abs__ = arithmetic.neg, arithmetic.positive, arithmetic.abs
    __getitem__, __setitem__ = gathering.getitem, gathering.setitem
    __matmul__ = products.matmul

    def __rmatmul__(self, other: Any) -> Tensor:
        return products.matmul(other, self) if isinstance(other, Tensor) else NotImplemented

    __iadd__, __isub__, __imul__, __itruediv__, __ipow__ = (
        in_place_arithmetic.iadd,
        in_place_arithmetic.isub,
        in_place_arithmetic.mul_,
        in_place_arithmetic.div_,
        in_place_arithmetic.pow_,
    )
    __ifloordiv__, __imod__ = in_place_arithmetic.floor_divide_, in_place_arithmetic.remainder_
    __iand__, __ior__, __ixor__ = write_back.bitwise_and_, write_back.bitwise_or_, write_back.bitwise_xor_
    __ilshift__, __irshift__ = write_back.bitwise_left_shift_, write_back.bitwise_right_shift_

    def __rtruediv__(self, other: Any) -> Tensor:
        if not isinstance(self, Tensor):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'reciprocal'")
        return self.reciprocal() * other

    __rdiv__ = __rtruediv__  # Python 2's name, which PyTorch has kept

    def __rfloordiv__(self, other: Any) -> Tensor:
        return arithmetic.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Tensor:
        return arithmetic.remainder(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return arithmetic.pow(other, self)


results_are(Tensor)


def _rebuild(kind: type[Tensor], array: Array, requires_grad: bool) -> Tensor:
    made = kind._wrap(array)
    made._node = LEAF if requires_grad else None
    return made
