"""`BatchNorm1d`: sets the scale of each channel over the examples of a batch, and remembers it for evaluation."""

from __future__ import annotations

from typing import Any

from gradus.engine import dtypes
from gradus.engine.functions import empty, ones, zeros
from gradus.engine.nn import functional as F
from gradus.engine.nn import init
from gradus.engine.nn.module import Layer
from gradus.engine.nn.parameter import Parameter
from gradus.engine.tensor import Tensor


class BatchNorm1d(Layer):
    """y = (x - E[x]) / √(Var[x] + eps) · w + b, per channel, over the batch (Ioffe and Szegedy, 2015).
    x (N, C) or (N, C, L)

    In training E and Var are the batch's, and the running ones follow: r ← (1 - momentum) r + momentum · batch's (the
    variance with n - 1 below the line). In evaluation E and Var are the running ones. momentum None: the plain average
    of all batches.
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        place = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(empty((num_features,), **place)) if affine else None)
        self.register_parameter("bias", Parameter(empty((num_features,), **place)) if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros((num_features,), **place) if tracked else None)
        self.register_buffer("running_var", ones((num_features,), **place) if tracked else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=dtypes.int64) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen: mean 0, variance 1."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """w = 1, b = 0, and no batches seen."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")
        rate = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                rate = 1.0 / float(self.num_batches_tracked)
        from_batch = self.training or self.running_mean is None
        follow = self.track_running_stats or not self.training
        return F.batch_norm(
            input,
            self.running_mean if follow else None,
            self.running_var if follow else None,
            self.weight,
            self.bias,
            from_batch,
            rate,
            self.eps,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )
