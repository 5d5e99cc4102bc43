"""`Parameter` and `Buffer`: tensors that a module registers when they are assigned to it; and those of lazy modules,
whose shape is inferred from the first input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np

from gradus.engine import dtypes
from gradus.engine.dtypes import Array, get_default_dtype
from gradus.engine.functions import empty
from gradus.engine.tensor import Tensor


class Parameter(Tensor):
    """A tensor that training changes. Assigned to a module it joins `module.parameters()`.

    Args:
        data: shares its numbers with the parameter; nothing means an empty float tensor.
        requires_grad: whether `backward` computes its gradient; also true when made under `no_grad`.
    """

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        self._array = _array_of(data)
        self._counter = None
        self.requires_grad_(requires_grad)

    def __repr__(self, **_: Any) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a module keeps but training does not change. Assigned to a module it joins `module.buffers()`."""

    persistent: bool = True

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        self._array = _array_of(data)
        self._counter = None
        self.persistent = persistent


def _array_of(data: Tensor | None) -> Array:
    if data is None:
        return np.empty(0, get_default_dtype().numpy)
    if not isinstance(data, Tensor):
        raise TypeError(f"a parameter is made from a Tensor, got {type(data).__name__}; use torch.tensor(...) first")
    return data._array


_ARRAY: Any = Tensor._array  # the slot's descriptor


class UninitializedTensorMixin:
    """A tensor that has a number type but no shape yet: `materialize` gives it one, anything else is an error."""

    __slots__ = ()

    cls_to_become: ClassVar[type[Tensor]]

    def materialize(self, shape: Sequence[int], device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter, or buffer, of this shape; its numbers are not set."""
        made = empty(shape, device=device, dtype=self.dtype if dtype is None else dtype)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self._array = made._array

    @property
    def _array(self) -> Array:  # every operation reads it
        raise ValueError(
            "Attempted to use an uninitialized parameter. This error happens when you are using a `LazyModule` or "
            f"explicitly manipulating `torch.nn.parameter.{type(self).__name__}` objects. When using LazyModules Call "
            "`forward` with a dummy batch to initialize the parameters before calling torch functions"
        )

    @_array.setter
    def _array(self, array: Array) -> None:
        _ARRAY.__set__(self, array)

    @property
    def data(self) -> Tensor:
        """An empty tensor of the same number type."""
        return Tensor._wrap(_ARRAY.__get__(self))

    @data.setter
    def data(self, value: Tensor) -> None:
        _ARRAY.__set__(self, value._array)

    @property
    def dtype(self) -> dtypes.dtype:
        return self.data.dtype

    @property
    def shape(self) -> NoReturn:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    def is_floating_point(self) -> bool:
        return self.data.is_floating_point()

    def detach(self) -> Any:
        """Itself: a state_dict shows that it is not initialized."""
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Convert to another dtype; itself if it has that dtype."""
        made = self.data.to(*args, **kwargs)
        return self if made.dtype == self.dtype else type(self)(dtype=made.dtype)  # type: ignore[call-arg]

    def __repr__(self, **_: Any) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self.dtype)  # type: ignore[attr-defined,call-arg]
        return memo[id(self)]

    def __reduce__(self) -> Any:
        return type(self), (self.requires_grad,)  # type: ignore[attr-defined]


def is_lazy(param: Any) -> bool:
    """Whether a parameter or buffer is not initialized yet."""
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet."""

    cls_to_become = Parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(empty(0, device=device, dtype=dtype), requires_grad=False)
        self._node = self.data.requires_grad_(requires_grad)._node


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet."""

    cls_to_become = Tensor

    def __init__(
        self, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> None:
        self._array = empty(0, device=device, dtype=dtype)._array
        self._counter = None
        self._node = self.data.requires_grad_(requires_grad)._node
        self.persistent = persistent
