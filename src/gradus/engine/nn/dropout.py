"""`Dropout`: in training, numbers are left out at random."""

from __future__ import annotations

from gradus.engine.nn import functional as F
from gradus.engine.nn.module import Layer
from gradus.engine.tensor import Tensor


class Dropout(Layer):
    """y = x · m / (1 - p), each m 0 with probability p, else 1; y = x in evaluation (Srivastava et al., 2014)."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
