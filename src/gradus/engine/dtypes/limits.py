"""`finfo` and `iinfo`: how large, how small and how fine the numbers of a type are."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.dtypes import dtype as DType

__all__ = ["finfo", "iinfo"]


def limits_of(kind: np.dtype[Any]) -> Any:
    """NumPy's finfo or iinfo of a type, or ml_dtypes's finfo of bfloat16."""
    if kind.kind != "V":
        return np.finfo(kind) if kind.kind in "fc" else np.iinfo(kind)
    import ml_dtypes

    return ml_dtypes.finfo(kind)  # type: ignore[no-untyped-call]


class finfo:
    """The limits of a floating-point type, by default of the default one.

    bits: how many it takes; eps: the step from 1 to the next number; tiny = smallest_normal; resolution: 10 to minus
    the number of decimal digits that are sure.
    """

    def __init__(self, type: DType | None = None) -> None:
        kind = dtypes.get_default_dtype() if type is None else type
        if not (kind.is_floating_point or kind.is_complex):
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        kind = kind.to_real()
        self.dtype = kind.name
        self.bits = 8 * kind.itemsize
        limits = limits_of(kind.numpy)
        self.eps, self.resolution = float(limits.eps), 10.0 ** -int(limits.precision)
        self.min, self.max, self.tiny = float(limits.min), float(limits.max), float(limits.tiny)
        self.smallest_normal = self.tiny

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{name}={getattr(self, name):g}' for name in names)}, dtype={self.dtype})"


class iinfo:
    """The limits of an integer type."""

    def __init__(self, type: DType) -> None:
        if type.numpy.kind not in "iu":
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        limits = np.iinfo(type.numpy)
        self.dtype = type.name
        self.bits = limits.bits
        self.min, self.max = int(limits.min), int(limits.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
