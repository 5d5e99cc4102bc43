"""Layers that only change the shape: `Flatten` and `Unflatten`."""

from __future__ import annotations

from collections.abc import Sequence

from gradus.engine.nn.module import Layer
from gradus.engine.tensor import Tensor


class Flatten(Layer):
    """Dimensions `start_dim` to `end_dim` become one: (N, C, L) -> (N, C·L) with the defaults."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Layer):
    """Dimension `dim` becomes several, of sizes `unflattened_size`; one of them may be -1."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        for size in unflattened_size:
            if not isinstance(size, int):
                raise TypeError(
                    f"unflattened_size must be tuple of ints, but found element of type {type(size).__name__}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        at = self.dim % input.dim()
        shape = input.shape
        return input.reshape(*shape[:at], *self.unflattened_size, *shape[at + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
