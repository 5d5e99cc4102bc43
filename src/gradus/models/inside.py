"""A look inside a model: the activations of its layers, the gradients that reach them, its attention, its embedding of
the tokens. Works on any model of the ladder, on either backend, and leaves it as it was; nothing here is part of
learning or predicting."""

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
from gradus.models.transformer import Transformer

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

NONLINEAR = (nn.Tanh, nn.Sigmoid, nn.ReLU, nn.GELU, nn.SiLU)
RECURRENT = (nn.RNN, nn.GRU, nn.LSTM)
FLAT = 0.06  # a slope under this is flat: what tanh has beyond ±0.97, where the lectures call it saturated
_STEP = 1e-2  # for the slope


@dataclass(frozen=True)
class Layer:
    """The outputs of one layer, in a batch.

    Attributes:
        values: of any shape, the last axis being the units.
        flat: of a nonlinearity, where its slope is under FLAT, so that hardly any gradient passes: bool, shaped as
            values; None for a layer that is none.
    """

    values: Floats
    flat: NDArray[np.bool_] | None = None

    @property
    def saturated(self) -> float | None:
        """The part of the values where the nonlinearity is flat."""
        return None if self.flat is None else float(self.flat.mean())

    @property
    def dead(self) -> float | None:
        """The part of the units that are flat at every position of the batch: nothing here can train what feeds
        them."""
        return None if self.flat is None else float(self.flat.reshape(-1, self.flat.shape[-1]).all(axis=0).mean())


@dataclass(frozen=True)
class TranslationAttention:
    """What the layers of a Transformer attended to; a row of the last two is one of the tokens target[1:], which were
    written after the tokens before them had been read. Rows sum to 1.

    Attributes:
        encoder: for each layer (nh, S, S), the source to itself.
        decoder: for each layer (nh, T - 1, T - 1), the target to what was written before.
        cross: for each layer (nh, T - 1, S), the target to the source; none in a model without cross-attention.
    """

    encoder: list[Floats]
    decoder: list[Floats]
    cross: list[Floats]


def layers(model: LanguageModel, idx: Ints, targets: Ints | None = None) -> dict[str, Layer]:
    """What the nonlinearities of a model give for rows idx (B, T); of a recurrent model, the states of its last layer;
    of a model made of blocks, the stream after each. By the names of the modules, in the order in which they work.
    Nothing for a model without any of these. A model of pairs needs the targets, too, and the rows are sources.

    >>> model = build_model("mlp", vocab_size=27, block_size=8, n_hidden=100)
    >>> layer = layers(model, np.zeros((1, 8), dtype=np.int64))["hidden.2"]
    >>> layer.values.shape
    (8, 100)
    """
    with _watched_layers(model) as found, inference(model):
        model(*(torch.from_numpy(given).to(device_of(model)) for given in (idx, targets) if given is not None))
    with torch.no_grad():
        return {name: Layer(_array(y), where_flat(module, x, y)) for name, (module, x, y) in found.items()}


def gradients(model: LanguageModel, idx: Ints, targets: Ints) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """The gradient of the loss with respect to the outputs of the `layers`, and to the weights: matrices, embeddings.
    The gradients in which a training step has left the parameters are not touched.

    Args:
        idx, targets: (B, T), as the model takes them.

    Returns:
        Two dictionaries, of the layers and of the weights, by name, shaped as they are; both are empty for a model that
        counts.
    """
    weights = {name: p for name, p in model.named_parameters() if p.requires_grad and p.dim() > 1}
    if not weights:
        return {}, {}
    device = device_of(model)
    with _watched_layers(model) as found, inference(model), torch.enable_grad():
        _, loss = model(torch.from_numpy(idx).to(device), torch.from_numpy(targets).to(device))
        assert loss is not None
        of = [*(y for _, _, y in found.values()), *weights.values()]
        grads = torch.autograd.grad(loss, of, allow_unused=True)
    arrays = [np.zeros(tuple(y.shape)) if dy is None else _array(dy) for y, dy in zip(of, grads, strict=True)]
    n = len(found)
    return dict(zip(found, arrays[:n], strict=True)), dict(zip(weights, arrays[n:], strict=True))


def where_flat(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> NDArray[np.bool_] | None:
    """Where an elementwise module with input x and output y is flat, by central differences; where tanh is, of which an
    Elman network's states are the outputs. None for a module that is no nonlinearity."""
    if isinstance(module, nn.RNN):
        return 1 - _array(y) ** 2 < FLAT
    if not isinstance(module, NONLINEAR):
        return None
    return np.abs(_array((module(x + _STEP) - module(x - _STEP)) / (2 * _STEP))) < FLAT


@contextmanager
def _watched_layers(model: LanguageModel) -> Iterator[dict[str, tuple[nn.Module, torch.Tensor, torch.Tensor]]]:
    """Within it, each call of a layer notes the layer, its input and its output, by its name."""
    found: dict[str, tuple[nn.Module, torch.Tensor, torch.Tensor]] = {}

    def watch(name: str) -> Callable[[Any, Any, Any], None]:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            y = output[0] if isinstance(output, tuple) else output  # others follow: a last state, what skips a layer
            if isinstance(y, torch.Tensor):
                found[name] = (module, inputs[0], y)

        return hook

    watched: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        if isinstance(module, (*NONLINEAR, *RECURRENT)):
            watched[name] = module
        elif isinstance(module, nn.ModuleList):
            watched |= {f"{name}.{number}": block for number, block in module.named_children()}
    handles = [module.register_forward_hook(watch(name)) for name, module in watched.items()]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def attention(model: LanguageModel, idx: Ints) -> list[Floats]:
    """The attention of each layer for one row of tokens idx (T,): (nh, T, T) each, rows summing to 1; none for a model
    without attention."""
    found: list[Floats] = []
    with _watched_attention(found), inference(model):
        model(torch.from_numpy(idx[None]).to(device_of(model)))
    return found


def translation_attention(model: Transformer, source: Ints, target: Ints) -> TranslationAttention:
    """The attention of a Transformer for one pair, each side of it in tokens as the model takes them: source (S,),
    target (T,) with the separators around it."""
    found: list[Floats] = []
    device = device_of(model)
    with _watched_attention(found), inference(model):
        model(*(torch.from_numpy(ids[None]).to(device) for ids in (source, target)))
    n = len(model.encoder)
    crosses = [layer.crosses for layer in model.decoder]
    return TranslationAttention(found[:n], found[n::2], found[n + 1 :: 2] if all(crosses) else [])


def embedding(model: LanguageModel) -> Floats | None:
    """The vectors of the tokens (V, C); None for a model without."""
    V = model.config.vocab_size
    for module in model.modules():
        if isinstance(module, nn.Embedding) and module.num_embeddings in (V, V + 1):
            return _array(module.weight[:V])  # an encoder has a vector for its mask, too
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


def _array(tensor: torch.Tensor) -> Floats:
    out: Floats = tensor.detach().float().cpu().numpy()
    return out
