"""LoRA: Low-Rank Adaptation of a trained model (Hu et al., 2021).

    y = x Wᵀ + b + (alpha / r) x Aᵀ Bᵀ        W (out, in), A (r, in), B (out, r)

W stays as it is. Only A and B are trained, which are thousands of numbers where W has millions: what a text teaches a
model that can write already has a low rank. B starts at zero, so the first step begins with the model as it was. At the
end W + (alpha / r) B A is a matrix like any other, and nothing is slower.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from gradus.backend import F, nn, torch
from gradus.errors import UserError
from gradus.models.base import LanguageModel
from gradus.models.encoder import Encoder

Arrays = Mapping[str, NDArray[np.float32]]
A, B = ".lora_A", ".lora_B"
NEW_HEAD = ("head.", "classifier.")  # of an encoder that labels: what is trained whole, as its labels are new


class LoRALinear(nn.Linear):
    """A linear layer whose matrix has learned already, and what is added to it.

    >>> layer = LoRALinear(nn.Linear(8, 6), rank=2, alpha=4.0)
    >>> [(name, tuple(p.shape)) for name, p in layer.named_parameters() if p.requires_grad]
    [('lora_A', (2, 8)), ('lora_B', (6, 2))]

    Args:
        linear: the layer; its parameters are shared, and no longer trained.
        rank: r, from 1 to the smaller of its two sizes.
        alpha: what is added is scaled by alpha / r.
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias = linear.weight, linear.bias
        self.lora_A = nn.Parameter(torch.empty(rank, self.in_features))
        self.lora_B = nn.Parameter(torch.zeros(self.out_features, rank))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))  # as nn.Linear begins, and as the authors' loralib does
        self.scaling = alpha / rank
        for parameter in linear.parameters():
            parameter.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        low = F.linear(x, self.lora_A)  # (..., in) -> (..., r)
        out: torch.Tensor = F.linear(x, self.weight, self.bias) + F.linear(low, self.lora_B) * self.scaling
        return out


def add_lora(model: LanguageModel, rank: int, alpha: float) -> None:
    """Adapt, in place, every linear layer of a model but the one that gives its logits, unless there is no other.
    Nothing else is trained, except the head of an encoder that labels.

    The parameters keep their names, and `X.lora_A` and `X.lora_B` stand beside `X.weight`.

    Raises:
        UserError: if the model has no linear layer, or the rank is too large for the narrowest.
    """
    layers = dict(_to_adapt(model))
    if not layers:
        raise UserError(f"{type(model).__name__.lower()} has no linear layer that LoRA could adapt")
    most = min(min(layer.weight.shape) for layer in layers.values())
    if not 1 <= rank <= most:
        raise UserError(f"lora_rank must be between 1 and {most}, the size of the narrowest linear layer, got {rank}")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(isinstance(model, Encoder) and name.startswith(NEW_HEAD) and _labels(model))
    for name, layer in layers.items():
        parent, _, attribute = name.rpartition(".")
        setattr(model.get_submodule(parent), attribute, LoRALinear(layer, rank, alpha))


def has_lora(model: nn.Module) -> bool:
    """Whether a model was adapted."""
    return any(isinstance(module, LoRALinear) for module in model.modules())


def merge(base: Arrays, adapter: Arrays, scaling: float) -> dict[str, NDArray[np.float32]]:
    """The weights of an adapted model as those of a plain one: W + scaling B A; what else the adapter holds, buffers
    and a new head, takes the place of the base's.

    Args:
        base: the weights that were adapted, by name.
        adapter: `X.lora_A` (r, in) and `X.lora_B` (out, r) for each adapted `X.weight`.
        scaling: alpha / r.
    """
    merged = {**base, **{name: array for name, array in adapter.items() if not name.endswith((A, B))}}
    for name, low in adapter.items():
        if name.endswith(A):
            weight = name.removesuffix(A) + ".weight"
            merged[weight] = base[weight] + np.float32(scaling) * (adapter[name.removesuffix(A) + B] @ low)
    return merged


def output_layer(model: LanguageModel) -> nn.Linear | None:
    """The linear layer with a row for each token or label: the last one. None where an embedding serves as such."""
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1:]
    rows = model.config.vocab_size, getattr(model.config, "n_labels", 0)
    return last[0] if last and last[0].weight.size(0) in rows else None


def _to_adapt(model: LanguageModel) -> Iterator[tuple[str, nn.Linear]]:
    linear = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    output = output_layer(model)
    for name, module in linear:
        new = isinstance(model, Encoder) and name.startswith(NEW_HEAD) and _labels(model)
        if not new and (module is not output or len(linear) == 1):
            yield name, module


def _labels(model: Encoder) -> bool:
    return model.config.n_labels > 0
