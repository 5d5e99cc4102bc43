"""Images and volumes rotated, scaled and moved: where each result comes from (`affine_grid`), and what is there
(`grid_sample`).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import cast

import numpy as np

from gradus.engine.autograd.record import apply
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions import cat, linspace, ones
from gradus.engine.ops.sampling import GridSample
from gradus.engine.tensor import Tensor


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """input (N, C, H, W) read at the places of grid (N, h, w, 2), which are (x, y) from -1 to 1 -> (N, C, h, w); or
    (N, C, D, H, W) at (x, y, z) of (N, d, h, w, 3) (Jaderberg et al., 2015).

    Args:
        mode: "bilinear", "nearest" or, in two dimensions, "bicubic".
        padding_mode: what is outside: "zeros", the "border", or a "reflection" of what is inside.
        align_corners: -1 and 1 are the centres of the outermost inputs rather than their outer edges.

    Raises:
        ValueError: for another mode or padding_mode.
        RuntimeError: for shapes and number types that do not go together.
        NotImplementedError: for numbers that are not floating point.
    """
    for name, value, known in (
        ("mode", mode, ("bilinear", "nearest", "bicubic")),
        ("padding_mode", padding_mode, ("zeros", "border", "reflection")),
    ):
        if value not in known:
            expected = f"'{known[0]}', '{known[1]}'{',' if name == 'padding_mode' else ''} or '{known[2]}'"
            raise ValueError(f"nn.functional.grid_sample(): expected {name} to be {expected}, but got: '{value}'")
    aligned = _aligned(align_corners)
    n, sizes = input.ndim - 2, list(input.shape)
    both = f"input with sizes {sizes} and grid with sizes {list(grid.shape)}"
    if not input.ndim or not grid.ndim or input.shape[0] != grid.shape[0]:
        raise RuntimeError(f"grid_sampler(): expected grid and input to have same batch size, but got {both}")
    if grid.shape[-1] != n:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {n} in last dimension, but got grid with sizes "
            f"{list(grid.shape)}"
        )
    if n not in (2, 3) or grid.ndim != input.ndim:
        wanted = 4 if n == 2 else 5
        raise RuntimeError(
            f"grid_sampler(): expected {wanted}D input and grid with same number of dimensions, but got {both}"
        )
    for axis in range(2, n + 2):
        if not sizes[axis]:
            raise RuntimeError(
                f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {sizes} "
                f"with dimension {axis} being empty"
            )
    if n == 3 and mode == "bicubic":
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if not input.is_floating_point():
        raise NotImplementedError(f"\"grid_sampler_{n}d_cpu\" not implemented for '{scalar_name(input._array.dtype)}'")
    if grid.dtype is not input.dtype:
        kinds = scalar_name(input._array.dtype), scalar_name(grid._array.dtype)
        raise RuntimeError(f"expected scalar type {kinds[0]} but found {kinds[1]}")
    settings = {"mode": mode, "padding": padding_mode, "align_corners": aligned}
    if input._array.dtype.itemsize == 2:  # computed in float32
        return cast(Tensor, apply(GridSample, input.float(), grid.float(), **settings)).to(input.dtype)
    return cast(Tensor, apply(GridSample, input, grid, **settings))


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places that the affine maps theta (N, 2, 3) send the places of a picture of size (N, C, H, W) to -> (N, H, W,
    2); or (N, 3, 4) and (N, C, D, H, W) -> (N, D, H, W, 3). For `grid_sample`, with the same `align_corners`.

    Raises:
        ValueError: for theta of another shape or of integers, and a size that is not above 0.
        NotImplementedError: for another number of dimensions.
    """
    aligned = _aligned(align_corners)
    size = list(size)
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{size}."
        )
    n, outs = len(size) - 2, size[2:]
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {size}. Got {theta.shape}."
        )
    if aligned and min(outs) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This "
            "is not an intended use case of affine_grid. See the documentation of affine_grid for details.",
            stacklevel=2,
        )
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    numbers = []  # x, y, z and 1 of every place
    for axis in reversed(range(n)):
        line = np.ones(n, np.int64)
        line[axis] = -1
        steps = outs[axis]
        along = linspace(-1, 1, steps, dtype=theta.dtype) if steps > 1 else ones(1, dtype=theta.dtype) * 0
        if not aligned:
            along = along * ((steps - 1) / steps)
        numbers.append(along.reshape(*line.tolist()).expand(outs).reshape(-1, 1))
    places = cat([*numbers, ones(numbers[0].shape, dtype=theta.dtype)], 1)
    return places.expand(size[0], *places.shape).bmm(theta.mT).reshape(size[0], *outs, n)


def _aligned(align_corners: bool | None) -> bool:
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
            "specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for "
            "details.",
            stacklevel=3,
        )
        return False
    return align_corners
