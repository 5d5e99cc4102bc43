"""Layers, containers and losses, as `torch.nn` has them."""

from gradus.engine.nn import functional, init, parallel, parameter, utils
from gradus.engine.nn.activation import (
    ELU,
    GELU,
    GLU,
    SELU,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from gradus.engine.nn.attention import MultiheadAttention
from gradus.engine.nn.batchnorm import BatchNorm1d
from gradus.engine.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from gradus.engine.nn.conv import Conv1d
from gradus.engine.nn.dropout import Dropout
from gradus.engine.nn.embedding import Embedding
from gradus.engine.nn.flatten import Flatten, Unflatten
from gradus.engine.nn.linear import Bilinear, Identity, Linear
from gradus.engine.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from gradus.engine.nn.module import Module
from gradus.engine.nn.normalization import GroupNorm, LayerNorm, RMSNorm
from gradus.engine.nn.parameter import Buffer, Parameter
from gradus.engine.nn.rnn import GRU, LSTM, RNN, RNNBase
from gradus.engine.nn.rnn_cells import GRUCell, LSTMCell, RNNCell, RNNCellBase
from gradus.engine.nn.transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)

__all__ = [
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "Bilinear",
    "Buffer",
    "Conv1d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GroupNorm",
    "Hardtanh",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "NLLLoss",
    "PReLU",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "RMSNorm",
    "RNNBase",
    "RNNCell",
    "RNNCellBase",
    "ReLU",
    "ReLU6",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "Unflatten",
    "functional",
    "init",
    "parallel",
    "parameter",
    "utils",
]
