"""`pad`: a border of a constant, or of the numbers that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from gradus.engine.autograd.record import apply
from gradus.engine.functions.checks import refuse_bool
from gradus.engine.ops.padding import Pad, PadFromInside, Widths
from gradus.engine.tensor import Tensor

_NOT_CONSTANT = """Padding size {} is not supported for {}D input tensor.
Supported combinations for non-constant padding:
  - 2D or 3D input: padding size = 2 (pads last dimension)
  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)
  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"""


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add a border: (left, right) of the last axis, then of the one before it, and so on; numbers below 0 cut off.

    Args:
        mode: "constant" (value, 0 if not given); or, for the last 1 to 3 axes of an input that has one or two more,
            "reflect" (mirrored at the edge), "replicate" (the edge again) or "circular" (from the other end).

    Raises:
        RuntimeError: if the border does not fit the input.
        NotImplementedError: for an unknown mode, or numbers of axes that it is not there for.
    """
    sizes = [int(size) for size in pad]
    if len(sizes) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(sizes) > 2 * input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(sizes)} and input of dimension {input.ndim}"
        )
    widths = tuple((sizes[i], sizes[i + 1]) for i in range(len(sizes) - 2, -1, -2))  # the first axis first
    if mode == "constant":
        return _constant(input, widths, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    n = len(widths)
    if n not in (1, 2, 3) or input.ndim - n not in (1, 2):
        raise NotImplementedError(_NOT_CONSTANT.format(len(sizes), input.ndim))
    _check(input, widths, mode)
    return cast(Tensor, apply(PadFromInside, input, widths=widths, mode=mode))


def _constant(input: Tensor, widths: Widths, value: float) -> Tensor:
    first = input.ndim - len(widths)
    for axis, (size, (low, high)) in enumerate(zip(input.shape[first:], widths, strict=True), first):
        if size + low + high < 0 or (low < 0 and size + low < 0) or (high < 0 and size + high < 0):
            raise RuntimeError(
                f"The input size {size}, plus negative padding {low} and {high} resulted in a negative output size, "
                f"which is invalid. Check dimension {axis} of your input."
            )
    every = ((0, 0),) * first + widths
    return cast(Tensor, apply(Pad, input, widths=every, value=value))


def _check(input: Tensor, widths: Widths, mode: str) -> None:
    n, shape = len(widths), tuple(input.shape)
    first = input.ndim - n
    if mode != "circular":
        if 0 in shape[-n - 1 :]:
            raise RuntimeError(
                f"Expected {n + 1}D or {n + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
                f"dimensions for input, but got: {list(shape)}"
            )
        refuse_bool(input, "reflection_pad" if mode == "reflect" else "replication_pad")
    for axis, (size, (low, high)) in enumerate(zip(shape[first:], widths, strict=True), first):
        if mode == "reflect" and max(low, high) >= size:
            raise RuntimeError(
                f"Argument #{4 + 2 * (input.ndim - 1 - axis)}: Padding size should be less than the corresponding "
                f"input dimension, but got: padding {low, high} at dimension {axis} of input {list(shape)}"
            )
        if mode == "circular" and size + low + high < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
        if mode == "circular" and max(low, high) > size + min(low, 0) + min(high, 0):
            raise RuntimeError("Padding value causes wrapping around more than once.")
    sizes = [size + low + high for size, (low, high) in zip(shape[first:], widths, strict=True)]
    if mode != "circular" and (max(sizes) < 1 or min(sizes) < 0):
        raise RuntimeError(f"input {list(shape)} is too small for the padding {widths}: it would leave {sizes}")
