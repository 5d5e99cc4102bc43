"""`finfo` and `iinfo`: the numerical limits of dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.dtypes import dtype as DType

__all__ = ["finfo", "iinfo"]


def limits_of(dtype: np.dtype[Any]) -> Any:
    """NumPy's finfo or iinfo of a dtype, or ml_dtypes's finfo of bfloat16."""
    if dtype.kind != "V":
        return np.finfo(dtype) if dtype.kind in "fc" else np.iinfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]


class finfo:
    """The numerical limits of a floating-point dtype, the default dtype if None.

    bits: size; eps: the difference between 1 and the next larger number; tiny = smallest_normal: the smallest positive
    normal number; resolution: 10 to minus the number of exact decimal digits.
    """

    def __init__(self, type: DType | None = None) -> None:
        dtype = dtypes.get_default_dtype() if type is None else type
        if not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        dtype = dtype.to_real()
        self.dtype = dtype.name
        self.bits = 8 * dtype.itemsize
        limits = limits_of(dtype.numpy)
        self.eps, self.resolution = float(limits.eps), 10.0 ** -int(limits.precision)
        self.min, self.max, self.tiny = float(limits.min), float(limits.max), float(limits.tiny)
        self.smallest_normal = self.tiny

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{name}={getattr(self, name):g}' for name in names)}, dtype={self.dtype})"


class iinfo:
    """The numerical limits of an integer dtype."""

    def __init__(self, type: DType) -> None:
        if type.numpy.kind not in "iu":
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        limits = np.iinfo(type.numpy)
        self.dtype = type.name
        self.bits = limits.bits
        self.min, self.max = int(limits.min), int(limits.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
