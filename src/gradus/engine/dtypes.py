"""Number types, devices and shapes under PyTorch's names: what a tensor says about itself besides its numbers."""

from __future__ import annotations

import builtins
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "Size",
    "bfloat16",
    "bool",
    "device",
    "double",
    "dtype",
    "float",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "half",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "long",
    "set_default_dtype",
    "short",
    "uint8",
]

Array = npt.NDArray[Any]


class dtype:
    """A number type, such as `torch.float32`; `.numpy` is NumPy's name for it."""

    def __init__(self, name: str, numpy: npt.DTypeLike) -> None:
        self.name: Final = name
        self.numpy: Final[np.dtype[Any]] = np.dtype(numpy)

    @property
    def is_floating_point(self) -> builtins.bool:
        return self.numpy.kind == "f"

    @property
    def is_complex(self) -> builtins.bool:
        return False

    @property
    def is_signed(self) -> builtins.bool:
        return self.numpy.kind in "fi"

    @property
    def itemsize(self) -> builtins.int:
        """Bytes a number takes."""
        return 2 if self.name == "bfloat16" else self.numpy.itemsize

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


float64 = double = dtype("float64", np.float64)
float32 = float = dtype("float32", np.float32)
float16 = half = dtype("float16", np.float16)
int64 = long = dtype("int64", np.int64)
int32 = int = dtype("int32", np.int32)
int16 = short = dtype("int16", np.int16)
int8 = dtype("int8", np.int8)
uint8 = dtype("uint8", np.uint8)
bool = dtype("bool", np.bool_)
bfloat16 = dtype(
    "bfloat16", np.float32
)  # a name to ask about; NumPy has no such numbers, and no tensor here holds them

_BY_NUMPY = {d.numpy: d for d in (float64, float32, float16, int64, int32, int16, int8, uint8, bool)}

_default = float32


def get_default_dtype() -> dtype:
    return _default


def set_default_dtype(d: dtype) -> None:
    """Floats made from Python numbers get this type from now on."""
    global _default
    if not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d}")
    _default = d


def of_numpy(kind: np.dtype[Any]) -> dtype:
    """The engine's name for a NumPy number type."""
    try:
        return _BY_NUMPY[kind]
    except KeyError:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{kind}. The only supported types are: "
            "float64, float32, float16, int64, int32, int16, int8, uint8, and bool."
        ) from None


def to_numpy(d: Any) -> np.dtype[Any]:
    """NumPy's type for a `torch.dtype`, or for Python's own float, int and bool."""
    if isinstance(d, dtype):
        if d is bfloat16:
            raise TypeError("bfloat16 needs hardware that computes in it; use torch.float32, or the torch backend")
        return d.numpy
    try:
        return {
            builtins.float: np.dtype(np.float64),
            builtins.int: np.dtype(np.int64),
            builtins.bool: np.dtype(np.bool_),
        }[d]
    except (KeyError, TypeError):
        raise TypeError(f"dtype must be torch.dtype, not {type(d).__name__}") from None


class device:
    """Where a tensor lives. This engine has one place, "cpu"."""

    def __init__(self, name: str | device = "cpu", index: builtins.int | None = None) -> None:
        kind, _, number = str(name).partition(":")
        if kind not in ("cpu", "cuda", "mps", "xpu", "meta"):
            raise RuntimeError(
                "Expected one of cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, "
                f"vulkan, mps, meta, hpu, mtia, privateuseone device type at start of device string: {kind}"
            )
        self.type = kind
        self.index = index if index is not None else (builtins.int(number) if number else None)

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __eq__(self, other: object) -> builtins.bool:
        return isinstance(other, device) and str(self) == str(other)

    def __hash__(self) -> builtins.int:
        return hash(str(self))


CPU = device("cpu")


def check_device(where: Any) -> None:
    """Raise as PyTorch without that hardware does, unless `where` is the CPU (or nothing)."""
    if where is None or where is CPU:
        return
    kind = device(where).type
    if kind == "cuda":
        raise AssertionError("Torch not compiled with CUDA enabled")
    if kind != "cpu":
        raise RuntimeError(f"no {kind} device here: gradus's engine computes on the CPU; use device='cpu'")


class Size(tuple[builtins.int, ...]):
    """A shape: a tuple that prints as PyTorch's and counts its elements."""

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
