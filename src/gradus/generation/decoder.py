"""A GPT's step of generation as one compiled call, on our engine: the same as the model's `read` of one token, without
the time that Python takes between the operations; and weights in half precision, which are read in half the time.

What limits a step is how fast the weights come from memory: each is read once, for two arithmetic operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus import backend
from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.models import GPT, LanguageModel
from gradus.models.gpt import MLP, Block, CausalSelfAttention

Floats = NDArray[np.floating[Any]]

_HALF = "_half_precision"  # the attribute of a model whose matrices are to be read as float16


def half_precision(model: LanguageModel) -> None:
    """Round the matrices of a GPT to float16, and let generation read them as such from then on: each text begins with
    a copy of the weights as they are then.

    The arithmetic stays float32. A rounded weight differs by at most a part in 2,048 from what it was.

    Raises:
        UserError: if the model is no GPT, or a weight is too large for float16.
    """
    if not isinstance(model, GPT):
        raise UserError(f"weights in half precision are for the model gpt, not {type(model).__name__.lower()}")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("weight") and parameter.dim() == 2:
                largest = float(parameter.abs().max().item())
                if not largest <= float(np.finfo(np.float16).max):
                    raise UserError(f"{name} has a weight of {largest:g}, which float16 cannot hold")
                parameter.copy_(parameter.to(torch.float16).float())
    setattr(model, _HALF, True)


class Decoder:
    """Reads one token after the other with a GPT and its `Cache`, as the model's `read` does."""

    def __init__(self, model: GPT) -> None:
        from gradus.engine import kernels
        from gradus.engine.kernels import threads

        self.model, self._pool, self._kernel = model, threads.pool, kernels.compiled("decode")
        weights = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}
        self._half: bool = getattr(model, _HALF, False)
        self._arrays: dict[str, Floats] = {  # whose addresses are in the table
            name: array.astype(np.float16) if self._half and array.ndim == 2 else array
            for name, array in weights.items()
        }
        blocks = [[f"transformer.h.{i}.{name}" for name in _LAYER] for i in range(model.n_layer)]
        last = ["transformer.ln_f.weight", "transformer.ln_f.bias", "transformer.wte.weight"]
        self._table = np.zeros((len(blocks) + 1, self._kernel.WIDTH), np.int64)
        for row, names in zip(self._table, [*blocks, last], strict=True):
            row[: len(names)] = [self._address(name) for name in names]
        self._tokens, self._positions = weights["transformer.wte.weight"], weights["transformer.wpe.weight"]
        self._cache: Any = None

    def read(self, idx: torch.Tensor, cache: Any) -> torch.Tensor:
        """The logits (1, V) after a token (1, 1) for which the cache has room."""
        place = cache.lengths[0]
        cache.extend(idx)
        if cache is not self._cache:
            self._cache = cache
            for row, past in zip(self._table, cache.layers, strict=False):
                row[self._kernel.KEYS], row[self._kernel.VALUES] = (a.numpy().ctypes.data for a in (past.k, past.v))
        x = self._tokens[int(idx.item())] + self._positions[place]
        logits = np.empty(len(self._tokens), np.float32)
        heads, eps = self.model.n_head, self.model.transformer.ln_f.eps
        self._kernel.step(self._pool(), self._table, self._half, x, heads, cache.size, place, eps, logits)
        return torch.from_numpy(logits[None])

    def takes(self, idx: torch.Tensor, cache: Any) -> bool:
        """Whether `read` can: one token, one row, not at its beginning, and room."""
        return tuple(idx.shape) == (1, 1) and len(cache.lengths) == 1 and 0 < cache.lengths[0] < cache.size

    def _address(self, name: str) -> int:
        return int(self._arrays[name].ctypes.data) if name in self._arrays else 0


def decoder(model: LanguageModel) -> Decoder | None:
    """The compiled step of a model, if it has one: a float32 GPT on our engine, with Numba, that nobody watches and of
    which no part was exchanged."""
    if backend.name() != "engine" or type(model) is not GPT:
        return None
    config: Any = model.config
    modules = list(model.modules())
    if min(config.vocab_size, config.n_embd, config.block_size) < _LEAST_SIZE or {*map(type, modules)} - _PARTS:
        return None
    from gradus.engine import kernels

    watched = any(module._forward_hooks or module._forward_pre_hooks for module in modules)
    arrays = [parameter.detach().numpy() for parameter in model.parameters()]
    fits = all(array.dtype == np.float32 and array.flags.c_contiguous for array in arrays)
    return Decoder(model) if kernels.enabled and fits and not watched else None


_LEAST_SIZE = 4  # rows of every matrix and of the cache: as many are multiplied together
_PARTS = {GPT, Block, CausalSelfAttention, MLP, nn.ModuleDict, nn.ModuleList, nn.Embedding, nn.Dropout, nn.LayerNorm}
_PARTS |= {nn.GELU, nn.Linear}  # whose arithmetic is compiled; any other, such as an adapter, is not known here
_LAYER = [  # in the order of the table's columns
    *("ln_1.weight", "ln_1.bias", "attn.c_attn.weight", "attn.c_attn.bias", "attn.c_proj.weight", "attn.c_proj.bias"),
    *("ln_2.weight", "ln_2.bias", "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias"),
]
