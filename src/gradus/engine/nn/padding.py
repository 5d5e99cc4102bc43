"""Padding layers: zeros, a constant, or elements of the input, along the last 1, 2 or 3 axes.

A border is one number for every end, or (left, right), (left, right, top, bottom) and so on, the last axis first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from gradus.engine.nn import functional as F
from gradus.engine.nn.module import Layer
from gradus.engine.tensor import Tensor


class _Pad(Layer):
    axes: ClassVar[int]
    mode: ClassVar[str]
    padding: tuple[int, ...]

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.axes) if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != 2 * self.axes:
            raise ValueError(f"padding must be an integer or {2 * self.axes} of them, got {padding}")

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPad(_Pad):
    """value before and after"""

    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    """0 before and after"""

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return str(self.padding)


class _ReflectionPad(_Pad):
    """a b c -> c b | a b c | b a"""

    mode = "reflect"


class _ReplicationPad(_Pad):
    """a b c -> a a | a b c | c c"""

    mode = "replicate"


class _CircularPad(_Pad):
    """a b c -> b c | a b c | a b"""

    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        batched = self.axes + 2
        if input.ndim not in (batched - 1, batched):
            raise ValueError(f"expected {batched - 1}D or {batched}D input (got {input.ndim}D input)")
        return super().forward(input)


class ConstantPad1d(_ConstantPad):
    """y = x with `value` around it.    x (N, C, L) or (C, L)"""

    axes = 1


class ConstantPad2d(_ConstantPad):
    """y = x with `value` around it.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class ConstantPad3d(_ConstantPad):
    """y = x with `value` around it.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3


class ZeroPad1d(_ZeroPad):
    """y = x with zeros around it.    x (N, C, L) or (C, L)"""

    axes = 1


class ZeroPad2d(_ZeroPad):
    """y = x with zeros around it.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class ZeroPad3d(_ZeroPad):
    """y = x with zeros around it.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3


class ReflectionPad1d(_ReflectionPad):
    """y = x continued as in mirrors at its edges.    x (N, C, L) or (C, L)"""

    axes = 1


class ReflectionPad2d(_ReflectionPad):
    """y = x continued as in mirrors at its edges.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class ReflectionPad3d(_ReflectionPad):
    """y = x continued as in mirrors at its edges.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3


class ReplicationPad1d(_ReplicationPad):
    """y = x continued by its edges.    x (N, C, L) or (C, L)"""

    axes = 1


class ReplicationPad2d(_ReplicationPad):
    """y = x continued by its edges.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class ReplicationPad3d(_ReplicationPad):
    """y = x continued by its edges.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3


class CircularPad1d(_CircularPad):
    """y = x continued from its other end.    x (N, C, L) or (C, L)"""

    axes = 1


class CircularPad2d(_CircularPad):
    """y = x continued from its other end.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class CircularPad3d(_CircularPad):
    """y = x continued from its other end.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3
