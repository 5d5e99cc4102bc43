"""Layers that normalize each channel: over a batch, with running statistics for evaluation (`BatchNorm`), or of each
example by itself (`InstanceNorm`).
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from gradus.engine import dtypes
from gradus.engine.functions import ones, zeros
from gradus.engine.nn import functional as F
from gradus.engine.nn.normalization import Affine
from gradus.engine.tensor import Tensor


class _Norm(Affine):
    """Base class: weight and bias per channel, and running statistics."""

    dims: ClassVar[tuple[int, ...]]  # the numbers of dimensions that an input may have
    expected: ClassVar[str]
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: Any,
        bias: bool,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        place = {"device": device, "dtype": dtype}
        self._register((num_features,), affine, bias, device, dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros((num_features,), **place) if tracked else None)
        self.register_buffer("running_var", ones((num_features,), **place) if tracked else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=dtypes.int64) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Reset the running statistics: mean 0, variance 1."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """w = 1, b = 0, and no batches seen."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in self.dims:
            raise ValueError(f"expected {self.expected} input (got {input.dim()}D input)")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Norm):
    """y = (x - E[x]) / √(Var[x] + eps) · w + b, per channel, over the batch (Ioffe and Szegedy, 2015).

    In training E and Var are the batch's, and the running ones follow: r ← (1 - momentum) r + momentum · batch's (the
    variance with n - 1 below the line). In evaluation E and Var are the running ones. momentum None: the plain average
    of all batches.
    """

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
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
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


class BatchNorm1d(_BatchNorm):
    """`_BatchNorm`'s formula for sequences.    x (N, C) or (N, C, L)"""

    dims, expected = (2, 3), "2D or 3D"


class BatchNorm2d(_BatchNorm):
    """`_BatchNorm`'s formula for images.    x (N, C, H, W)"""

    dims, expected = (4,), "4D"


class BatchNorm3d(_BatchNorm):
    """`_BatchNorm`'s formula for volumes.    x (N, C, D, H, W)"""

    dims, expected = (5,), "5D"


class _InstanceNorm(_Norm):
    """y = (x - E[x]) / √(Var[x] + eps) · w + b, per channel of each example (Ulyanov et al., 2016).

    With `track_running_stats`, evaluation takes the running E and Var instead of the example's.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        axis = 0 if input.dim() == self.dims[0] else 1
        if input.size(axis) != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={axis} to match num_features ({self.num_features}), but got: "
                    f"{input.size(axis)}."
                )
            warnings.warn(
                f"input's size at dim={axis} does not match num_features. You can silence this warning by not passing "
                "in num_features, which is not used because affine=False",
                stacklevel=3,
            )
        y = F.instance_norm(
            input if axis else input.unsqueeze(0),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y if axis else y.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """`_InstanceNorm`'s formula for sequences.    x (N, C, L) or (C, L)"""

    dims, expected = (2, 3), "2D or 3D"


class InstanceNorm2d(_InstanceNorm):
    """`_InstanceNorm`'s formula for images.    x (N, C, H, W) or (C, H, W)"""

    dims, expected = (3, 4), "3D or 4D"


class InstanceNorm3d(_InstanceNorm):
    """`_InstanceNorm`'s formula for volumes.    x (N, C, D, H, W) or (C, D, H, W)"""

    dims, expected = (4, 5), "4D or 5D"
