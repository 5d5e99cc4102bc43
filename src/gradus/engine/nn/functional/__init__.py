"""The layers as functions, under PyTorch's names: `import gradus.engine.nn.functional as F`.

Each function makes sense of its arguments and names the operation, whose formula is in the file of the same name in
`ops/`. The activations that need no default dimension are in `functions/activations.py`.
"""

from __future__ import annotations

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
from gradus.engine.functions.products import pdist as pdist
from gradus.engine.nn.functional.activations import gumbel_softmax as gumbel_softmax
from gradus.engine.nn.functional.activations import log_softmax as log_softmax
from gradus.engine.nn.functional.activations import softmax as softmax
from gradus.engine.nn.functional.adaptive_pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from gradus.engine.nn.functional.adaptive_pooling import adaptive_avg_pool2d as adaptive_avg_pool2d
from gradus.engine.nn.functional.adaptive_pooling import adaptive_avg_pool3d as adaptive_avg_pool3d
from gradus.engine.nn.functional.adaptive_pooling import adaptive_max_pool1d as adaptive_max_pool1d
from gradus.engine.nn.functional.adaptive_pooling import (
    adaptive_max_pool1d_with_indices as adaptive_max_pool1d_with_indices,
)
from gradus.engine.nn.functional.adaptive_pooling import adaptive_max_pool2d as adaptive_max_pool2d
from gradus.engine.nn.functional.adaptive_pooling import (
    adaptive_max_pool2d_with_indices as adaptive_max_pool2d_with_indices,
)
from gradus.engine.nn.functional.adaptive_pooling import adaptive_max_pool3d as adaptive_max_pool3d
from gradus.engine.nn.functional.adaptive_pooling import (
    adaptive_max_pool3d_with_indices as adaptive_max_pool3d_with_indices,
)
from gradus.engine.nn.functional.adaptive_pooling import fractional_max_pool2d as fractional_max_pool2d
from gradus.engine.nn.functional.adaptive_pooling import (
    fractional_max_pool2d_with_indices as fractional_max_pool2d_with_indices,
)
from gradus.engine.nn.functional.adaptive_pooling import fractional_max_pool3d as fractional_max_pool3d
from gradus.engine.nn.functional.adaptive_pooling import (
    fractional_max_pool3d_with_indices as fractional_max_pool3d_with_indices,
)
from gradus.engine.nn.functional.attention import scaled_dot_product_attention as scaled_dot_product_attention
from gradus.engine.nn.functional.convolution import conv1d as conv1d
from gradus.engine.nn.functional.convolution import conv2d as conv2d
from gradus.engine.nn.functional.convolution import conv3d as conv3d
from gradus.engine.nn.functional.convolution import conv_tbc as conv_tbc
from gradus.engine.nn.functional.convolution import conv_transpose1d as conv_transpose1d
from gradus.engine.nn.functional.convolution import conv_transpose2d as conv_transpose2d
from gradus.engine.nn.functional.convolution import conv_transpose3d as conv_transpose3d
from gradus.engine.nn.functional.cross_entropy import cross_entropy as cross_entropy
from gradus.engine.nn.functional.cross_entropy import linear_cross_entropy as linear_cross_entropy
from gradus.engine.nn.functional.cross_entropy import nll_loss as nll_loss
from gradus.engine.nn.functional.ctc import ctc_loss as ctc_loss
from gradus.engine.nn.functional.distances import cosine_similarity as cosine_similarity
from gradus.engine.nn.functional.distances import pairwise_distance as pairwise_distance
from gradus.engine.nn.functional.dropout import alpha_dropout as alpha_dropout
from gradus.engine.nn.functional.dropout import dropout as dropout
from gradus.engine.nn.functional.dropout import dropout1d as dropout1d
from gradus.engine.nn.functional.dropout import dropout2d as dropout2d
from gradus.engine.nn.functional.dropout import dropout3d as dropout3d
from gradus.engine.nn.functional.dropout import feature_alpha_dropout as feature_alpha_dropout
from gradus.engine.nn.functional.embedding import embedding as embedding
from gradus.engine.nn.functional.embedding import embedding_bag as embedding_bag
from gradus.engine.nn.functional.embedding import one_hot as one_hot
from gradus.engine.nn.functional.folding import channel_shuffle as channel_shuffle
from gradus.engine.nn.functional.folding import fold as fold
from gradus.engine.nn.functional.folding import pixel_shuffle as pixel_shuffle
from gradus.engine.nn.functional.folding import pixel_unshuffle as pixel_unshuffle
from gradus.engine.nn.functional.folding import unfold as unfold
from gradus.engine.nn.functional.interpolation import interpolate as interpolate
from gradus.engine.nn.functional.interpolation import upsample as upsample
from gradus.engine.nn.functional.interpolation import upsample_bilinear as upsample_bilinear
from gradus.engine.nn.functional.interpolation import upsample_nearest as upsample_nearest
from gradus.engine.nn.functional.linear import bilinear as bilinear
from gradus.engine.nn.functional.linear import linear as linear
from gradus.engine.nn.functional.losses import binary_cross_entropy as binary_cross_entropy
from gradus.engine.nn.functional.losses import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from gradus.engine.nn.functional.losses import huber_loss as huber_loss
from gradus.engine.nn.functional.losses import kl_div as kl_div
from gradus.engine.nn.functional.losses import l1_loss as l1_loss
from gradus.engine.nn.functional.losses import mse_loss as mse_loss
from gradus.engine.nn.functional.losses import smooth_l1_loss as smooth_l1_loss
from gradus.engine.nn.functional.margin_losses import cosine_embedding_loss as cosine_embedding_loss
from gradus.engine.nn.functional.margin_losses import gaussian_nll_loss as gaussian_nll_loss
from gradus.engine.nn.functional.margin_losses import hinge_embedding_loss as hinge_embedding_loss
from gradus.engine.nn.functional.margin_losses import margin_ranking_loss as margin_ranking_loss
from gradus.engine.nn.functional.margin_losses import multi_margin_loss as multi_margin_loss
from gradus.engine.nn.functional.margin_losses import multilabel_margin_loss as multilabel_margin_loss
from gradus.engine.nn.functional.margin_losses import multilabel_soft_margin_loss as multilabel_soft_margin_loss
from gradus.engine.nn.functional.margin_losses import poisson_nll_loss as poisson_nll_loss
from gradus.engine.nn.functional.margin_losses import soft_margin_loss as soft_margin_loss
from gradus.engine.nn.functional.margin_losses import triplet_margin_loss as triplet_margin_loss
from gradus.engine.nn.functional.margin_losses import (
    triplet_margin_with_distance_loss as triplet_margin_with_distance_loss,
)
from gradus.engine.nn.functional.multi_head_attention import (
    multi_head_attention_forward as multi_head_attention_forward,
)
from gradus.engine.nn.functional.normalization import batch_norm as batch_norm
from gradus.engine.nn.functional.normalization import group_norm as group_norm
from gradus.engine.nn.functional.normalization import instance_norm as instance_norm
from gradus.engine.nn.functional.normalization import layer_norm as layer_norm
from gradus.engine.nn.functional.normalization import local_response_norm as local_response_norm
from gradus.engine.nn.functional.normalization import normalize as normalize
from gradus.engine.nn.functional.normalization import rms_norm as rms_norm
from gradus.engine.nn.functional.padding import pad as pad
from gradus.engine.nn.functional.pooling import avg_pool1d as avg_pool1d
from gradus.engine.nn.functional.pooling import avg_pool2d as avg_pool2d
from gradus.engine.nn.functional.pooling import avg_pool3d as avg_pool3d
from gradus.engine.nn.functional.pooling import lp_pool1d as lp_pool1d
from gradus.engine.nn.functional.pooling import lp_pool2d as lp_pool2d
from gradus.engine.nn.functional.pooling import lp_pool3d as lp_pool3d
from gradus.engine.nn.functional.pooling import max_pool1d as max_pool1d
from gradus.engine.nn.functional.pooling import max_pool1d_with_indices as max_pool1d_with_indices
from gradus.engine.nn.functional.pooling import max_pool2d as max_pool2d
from gradus.engine.nn.functional.pooling import max_pool2d_with_indices as max_pool2d_with_indices
from gradus.engine.nn.functional.pooling import max_pool3d as max_pool3d
from gradus.engine.nn.functional.pooling import max_pool3d_with_indices as max_pool3d_with_indices
from gradus.engine.nn.functional.pooling import max_unpool1d as max_unpool1d
from gradus.engine.nn.functional.pooling import max_unpool2d as max_unpool2d
from gradus.engine.nn.functional.pooling import max_unpool3d as max_unpool3d
from gradus.engine.nn.functional.sampling import affine_grid as affine_grid
from gradus.engine.nn.functional.sampling import grid_sample as grid_sample

__getattr__ = refuse(__name__)
