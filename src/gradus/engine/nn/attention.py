"""`MultiheadAttention`: queries look up a mixture of values by how well their keys match, several times side by
side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.engine.compat.absent import refuse
from gradus.engine.compat.backends.cuda import SDPBackend as SDPBackend
from gradus.engine.compat.backends.cuda import sdpa_kernel as sdpa_kernel
from gradus.engine.functions import empty
from gradus.engine.nn import init
from gradus.engine.nn.functional.multi_head_attention import multi_head_attention_forward
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
            key_padding_mask: (N, S) or (S); True, or -inf, for keys to ignore.
            need_weights: also return the attention weights.
            attn_mask: (L, S) or (N·num_heads, L, S); True, or -inf, where a query must not attend to a key.
            average_attn_weights: the weights' mean over the heads instead of each head's.
            is_causal: says that `attn_mask` is the causal mask, which is then not computed with but known.

        Returns:
            (L, N, E) and, if wanted, the weights (N, L, S) or (N, num_heads, L, S); else None.
        """
        return multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            _batch_first=self.batch_first,
        )


__getattr__ = refuse(__name__)
