"""`torch.nn.utils`: functions on a model's parameters, gradients and sequences."""

from gradus.engine.compat.absent import refuse
from gradus.engine.nn.tuples import _ntuple as _ntuple
from gradus.engine.nn.tuples import _pair as _pair
from gradus.engine.nn.tuples import _quadruple as _quadruple
from gradus.engine.nn.tuples import _reverse_repeat_tuple as _reverse_repeat_tuple
from gradus.engine.nn.tuples import _single as _single
from gradus.engine.nn.tuples import _triple as _triple
from gradus.engine.nn.utils import clip_grad, convert_parameters, parametrizations, parametrize, rnn
from gradus.engine.nn.utils.clip_grad import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from gradus.engine.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from gradus.engine.nn.utils.spectral_norm import remove_spectral_norm, spectral_norm
from gradus.engine.nn.utils.weight_norm import remove_weight_norm, weight_norm

__all__ = [
    "clip_grad",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "convert_parameters",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "remove_spectral_norm",
    "remove_weight_norm",
    "rnn",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]

__getattr__ = refuse(__name__)
