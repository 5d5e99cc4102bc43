"""`torch.fft`: discrete Fourier transforms, in one, two and more dimensions, with gradients.

`n` or `s` is the size that a dimension is cut or padded with zeros to; `norm` says which way is divided by it:
"backward" (the inverse, the default), "forward", or "ortho", both by its square root.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradus.engine.autograd.record import apply, wrap
from gradus.engine.compat.absent import refuse
from gradus.engine.dtypes import dtype as DType
from gradus.engine.dtypes import get_default_dtype
from gradus.engine.functions import cat, roll
from gradus.engine.functions.operands import floating
from gradus.engine.functions.sizes import axis_of
from gradus.engine.ops.fft import ADJOINT, Fft
from gradus.engine.tensor import Tensor

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft", "irfft",
    "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip
__getattr__ = refuse(__name__)

Sizes = Sequence[int] | None
Axes = Sequence[int] | int | None
LAST_TWO = (-2, -1)


def fftn(input: Tensor, s: Sizes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
    """Of a real or complex tensor, along `dim`: all dimensions, or the last len(s), where it is not given."""
    return _transform(input, s, dim, norm, inverse=False)


def ifftn(input: Tensor, s: Sizes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
    """The inverse of `fftn`."""
    return _transform(input, s, dim, norm, inverse=True)


def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Along one dimension."""
    return _transform(input, None if n is None else (n,), (dim,), norm, inverse=False)


def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `fft`."""
    return _transform(input, None if n is None else (n,), (dim,), norm, inverse=True)


def fft2(input: Tensor, s: Sizes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
    """Along two dimensions."""
    return fftn(input, s, dim, norm)


def ifft2(input: Tensor, s: Sizes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
    """The inverse of `fft2`."""
    return ifftn(input, s, dim, norm)


def rfftn(input: Tensor, s: Sizes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
    """`fftn` of a real tensor, without the half of the last dimension that is the conjugate of the other."""
    if input.is_complex():
        raise RuntimeError(f"rfftn expects a real-valued input tensor, but got {input.dtype}")
    axes = _axes(input, s, dim)
    y = _transform(input, s, axes, norm, inverse=False)
    return y.narrow(axes[-1], 0, y.shape[axes[-1]] // 2 + 1)


def irfftn(input: Tensor, s: Sizes = None, dim: Axes = None, norm: str | None = None) -> Tensor:
    """The inverse of `rfftn`: a real tensor. The last size is 2 (m - 1) for an input of m, or what `s` says."""
    axes = _axes(input, s, dim)
    last = axes[-1]
    n = 2 * (input.shape[last] - 1) if s is None else int(s[-1])
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    others = _transform(input, None if s is None else s[:-1], axes[:-1], norm, inverse=True)
    half = _resized(_complex(others), last, n // 2 + 1)
    mirrored = half.narrow(last, 1, (n - 1) // 2).flip(last).conj()
    return _transform(cat([half, mirrored], last), None, (last,), norm, inverse=True).real.contiguous()


def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """`rfftn` along one dimension."""
    return rfftn(input, None if n is None else (n,), (dim,), norm)


def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `rfft`."""
    return irfftn(input, None if n is None else (n,), (dim,), norm)


def rfft2(input: Tensor, s: Sizes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
    """`rfftn` along two dimensions."""
    return rfftn(input, s, dim, norm)


def irfft2(input: Tensor, s: Sizes = None, dim: Axes = LAST_TWO, norm: str | None = None) -> Tensor:
    """The inverse of `rfft2`."""
    return irfftn(input, s, dim, norm)


def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The transform, which is real, of a sequence whose second half is the conjugate of the first, which is given."""
    return irfft(_complex(input).conj(), n, dim, ADJOINT[_norm(norm)])


def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `hfft`."""
    return rfft(input, n, dim, ADJOINT[_norm(norm)]).conj()


def fftfreq(n: int, d: float = 1.0, *, dtype: DType | None = None, **others: Any) -> Tensor:
    """The frequencies of `fft`'s n results, for samples d apart: 0, 1 ... -2, -1, over n d."""
    return _frequencies(np.fft.fftfreq(n, d), dtype, others)


def rfftfreq(n: int, d: float = 1.0, *, dtype: DType | None = None, **others: Any) -> Tensor:
    """The frequencies of `rfft`'s results: 0, 1 ... n // 2, over n d."""
    return _frequencies(np.fft.rfftfreq(n, d), dtype, others)


def fftshift(input: Tensor, dim: Axes = None) -> Tensor:
    """The frequency 0 moved to the middle."""
    axes = _axes(input, None, dim)
    return roll(input, [input.shape[i] // 2 for i in axes], axes)


def ifftshift(input: Tensor, dim: Axes = None) -> Tensor:
    """The inverse of `fftshift`."""
    axes = _axes(input, None, dim)
    return roll(input, [(input.shape[i] + 1) // 2 for i in axes], axes)


def _frequencies(numbers: Any, dtype: DType | None, others: dict[str, Any]) -> Tensor:
    if others.pop("requires_grad", False) or set(others) - {"device", "layout"}:
        raise TypeError(f"fftfreq() got unexpected keyword arguments {sorted(others)}")
    return wrap(numbers.astype((dtype or get_default_dtype()).numpy))


def _norm(norm: str | None) -> str:
    norm = norm or "backward"
    if norm not in ADJOINT:
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return norm


def _complex(x: Tensor) -> Tensor:
    x = floating(x)
    return x if x.is_complex() else x.to(x.dtype.to_complex())


def _axes(x: Tensor, s: Sizes, dim: Axes) -> tuple[int, ...]:
    if dim is None:
        n = x.ndim if s is None else len(s)
        return tuple(range(x.ndim - n, x.ndim))
    given = (dim,) if isinstance(dim, int) else tuple(dim)
    if not x.ndim and given:
        raise IndexError(f"Dimension specified as {given[0]} but tensor has no dimensions")
    axes = tuple(axis_of(d, x.ndim) for d in given)
    if len(set(axes)) < len(axes):
        raise RuntimeError("FFT dims must be unique")
    if s is not None and len(s) != len(axes):
        raise RuntimeError("When given, dim and shape arguments must have the same length")
    return axes


def _resized(x: Tensor, axis: int, n: int) -> Tensor:
    """Cut, or padded with zeros, to n."""
    have = x.shape[axis]
    if n <= have:
        return x if n == have else x.narrow(axis, 0, n)
    shape = list(x.shape)
    shape[axis] = n - have
    return cat([x, x.new_zeros(shape)], axis)


def _transform(x: Tensor, s: Sizes, dim: Axes, norm: str | None, *, inverse: bool) -> Tensor:
    scale, axes = _norm(norm), _axes(x, s, dim)
    x = _complex(x)
    for axis, n in zip(axes, s or (), strict=False):
        if n != -1:
            x = _resized(x, axis, int(n))
    if math.prod(x.shape[i] for i in axes) < 1:
        raise RuntimeError(f"Invalid number of data points ({min(x.shape[i] for i in axes)}) specified")
    return apply(Fft, x, axes=axes, norm=scale, inverse=inverse) if axes else x
