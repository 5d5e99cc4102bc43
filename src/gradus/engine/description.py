"""A tensor's description: its shape, dtype and memory, and its elements as Python values.

`Tensor` adds what autograd knows of it, and the operators.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradus.engine import dtypes, printing
from gradus.engine.autograd.record import Variable
from gradus.engine.compat.untyped_storage import UntypedStorage, storage_of
from gradus.engine.dtypes import Size, layouts
from gradus.engine.functions.sizes import axis_of
from gradus.engine.methods import Methods

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


class Description(Methods):
    """The properties of a tensor that do not depend on the graph."""

    # ---- what it is

    @property
    def shape(self) -> Size:
        return Size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the size of one dimension."""
        return self.shape if dim is None else self._array.shape[axis_of(dim, self._array.ndim)]

    @property
    def ndim(self) -> int:
        return self._array.ndim

    def dim(self) -> int:
        """Return the number of dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        """Return the number of elements."""
        return self._array.size

    nelement = numel

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes.of_numpy(self._array.dtype)

    @property
    def device(self) -> dtypes.device:
        return dtypes.CPU

    @property
    def itemsize(self) -> int:
        return self._array.itemsize

    def element_size(self) -> int:
        """Return the size of an element in bytes."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        return self._array.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """Return the strides in elements, or that of one dimension."""
        steps = tuple(s // self._array.itemsize for s in self._array.strides)
        return steps if dim is None else steps[dim]

    def storage_offset(self) -> int:
        """How many numbers into its base's memory a view starts."""
        start = self._array.__array_interface__["data"][0]
        root = self._array if self._base is None else self._base._array
        return int((start - root.__array_interface__["data"][0]) // self._array.itemsize)

    def untyped_storage(self) -> UntypedStorage:
        """The bytes of this tensor's memory, of its base's if it is a view."""
        return storage_of(self)

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return int(self._array.__array_interface__["data"][0])

    def is_contiguous(self) -> bool:
        """Return whether the elements are contiguous in memory, the last dimension first."""
        return self._array.flags.c_contiguous

    def is_floating_point(self) -> bool:
        """Return whether the dtype is a floating point type."""
        return self._array.dtype.kind in dtypes.REAL

    def is_complex(self) -> bool:
        """Return whether the dtype is complex."""
        return self._array.dtype.kind == "c"

    @property
    def layout(self) -> layouts.layout:
        return layouts.strided

    def get_device(self) -> int:
        """-1, the number of no GPU."""
        return -1

    def is_signed(self) -> bool:
        """Return whether the dtype is signed."""
        return self.dtype.is_signed

    def is_pinned(self) -> bool:
        """Return False: there is one kind of memory here."""
        return False

    @property
    def is_cuda(self) -> bool:
        return False

    @property
    def is_cpu(self) -> bool:
        return True

    @property
    def is_mps(self) -> bool:
        return False

    @property
    def is_xpu(self) -> bool:
        return False

    @property
    def is_quantized(self) -> bool:
        return False

    @property
    def is_sparse(self) -> bool:
        return False

    @property
    def is_meta(self) -> bool:
        return False

    # ---- as a value of Python

    def item(self) -> Any:
        """The one number in this tensor, as Python's."""
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        return self._array.item()

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers, or one number for a 0-d tensor."""
        return self._array.tolist()

    def __float__(self) -> float:
        return float(self._real_item())

    def __int__(self) -> int:
        return int(self._real_item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def _real_item(self) -> Any:
        number = self.item()
        if isinstance(number, complex):
            if number.imag:
                raise RuntimeError("value cannot be converted to type double without overflow")
            return number.real
        return number

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __bool__(self) -> bool:
        if self._array.size > 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        if not self._array.size:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        return bool(self.item())

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))  # type: ignore[misc]

    def __reversed__(self) -> Tensor:
        return self.flip(0) if self.ndim else self  # type: ignore[misc, return-value]

    def __contains__(self, x: Any) -> bool:
        return bool((self._array == (x._array if isinstance(x, Variable) else x)).any())

    def __repr__(self, **_: Any) -> str:
        return printing.represent(self)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        if not self._array.ndim:
            return format(self.item(), spec)
        return str(self) if not spec else object.__format__(self, spec)
