"""The multilayer perceptron of makemore's lectures: the NPLM made deeper, with what it takes to train depth.

    h_0 = [C[w_1], ..., C[w_n]]                         embeddings of the last n tokens, side by side
    h_k = tanh(norm(W_k h_{k-1} + b_k))                 n_layer times
    logits = W h + b

Two ideas make depth trainable, and both are settings here, so that each can be left out and missed. Initialisation:
weights scaled so that activations keep their spread from layer to layer (He et al., 2015), and an output layer that
begins with no opinion. Normalisation: each layer's input brought to mean 0 and variance 1 by force, over the batch
(BatchNorm, Ioffe and Szegedy, 2015), over each example's units (LayerNorm, Ba et al., 2016), over groups of them
(GroupNorm, Wu and He, 2018), or only to mean square 1 (RMSNorm, Zhang and Sennrich, 2019).
"""

from __future__ import annotations

import math

from gradus.backend import F, nn, torch
from gradus.models.config import MLPConfig
from gradus.models.windows import WindowModel

GAIN = {"tanh": 5 / 3, "relu": math.sqrt(2), "gelu": math.sqrt(2)}  # makes up for the spread that each takes away
ACTIVATION = {"tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU}
BATCH_MOMENTUM = 0.01  # of BatchNorm: evaluation uses the statistics of about the last hundred batches


class MLP(WindowModel):
    """n_layer hidden layers over the embeddings of a window; with one and no normalisation it is the NPLM."""

    def __init__(self, config: MLPConfig) -> None:
        super().__init__(config, context=config.context)
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        layers: list[nn.Module] = []
        width = config.context * config.n_embd
        for _ in range(config.n_layer):
            layers += _linear(width, config.n_hidden, config.norm, config.norm_groups)
            layers.append(ACTIVATION[config.activation]())
            width = config.n_hidden
        norm_output = config.norm if config.norm_output else "none"
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Sequential(*_linear(width, config.vocab_size, norm_output, 1))
        nn.init.normal_(self.wte.weight)
        initialise(self.hidden, config.init, GAIN[config.activation])
        initialise_output(self.output, config.init)

    def score(self, x: torch.Tensor) -> torch.Tensor:
        h = self.hidden(self.wte(x).view(len(x), -1))  # (N, n) -> (N, n, E) -> (N, n*E) -> (N, H)
        logits: torch.Tensor = self.output(h)  # (N, H) -> (N, V)
        return logits


class BatchNorm(nn.BatchNorm1d):
    """BatchNorm of (N, width). A single example has no variance: in training, too, it is normalised as in evaluation,
    by the running statistics, which it leaves as they are."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > 1 or not self.training:
            return super().forward(x)
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


def normalisation(norm: str, width: int, groups: int = 1) -> list[nn.Module]:
    """The layer that a setting names, over the channels (N, width); none for `none`."""
    if norm == "batch":
        return [BatchNorm(width, momentum=BATCH_MOMENTUM)]
    if norm == "layer":
        return [nn.LayerNorm(width)]
    if norm == "group":
        return [nn.GroupNorm(groups, width)]
    return [nn.RMSNorm(width)] if norm == "rms" else []


def initialise(layers: nn.Module, init: str, gain: float) -> None:
    """Weights for hidden layers: N(0, 1), biases too, or with `kaiming` N(0, gain² / fan-in) and biases of 0."""
    for layer in layers.modules():
        if isinstance(layer, nn.Linear):
            std = gain / math.sqrt(layer.in_features) if init == "kaiming" else 1.0
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.normal_(layer.bias, std=0.0 if init == "kaiming" else 1.0)


def initialise_output(layers: nn.Sequential, init: str) -> None:
    """Weights for the last layer: N(0, 1) with `plain`, else near zero, so that the first loss is near ln V."""
    linear, last = layers[0], layers[len(layers) - 1]
    assert isinstance(linear, nn.Linear)
    initialise(linear, "plain" if last is linear else "kaiming", 1.0)
    if init != "plain":
        with torch.no_grad():
            for parameter in last.parameters():
                parameter *= 0.1 if last is not linear else 0.01
            if linear.bias is not None:
                linear.bias.zero_()


def _linear(width: int, out: int, norm: str, groups: int) -> list[nn.Module]:
    """A linear layer and its normalisation; one that subtracts a mean and adds a bias of its own needs no other."""
    return [nn.Linear(width, out, bias=norm in ("none", "rms")), *normalisation(norm, out, groups)]
