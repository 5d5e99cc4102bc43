"""Images, sequences and volumes resized: `interpolate` and PyTorch's older names for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from gradus.engine.autograd.record import apply
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.nn.functional.adaptive_pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from gradus.engine.ops import interpolation as rules
from gradus.engine.tensor import Tensor

_DIMENSIONS = {"linear": 3, "bilinear": 4, "bicubic": 4, "lanczos": 4, "trilinear": 5}
_SMOOTHED = {"bilinear": "linear", "bicubic": "cubic", "lanczos": "lanczos"}
_ANY = "nearest", "nearest-exact", "area"


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """input (N, C, ...) with other sizes of its spatial axes: `size`, or `scale_factor` times as large, rounded down.

    Args:
        mode: "nearest" (the input at or before a place), "nearest-exact" (the nearest to its middle), "area" (the mean
            of what it covers), "linear", "bilinear", "trilinear" (by nearness), "bicubic" (Keys, 1981), "lanczos".
        align_corners: the first and last places are those of the input, rather than its edges.
        recompute_scale_factor: take the scale from the sizes instead of `scale_factor`.
        antialias: going down, let bilinear, bicubic and lanczos see all that a place covers.

    Raises:
        ValueError: for settings that contradict each other.
        NotImplementedError: for a mode that does not go with the number of dimensions.
        RuntimeError: for an input or a size of nothing.
    """
    n = input.ndim - 2
    if mode in _ANY and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    sizes, scales = _target(input, size, scale_factor)
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if antialias and not (mode in _SMOOTHED and n == 2):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if (mode not in _ANY and mode not in _DIMENSIONS) or n not in (1, 2, 3):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the modes: nearest | "
            f"linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
        )
    if _DIMENSIONS.get(mode, input.ndim) != input.ndim:
        raise NotImplementedError(f"Got {input.ndim}D input, but {mode} mode needs {_DIMENSIONS[mode]}D input")
    if mode == "lanczos" and not antialias:
        raise ValueError("Lanczos mode requires antialias=True")
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[n - 1](input, sizes)
    _check(input, sizes, mode)
    if recompute_scale_factor:
        scales = [None] * n
    kind = np.float64 if input._array.dtype == np.float64 else np.float32
    rule = _rule(mode, bool(align_corners), antialias, kind)
    taps = tuple(rule(*each) for each in zip(input.shape[2:], sizes, scales, strict=True))
    name = f"Upsample{_called(mode)}{n}D{'Aa' if antialias else ''}Backward0"
    if input._array.dtype == np.uint8 and not mode.startswith("nearest"):
        shades = cast(Tensor, apply(rules.Resample, input.float(), taps=taps, name=name))
        return shades.round().clamp(0, 255).byte()
    return cast(Tensor, apply(rules.Resample, input, taps=taps, name=name))


def _rule(mode: str, align_corners: bool, antialias: bool, kind: Any) -> Callable[..., rules.Taps]:
    """From an axis's size, its new size and its scale to the taps."""
    if mode in ("nearest", "nearest-exact"):
        return lambda n, out, scale: rules.nearest(n, out, scale, mode == "nearest-exact")
    if antialias:
        return lambda n, out, scale: rules.smoothed(n, out, scale, align_corners, _SMOOTHED[mode])
    if mode == "bicubic":
        return lambda n, out, scale: rules.cubic(n, out, scale, align_corners, kind)
    return lambda n, out, scale: rules.linear(n, out, scale, align_corners, kind)


def _called(mode: str) -> str:
    return "NearestExact" if mode == "nearest-exact" else mode.title()


def _target(input: Tensor, size: Any, scale_factor: Any) -> tuple[list[int], list[float | None]]:
    """The sizes of the result, and the scales that were given."""
    n, have = input.ndim - 2, list(input.shape[2:])
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    given = scale_factor if size is None else size
    listed = list(given) if isinstance(given, (tuple, list)) else [given] * n
    if len(listed) != n:
        what = "scale_factor" if size is None else "output size"
        raise ValueError(
            f"Input and {'scale_factor' if size is None else 'output'} must have the same number of spatial "
            f"dimensions, but got input with spatial dimensions of {have} and {what} of {given}. Please provide input "
            "tensor in (N, C, d1, d2, ...,dK) format."
        )
    if size is None:
        return [int(now * scale) for now, scale in zip(have, listed, strict=True)], [float(scale) for scale in listed]
    if not all(isinstance(each, (int, np.integer)) for each in listed):
        raise TypeError(
            f"expected size to be one of int or Tuple[int], but got size with types {list(map(type, size))}"
        )
    return [int(each) for each in listed], [None] * n


def _check(input: Tensor, sizes: list[int], mode: str) -> None:
    have = tuple(input.shape)
    if min(*sizes, *have[2:]) <= 0:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(have[2:])} output {sizes}"
        )
    if have[1] == 0:
        raise RuntimeError(f"Non-empty {input.ndim}D data tensor expected but got a tensor with sizes {list(have)}")
    if not input.is_floating_point() and input._array.dtype != np.uint8:
        raise NotImplementedError(f"\"upsample_{mode}\" not implemented for '{scalar_name(input._array.dtype)}'")


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """`interpolate`, by its older name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode "nearest"."""
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode "bilinear" and aligned corners."""
    return interpolate(input, size, scale_factor, "bilinear", True)
