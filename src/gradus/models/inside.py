"""A look inside a model: the activations of its layers, its attention, its embedding of the tokens. Works on any model
of the ladder, on either backend, and leaves it as it was; nothing here is part of learning or predicting."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.backend import F, nn, torch
from gradus.models.base import LanguageModel, device_of, inference

Floats = NDArray[np.floating[Any]]

NONLINEAR = (nn.Tanh, nn.Sigmoid, nn.ReLU, nn.GELU, nn.SiLU)
FLAT = 0.06  # a slope under this is flat: what tanh has beyond ±0.97, where the lectures call it saturated
_STEP = 1e-2  # for the slope


@dataclass(frozen=True)
class Layer:
    """The outputs of one layer, in a batch.

    Attributes:
        values: of any shape, the last axis being the units.
        saturated: of a nonlinearity, the part of the values where its slope is under FLAT, so that hardly any gradient
            passes; None for a layer that is none.
    """

    values: Floats
    saturated: float | None = None


def layers(model: LanguageModel, idx: NDArray[np.int64]) -> dict[str, Layer]:
    """What the nonlinearities of a model give for rows idx (B, T), and, of a model made of blocks, the stream after
    each block; by the names of the modules, in the order in which they work. Nothing for a model with neither."""
    found: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    watched: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        if isinstance(module, NONLINEAR):
            watched[name] = module
        elif isinstance(module, nn.ModuleList):
            watched |= {f"{name}.{number}": block for number, block in module.named_children()}

    def watch(name: str) -> Callable[[Any, Any, Any], None]:
        def hook(module: Any, inputs: Any, output: Any) -> None:  # noqa: ARG001
            if isinstance(output, torch.Tensor):
                found[name] = (inputs[0], output)

        return hook

    handles = [module.register_forward_hook(watch(name)) for name, module in watched.items()]
    try:
        with inference(model):
            model(torch.from_numpy(idx).to(device_of(model)))
    finally:
        for handle in handles:
            handle.remove()
    with torch.no_grad():
        return {
            name: Layer(_array(y), _saturated(watched[name], x) if isinstance(watched[name], NONLINEAR) else None)
            for name, (x, y) in found.items()
        }


def attention(model: LanguageModel, idx: NDArray[np.int64]) -> list[Floats]:
    """The attention of each layer for one row of tokens idx (T,): (nh, T, T) each, rows summing to 1; none for a model
    without attention."""
    found: list[Floats] = []
    with _watched_attention(found), inference(model):
        model(torch.from_numpy(idx[None]).to(device_of(model)))
    return found


def embedding(model: LanguageModel) -> Floats | None:
    """The vectors of the tokens (V, C); None for a model without."""
    for module in model.modules():
        if isinstance(module, nn.Embedding) and module.num_embeddings == model.config.vocab_size:
            return _array(module.weight)
    return None


@contextmanager
def _watched_attention(found: list[Floats]) -> Iterator[None]:
    """Within it, every call of scaled_dot_product_attention also notes its weights. The fused call never holds them, so
    they are computed beside it, from the same queries and keys."""
    fused = F.scaled_dot_product_attention

    def watching(
        q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, attn_mask: Any = None, dropout_p: float = 0.0,
        is_causal: bool = False, scale: float | None = None, **others: Any,
    ) -> torch.Tensor:  # fmt: skip
        found.append(_weights(_array(q)[0], _array(k)[0], attn_mask, is_causal, scale))
        out: torch.Tensor = fused(q, k, v, attn_mask, dropout_p, is_causal, scale=scale, **others)
        return out

    setattr(F, "scaled_dot_product_attention", watching)  # noqa: B010 (a module's attribute)
    try:
        yield
    finally:
        setattr(F, "scaled_dot_product_attention", fused)  # noqa: B010


def _weights(q: Floats, k: Floats, mask: Any, is_causal: bool, scale: float | None) -> Floats:
    """softmax(q kᵀ scale): q (nh, T, hs), k (nh or fewer, S, hs) -> (nh, T, S)."""
    k = np.repeat(k, len(q) // len(k), axis=0)  # grouped queries share their keys
    scores = q @ k.swapaxes(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if is_causal:
        scores = np.where(np.tri(*scores.shape[-2:]) > 0, scores, -np.inf)
    if mask is not None:
        array = mask.cpu().numpy()
        array = array.reshape(array.shape[-3:]) if array.ndim > 2 else array
        scores = np.where(array, scores, -np.inf) if array.dtype == bool else scores + array
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    out: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return out


def _saturated(module: nn.Module, x: torch.Tensor) -> float:
    """The part of the inputs at which an elementwise module is flat, by central differences."""
    slope = (module(x + _STEP) - module(x - _STEP)) / (2 * _STEP)
    return float((np.abs(_array(slope)) < FLAT).mean())


def _array(tensor: torch.Tensor) -> Floats:
    out: Floats = tensor.detach().float().cpu().numpy()
    return out
