"""The layers as functions, under PyTorch's names: `import gradus.engine.nn.functional as F`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine import dtypes, random
from gradus.engine.autograd.record import apply, apply_one
from gradus.engine.compat.absent import refuse
from gradus.engine.functions.activations import celu as celu
from gradus.engine.functions.activations import celu_ as celu_
from gradus.engine.functions.activations import elu as elu
from gradus.engine.functions.activations import elu_ as elu_
from gradus.engine.functions.activations import gelu as gelu
from gradus.engine.functions.activations import glu as glu
from gradus.engine.functions.activations import hardshrink as hardshrink
from gradus.engine.functions.activations import hardsigmoid as hardsigmoid
from gradus.engine.functions.activations import hardswish as hardswish
from gradus.engine.functions.activations import hardtanh as hardtanh
from gradus.engine.functions.activations import hardtanh_ as hardtanh_
from gradus.engine.functions.activations import leaky_relu as leaky_relu
from gradus.engine.functions.activations import leaky_relu_ as leaky_relu_
from gradus.engine.functions.activations import logsigmoid as logsigmoid
from gradus.engine.functions.activations import mish as mish
from gradus.engine.functions.activations import prelu as prelu
from gradus.engine.functions.activations import relu as relu
from gradus.engine.functions.activations import relu6 as relu6
from gradus.engine.functions.activations import relu_ as relu_
from gradus.engine.functions.activations import rrelu as rrelu
from gradus.engine.functions.activations import rrelu_ as rrelu_
from gradus.engine.functions.activations import selu as selu
from gradus.engine.functions.activations import selu_ as selu_
from gradus.engine.functions.activations import sigmoid as sigmoid
from gradus.engine.functions.activations import silu as silu
from gradus.engine.functions.activations import softmin as softmin
from gradus.engine.functions.activations import softplus as softplus
from gradus.engine.functions.activations import softshrink as softshrink
from gradus.engine.functions.activations import softsign as softsign
from gradus.engine.functions.activations import tanh as tanh
from gradus.engine.functions.activations import tanhshrink as tanhshrink
from gradus.engine.functions.activations import threshold as threshold
from gradus.engine.functions.activations import threshold_ as threshold_
from gradus.engine.functions.operands import scalar_name
from gradus.engine.functions.products import pdist as pdist
from gradus.engine.nn.adaptive_pooling_functions import adaptive_avg_pool1d as adaptive_avg_pool1d
from gradus.engine.nn.adaptive_pooling_functions import adaptive_avg_pool2d as adaptive_avg_pool2d
from gradus.engine.nn.adaptive_pooling_functions import adaptive_avg_pool3d as adaptive_avg_pool3d
from gradus.engine.nn.adaptive_pooling_functions import adaptive_max_pool1d as adaptive_max_pool1d
from gradus.engine.nn.adaptive_pooling_functions import adaptive_max_pool2d as adaptive_max_pool2d
from gradus.engine.nn.adaptive_pooling_functions import adaptive_max_pool3d as adaptive_max_pool3d
from gradus.engine.nn.adaptive_pooling_functions import fractional_max_pool2d as fractional_max_pool2d
from gradus.engine.nn.adaptive_pooling_functions import fractional_max_pool3d as fractional_max_pool3d
from gradus.engine.nn.class_loss_functions import cross_entropy as cross_entropy
from gradus.engine.nn.class_loss_functions import mse_loss as mse_loss
from gradus.engine.nn.class_loss_functions import nll_loss as nll_loss
from gradus.engine.nn.convolution_functions import conv1d as conv1d
from gradus.engine.nn.convolution_functions import conv2d as conv2d
from gradus.engine.nn.convolution_functions import conv3d as conv3d
from gradus.engine.nn.convolution_functions import conv_transpose1d as conv_transpose1d
from gradus.engine.nn.convolution_functions import conv_transpose2d as conv_transpose2d
from gradus.engine.nn.convolution_functions import conv_transpose3d as conv_transpose3d
from gradus.engine.nn.ctc_functions import ctc_loss as ctc_loss
from gradus.engine.nn.dropout_functions import alpha_dropout as alpha_dropout
from gradus.engine.nn.dropout_functions import check_probability
from gradus.engine.nn.dropout_functions import dropout as dropout
from gradus.engine.nn.dropout_functions import dropout1d as dropout1d
from gradus.engine.nn.dropout_functions import dropout2d as dropout2d
from gradus.engine.nn.dropout_functions import dropout3d as dropout3d
from gradus.engine.nn.dropout_functions import feature_alpha_dropout as feature_alpha_dropout
from gradus.engine.nn.embedding_functions import embedding as embedding
from gradus.engine.nn.embedding_functions import embedding_bag as embedding_bag
from gradus.engine.nn.embedding_functions import one_hot as one_hot
from gradus.engine.nn.folding_functions import channel_shuffle as channel_shuffle
from gradus.engine.nn.folding_functions import fold as fold
from gradus.engine.nn.folding_functions import pixel_shuffle as pixel_shuffle
from gradus.engine.nn.folding_functions import pixel_unshuffle as pixel_unshuffle
from gradus.engine.nn.folding_functions import unfold as unfold
from gradus.engine.nn.interpolation_functions import interpolate as interpolate
from gradus.engine.nn.interpolation_functions import upsample as upsample
from gradus.engine.nn.interpolation_functions import upsample_bilinear as upsample_bilinear
from gradus.engine.nn.interpolation_functions import upsample_nearest as upsample_nearest
from gradus.engine.nn.layer_functions import bilinear as bilinear
from gradus.engine.nn.layer_functions import cosine_similarity as cosine_similarity
from gradus.engine.nn.layer_functions import gumbel_softmax as gumbel_softmax
from gradus.engine.nn.layer_functions import normalize as normalize
from gradus.engine.nn.layer_functions import pairwise_distance as pairwise_distance
from gradus.engine.nn.loss_functions import binary_cross_entropy as binary_cross_entropy
from gradus.engine.nn.loss_functions import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from gradus.engine.nn.loss_functions import huber_loss as huber_loss
from gradus.engine.nn.loss_functions import kl_div as kl_div
from gradus.engine.nn.loss_functions import l1_loss as l1_loss
from gradus.engine.nn.loss_functions import smooth_l1_loss as smooth_l1_loss
from gradus.engine.nn.margin_loss_functions import cosine_embedding_loss as cosine_embedding_loss
from gradus.engine.nn.margin_loss_functions import gaussian_nll_loss as gaussian_nll_loss
from gradus.engine.nn.margin_loss_functions import hinge_embedding_loss as hinge_embedding_loss
from gradus.engine.nn.margin_loss_functions import margin_ranking_loss as margin_ranking_loss
from gradus.engine.nn.margin_loss_functions import multi_margin_loss as multi_margin_loss
from gradus.engine.nn.margin_loss_functions import multilabel_margin_loss as multilabel_margin_loss
from gradus.engine.nn.margin_loss_functions import multilabel_soft_margin_loss as multilabel_soft_margin_loss
from gradus.engine.nn.margin_loss_functions import poisson_nll_loss as poisson_nll_loss
from gradus.engine.nn.margin_loss_functions import soft_margin_loss as soft_margin_loss
from gradus.engine.nn.margin_loss_functions import triplet_margin_loss as triplet_margin_loss
from gradus.engine.nn.margin_loss_functions import (
    triplet_margin_with_distance_loss as triplet_margin_with_distance_loss,
)
from gradus.engine.nn.normalization_functions import batch_norm as batch_norm
from gradus.engine.nn.normalization_functions import group_norm as group_norm
from gradus.engine.nn.normalization_functions import instance_norm as instance_norm
from gradus.engine.nn.normalization_functions import layer_norm as layer_norm
from gradus.engine.nn.normalization_functions import local_response_norm as local_response_norm
from gradus.engine.nn.normalization_functions import rms_norm as rms_norm
from gradus.engine.nn.padding_functions import pad as pad
from gradus.engine.nn.pooling_functions import avg_pool1d as avg_pool1d
from gradus.engine.nn.pooling_functions import avg_pool2d as avg_pool2d
from gradus.engine.nn.pooling_functions import avg_pool3d as avg_pool3d
from gradus.engine.nn.pooling_functions import lp_pool1d as lp_pool1d
from gradus.engine.nn.pooling_functions import lp_pool2d as lp_pool2d
from gradus.engine.nn.pooling_functions import lp_pool3d as lp_pool3d
from gradus.engine.nn.pooling_functions import max_pool1d as max_pool1d
from gradus.engine.nn.pooling_functions import max_pool2d as max_pool2d
from gradus.engine.nn.pooling_functions import max_pool3d as max_pool3d
from gradus.engine.nn.pooling_functions import max_unpool1d as max_unpool1d
from gradus.engine.nn.pooling_functions import max_unpool2d as max_unpool2d
from gradus.engine.nn.pooling_functions import max_unpool3d as max_unpool3d
from gradus.engine.ops import products as mm
from gradus.engine.ops.attention import Attention
from gradus.engine.ops.softmax import SafeSoftmax
from gradus.engine.tensor import Tensor

# ---- layers


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x Wᵀ + b: input (..., in), weight (out, in), bias (out,) -> (..., out).

    Raises:
        RuntimeError: for shapes that do not go together, and for operands of several number types.
    """
    if weight._array.ndim == 1:  # of a single row: (..., in) -> (...)
        out = input @ weight
        return out if bias is None else out + bias
    if input._array.dtype is not weight._array.dtype and input._array.dtype != weight._array.dtype:
        have, got = scalar_name(input._array.dtype), scalar_name(weight._array.dtype)
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {have} and {got}")
    return apply(mm.Linear, input, weight, bias)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(q kᵀ scale + mask) v     (Vaswani et al., 2017)

    query (..., T, E), key (..., S, E), value (..., S, D) -> (..., T, D). attn_mask is added, or if bool says what may
    be seen; is_causal lets position t see s <= t. scale is 1/√E unless given.
    """
    if enable_gqa and key.size(-3) != query.size(-3):
        times = query.size(-3) // key.size(-3)
        key, value = key.repeat_interleave(times, -3), value.repeat_interleave(times, -3)
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "scaled_dot_product_attention: Expected query, key, and value to all be at least 2 dimensional, but got "
            f"query, key, value of {query.ndim}, {key.ndim}, {value.ndim} dimensions"
        )
    if not query._array.dtype == key._array.dtype == value._array.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query.dtype} key.dtype: {key.dtype} and value.dtype: {value.dtype} instead."
        )
    if query._array.shape[-1] != key._array.shape[-1] or key._array.shape[-2] != value._array.shape[-2]:
        raise RuntimeError(
            "scaled_dot_product_attention: query and key must have the same last size, key and value the same last but "
            f"one, but got {list(query.shape)}, {list(key.shape)} and {list(value.shape)}"
        )
    if attn_mask is not None and attn_mask.dtype not in (dtypes.bool, query.dtype, dtypes.float32):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{attn_mask.dtype} and  query.dtype: {query.dtype} instead."
        )
    if query._array.dtype.kind not in dtypes.REAL:
        raise RuntimeError(f"expected scalar type Float but found {scalar_name(query._array.dtype)}")
    check_probability(dropout_p)
    factor = 1 / math.sqrt(query.size(-1)) if scale is None else scale
    if attn_mask is None and query.shape[:-2] == key.shape[:-2] == value.shape[:-2]:
        kept = None
        if dropout_p:
            shape = (*query.shape[:-1], key.size(-2))
            kept = random.bernoulli(shape, 1 - dropout_p, query._array.dtype)
            kept *= kept.dtype.type(1 / (1 - dropout_p) if dropout_p < 1 else 0.0)
        return apply(Attention, query, key, value, kept, causal=is_causal, scale=factor)
    if is_causal and attn_mask is not None:
        raise RuntimeError("Explicit attn_mask should not be set when is_causal=True")
    kind = query.dtype
    if query._array.dtype.itemsize == 2:
        query, key, value = query.float(), key.float(), value.float()
    scores = query @ key.transpose(-2, -1) * factor  # (..., T, E) @ (..., E, S) -> (..., T, S)
    if is_causal:
        attn_mask = Tensor._wrap(np.tri(query.size(-2), key.size(-2), dtype=bool))
    if attn_mask is not None:
        if attn_mask._array.dtype == bool:
            scores = scores.masked_fill(attn_mask.logical_not(), -math.inf)
        else:
            scores = scores + attn_mask
        weights = apply_one(SafeSoftmax, scores, -1)
    else:
        weights = scores.softmax(-1)
    return (dropout(weights, dropout_p) @ value).to(kind)


# ---- rows


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """eˣ / Σ eˣ along a dimension."""
    return input.softmax(_default_dim(input, dim), dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """x - log Σ eˣ along a dimension."""
    return input.log_softmax(_default_dim(input, dim), dtype)


def _default_dim(x: Tensor, dim: int | None) -> int:
    return dim if dim is not None else 0 if x.ndim in (0, 1, 3) else 1


__getattr__ = refuse(__name__)
