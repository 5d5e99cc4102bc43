"""Linear layers: `Linear`, `Bilinear` and `Identity`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gradus.engine.functions import empty
from gradus.engine.nn import functional as F
from gradus.engine.nn import init
from gradus.engine.nn.module import Layer, Module
from gradus.engine.nn.parameter import Parameter
from gradus.engine.tensor import Tensor


class Linear(Layer):
    """y = x Wᵀ + b.    x (..., in_features), W (out_features, in_features), b (out_features)

    W and b start uniform in ±1/√in_features (`kaiming_uniform_` with a = √5).
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty((out_features,), device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw W, then b."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear`, under the name by which PyTorch prints the one inside `MultiheadAttention`."""


class Bilinear(Module):
    """y_o = x₁ᵀ W_o x₂ + b_o.    x₁ (..., in1), x₂ (..., in2), W (out, in1, in2), b (out)"""

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in1_features, in2_features), device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty((out_features,), device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw W, then b."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    if TYPE_CHECKING:

        def __call__(self, input1: Tensor, input2: Tensor) -> Tensor: ...

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Identity(Layer):
    """y = x; any arguments are ignored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # can replace any layer
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input
