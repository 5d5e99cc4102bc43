"""Scaled dot-product attention. The loops are in `kernels/attention.py`."""

from __future__ import annotations

from typing import Any

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import attention


class Attention(Function):
    """y = softmax(q kᵀ s + mask) v, s = 1/√E     (Vaswani et al., 2017)

    q (..., T, E), k (..., S, E), v (..., S, D); kept (..., T, S) is dropout's m / (1 - p) on the probabilities, if any.
    With p the softmax and dp = dy vᵀ (and without dropout):
    dv = pᵀ dy,  ds = p (dp - Σ p dp),  dq = s ds k,  dk = s dsᵀ q
    """

    name_ = "ScaledDotProductFlashAttentionForCpuBackward0"

    def forward(self, q: Array, k: Array, v: Array, kept: Array | None, causal: bool, scale: float) -> Array:
        self.q, self.k, self.v, self.kept, self.causal, self.scale = q, k, v, kept, causal, scale
        y, self.log_total = attention.forward(q, k, v, causal, scale, kept)
        return y

    def backward(self, dy: Array) -> Any:
        inputs = self.q, self.k, self.v, self.log_total
        return *attention.backward(dy, *inputs, self.causal, self.scale, self.kept), None
