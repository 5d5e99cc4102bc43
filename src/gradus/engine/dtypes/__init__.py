"""PyTorch's dtypes, devices and shapes: a tensor's attributes besides its data."""

from __future__ import annotations

import builtins
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "Size",
    "bfloat16",
    "bool",
    "cdouble",
    "cfloat",
    "complex64",
    "complex128",
    "device",
    "double",
    "dtype",
    "float",
    "float16",
    "float32",
    "float64",
    "get_default_device",
    "get_default_dtype",
    "half",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "long",
    "set_default_device",
    "set_default_dtype",
    "short",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

Array = npt.NDArray[Any]


# NumPy's `dtype.kind` of floats, 'V' being that of ml_dtypes's bfloat16.
REAL = "fV"
FLOATING = "fVc"  # dtypes that can have gradients


class dtype:
    """A data type, such as `torch.float32`; `.numpy` is the NumPy dtype."""

    numpy: np.dtype[Any]

    def __init__(self, name: str, numpy: npt.DTypeLike | None) -> None:
        self.name: Final = name
        if numpy is not None:
            self.numpy = np.dtype(numpy)

    def __getattr__(self, name: str) -> Any:
        if name != "numpy":
            raise AttributeError(f"'torch.dtype' object has no attribute '{name}'")
        import ml_dtypes  # its import takes a tenth of the engine's, and few programs need it

        self.numpy = np.dtype(ml_dtypes.bfloat16)
        _BY_NUMPY[self.numpy] = self
        return self.numpy

    @property
    def is_floating_point(self) -> builtins.bool:
        return self.numpy.kind in REAL

    @property
    def is_complex(self) -> builtins.bool:
        return self.numpy.kind == "c"

    @property
    def is_signed(self) -> builtins.bool:
        return self.numpy.kind in "fiVc"

    @property
    def itemsize(self) -> builtins.int:
        """The size of an element in bytes."""
        return self.numpy.itemsize

    def to_real(self) -> dtype:
        """The dtype of a complex dtype's real and imaginary parts; a real dtype itself."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    def to_complex(self) -> dtype:
        """The complex dtype whose real and imaginary parts have this dtype."""
        if self.is_complex:
            return self
        if self.name not in ("bfloat16", "float32", "float64"):
            raise RuntimeError(f"{self} has no complex type here; only complex64 and complex128 are supported")
        return complex128 if self is float64 else complex64

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


float64 = double = dtype("float64", np.float64)
float32 = float = dtype("float32", np.float32)
float16 = half = dtype("float16", np.float16)
bfloat16 = dtype("bfloat16", None)
complex64 = cfloat = dtype("complex64", np.complex64)
complex128 = cdouble = dtype("complex128", np.complex128)
int64 = long = dtype("int64", np.int64)
int32 = int = dtype("int32", np.int32)
int16 = short = dtype("int16", np.int16)
int8 = dtype("int8", np.int8)
uint8 = dtype("uint8", np.uint8)
uint16 = dtype("uint16", np.uint16)
uint32 = dtype("uint32", np.uint32)
uint64 = dtype("uint64", np.uint64)
bool = dtype("bool", np.bool_)

_BY_NUMPY = {
    d.numpy: d
    for d in (
        *(float64, float32, float16, complex64, complex128),
        *(int64, int32, int16, int8, uint8, uint16, uint32, uint64, bool),
    )
}

_default = float32


def get_default_dtype() -> dtype:
    """Return the dtype of tensors made from Python floats."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Set the dtype of tensors made from Python floats: a floating point type."""
    global _default
    if not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d}")
    _default = d


def of_numpy(numpy_dtype: np.dtype[Any]) -> dtype:
    """The `torch.dtype` of a NumPy dtype.

    Raises:
        TypeError: if there is none.
    """
    try:
        return _BY_NUMPY[numpy_dtype]
    except KeyError:
        if numpy_dtype.name == "bfloat16" == bfloat16.numpy.name:  # which makes it known
            return bfloat16
        raise TypeError(not_numpy(numpy_dtype)) from None


def not_numpy(numpy_dtype: np.dtype[Any]) -> str:
    """The message for a NumPy dtype that tensors do not have."""
    return (
        f"can't convert np.ndarray of type {numpy_dtype.type.__module__}.{numpy_dtype.type.__name__}. The only "
        "supported types are: float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, "
        "uint32, uint16, uint8, and bool."
    )


def to_numpy(d: Any) -> np.dtype[Any]:
    """The NumPy dtype of a `torch.dtype`, or of Python's float, int, bool or complex.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(d, dtype):
        return d.numpy
    try:
        return {
            builtins.float: np.dtype(np.float64),
            builtins.int: np.dtype(np.int64),
            builtins.bool: np.dtype(np.bool_),
            complex: np.dtype(np.complex128),
        }[d]
    except (KeyError, TypeError):
        raise TypeError(f"dtype must be torch.dtype, not {type(d).__name__}") from None


class device:
    """The device of a tensor, which in this engine is always the CPU."""

    def __init__(
        self, name: str | device = "cpu", index: builtins.int | None = None, *, type: str | None = None
    ) -> None:
        name = name if type is None else type
        kind, _, number = str(name).partition(":")
        if kind not in ("cpu", "cuda", "mps", "xpu", "meta"):
            raise RuntimeError(
                "Expected one of cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, "
                f"vulkan, mps, meta, hpu, mtia, privateuseone device type at start of device string: {kind}"
            )
        self.type = kind
        self.index = index if index is not None else (builtins.int(number) if number else None)

    def __enter__(self) -> device:
        """Create tensors on this device within the block; it must be the CPU."""
        check_device(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing changes: the device is always the CPU."""

    def __call__(self, function: Any) -> Any:
        """As a decorator: the function creates tensors on this device, which must be the CPU."""
        check_device(self)
        return function

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __eq__(self, other: object) -> builtins.bool:
        return isinstance(other, device) and str(self) == str(other)

    def __hash__(self) -> builtins.int:
        return hash(str(self))


CPU = device("cpu")


def set_default_device(device: Any) -> None:
    """Set the device of new tensors; only the CPU is supported.

    Raises:
        AssertionError, RuntimeError: for any other device.
    """
    check_device(device)


def get_default_device() -> device:
    """The CPU."""
    return CPU


def check_device(where: Any) -> None:
    """Raise as PyTorch without that hardware does, unless `where` is the CPU or None."""
    if where is None or where is CPU:
        return
    kind = device(where).type
    if kind == "cuda":
        raise AssertionError("Torch not compiled with CUDA enabled")
    if kind != "cpu":
        raise RuntimeError(f"no {kind} device here: gradus's engine computes on the CPU; use device='cpu'")


class Size(tuple[builtins.int, ...]):
    """A shape: a tuple with `numel()` that prints as PyTorch's."""

    __slots__ = ()

    def numel(self) -> builtins.int:
        n = 1
        for size in self:
            n *= size
        return n

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def __getitem__(self, index: Any) -> Any:
        got = tuple.__getitem__(self, index)
        return Size(got) if type(index) is slice else got

    def __add__(self, other: Any) -> Size:
        return Size(tuple(self) + tuple(other))
