"""`MultiheadAttention`: queries look up a mixture of values by how well their keys match, several times side by
side.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.compat.absent import refuse
from gradus.engine.compat.backends.cuda import SDPBackend as SDPBackend
from gradus.engine.compat.backends.cuda import sdpa_kernel as sdpa_kernel
from gradus.engine.functions import cat, empty, zeros
from gradus.engine.nn import functional as F
from gradus.engine.nn import init
from gradus.engine.nn.linear import NonDynamicallyQuantizableLinear
from gradus.engine.nn.module import Module
from gradus.engine.nn.parameter import Parameter
from gradus.engine.tensor import Tensor


class MultiheadAttention(Module):
    """y = concat_h(softmax(q_h k_hᵀ / √d + mask) v_h) W_oᵀ + b_o, with q, k, v = their inputs times W_q, W_k, W_v
    (Vaswani et al., 2017)

    query (L, N, E), key (S, N, kdim), value (S, N, vdim); with batch_first N comes first; one sequence needs no N. E =
    num_heads · d. W_q, W_k, W_v lie one above the other in `in_proj_weight` (3E, E), or are three parameters where kdim
    or vdim is not E.
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0,"
                f" got embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        if embed_dim % num_heads != 0:
            raise AssertionError("embed_dim must be divisible by num_heads")
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        place = {"device": device, "dtype": dtype}

        def parameter(wanted: bool, *shape: int) -> Parameter | None:
            return Parameter(empty(shape, **place)) if wanted else None

        same = self._qkv_same_embed_dim
        self.register_parameter("q_proj_weight", parameter(not same, embed_dim, embed_dim))
        self.register_parameter("k_proj_weight", parameter(not same, embed_dim, self.kdim))
        self.register_parameter("v_proj_weight", parameter(not same, embed_dim, self.vdim))
        self.register_parameter("in_proj_weight", parameter(same, 3 * embed_dim, embed_dim))
        self.register_parameter("in_proj_bias", parameter(bias, 3 * embed_dim))
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **place)
        self.register_parameter("bias_k", parameter(add_bias_kv, 1, 1, embed_dim))
        self.register_parameter("bias_v", parameter(add_bias_kv, 1, 1, embed_dim))
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.constant_(bias, 0.0)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    if TYPE_CHECKING:

        def __call__(self, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Any: ...

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            key_padding_mask: (N, S) or (S); True, or -inf, where a key must not be looked at.
            need_weights: also return the attention weights.
            attn_mask: (L, S) or (N·num_heads, L, S); True, or -inf, where a query must not look at a key.
            average_attn_weights: the weights' mean over the heads instead of each head's.
            is_causal: says that `attn_mask` is the causal mask, which is then not computed with but known.

        Returns:
            (L, N, E) and, if wanted, the weights (N, L, S) or (N, num_heads, L, S); else None.
        """
        batched = self._check(query, key, value, key_padding_mask, attn_mask)
        if is_causal and attn_mask is None:
            raise RuntimeError(
                "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
                "`generate_square_subsequent_mask` to create this mask."
            )
        q, k, v = self._project(query, key, value)
        if not batched:
            q, k, v = q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1)
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif self.batch_first:
            q, k, v = q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1)
        length, batch, width = q.shape
        more = 0  # keys that are not the caller's
        if self.bias_k is not None and self.bias_v is not None:
            k = cat([k, self.bias_k.expand(1, batch, width)])
            v = cat([v, self.bias_v.expand(1, batch, width)])
            more += 1
        if self.add_zero_attn:
            zero = zeros((1, batch, width), dtype=k.dtype)
            k, v = cat([k, zero]), cat([v, zero])
            more += 1
        q, k, v = self._heads(q), self._heads(k), self._heads(v)  # (N, heads, ·, d)
        causal_only = is_causal and key_padding_mask is None and not need_weights and not more
        mask = None if causal_only else self._mask(attn_mask, key_padding_mask, batch, more, query.dtype)
        dropped = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            scores = (q * math.sqrt(1.0 / self.head_dim)) @ k.transpose(-2, -1)  # (N, heads, L, S)
            weights = F.softmax(scores if mask is None else scores + mask, dim=-1)
            if dropped > 0.0:
                weights = F.dropout(weights, p=dropped)
            y = weights @ v
            if average_attn_weights:
                weights = weights.mean(dim=1)
            if not batched:
                weights = weights.squeeze(0)
        else:
            y = F.scaled_dot_product_attention(q, k, v, mask, dropped, causal_only)
        y = y.permute(2, 0, 1, 3).reshape(length, batch, width)
        y = self.out_proj(y)
        if not batched:
            return y.squeeze(1), weights
        return (y.transpose(0, 1) if self.batch_first else y), weights

    def _project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        biases: Any = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        if self.in_proj_weight is not None:
            if query is key and key is value:
                q, k, v = F.linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
                return q, k, v
            weights: Any = self.in_proj_weight.chunk(3)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        q, k, v = (F.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))
        return q, k, v

    def _heads(self, x: Tensor) -> Tensor:
        """(T, N, E) -> (N, heads, T, d)"""
        times, batch, _ = x.shape
        return x.reshape(times, batch, self.num_heads, self.head_dim).permute(1, 2, 0, 3)

    def _mask(
        self, attn_mask: Tensor | None, padding: Tensor | None, batch: int, more: int, kind: dtypes.dtype
    ) -> Tensor | None:
        """Both masks as one to be added to the scores (N, heads, L, S)."""
        total: Tensor | None = None
        if attn_mask is not None:
            total = _additive(attn_mask, kind)
            if total.dim() == 3:
                total = total.reshape(batch, self.num_heads, *total.shape[1:])
        if padding is not None:
            of_keys = _additive(padding, kind).unsqueeze(1).unsqueeze(1)
            total = of_keys if total is None else total + of_keys
        if total is not None and more:
            total = cat([total, zeros((*total.shape[:-1], more), dtype=total.dtype)], dim=-1)
        return total

    def _check(
        self, query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, attn_mask: Tensor | None
    ) -> bool:
        """Whether there is a batch; raises where the shapes do not go together."""
        if query.dim() not in (2, 3):
            raise AssertionError(
                f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor"
            )
        batched = query.dim() == 3
        how = "batched (3-D)" if batched else "unbatched (2-D)"
        if key.dim() != query.dim() or value.dim() != query.dim():
            raise AssertionError(
                f"For {how} `query`, expected `key` and `value` to be {query.dim()}-D"
                f" but found {key.dim()}-D and {value.dim()}-D tensors respectively"
            )
        if padding is not None and padding.dim() != query.dim() - 1:
            raise AssertionError(
                f"For {how} `query`, expected `key_padding_mask` to be `None` or {query.dim() - 1}-D"
                f" but found {padding.dim()}-D tensor instead"
            )
        if query.shape[-1] != self.embed_dim:
            raise AssertionError(f"was expecting embedding dimension of {self.embed_dim}, but got {query.shape[-1]}")
        if self._qkv_same_embed_dim and key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        if attn_mask is not None:
            time, first = (1, 0) if batched and self.batch_first else (0, 1)
            batch = query.shape[first] if batched else 1
            pairs = (query.shape[time], key.shape[time])
            wanted = pairs if attn_mask.dim() == 2 else (batch * self.num_heads, *pairs)
            if attn_mask.dim() not in (2, 3):
                raise AssertionError(
                    f"For {how} `query`, expected `attn_mask` to be `None`, 2-D or 3-D"
                    f" but found {attn_mask.dim()}-D tensor instead"
                )
            if tuple(attn_mask.shape) != wanted:
                raise RuntimeError(
                    f"The shape of the {attn_mask.dim()}D attn_mask is {attn_mask.shape}, but should be {wanted}."
                )
        return batched


def _additive(mask: Tensor, kind: dtypes.dtype) -> Tensor:
    """A mask to add to scores: True becomes -inf."""
    if mask.dtype is dtypes.bool:
        zero, never = kind.numpy.type(0), kind.numpy.type(-np.inf)
        return Tensor._wrap(np.where(mask._array, never, zero))
    if not mask.is_floating_point():
        raise AssertionError("only bool and floating types of attn_mask are supported")
    return mask


__getattr__ = refuse(__name__)
