"""Where in a GPT or a modern Transformer what is: the names of its modules by their part in the architecture, and the
residual stream along them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradus.backend import nn
from gradus.errors import UserError
from gradus.explorer.forward.passes import Floats, Pass
from gradus.explorer.opened import Opened
from gradus.models import LanguageModel

KINDS = ("gpt", "modern")


@dataclass(frozen=True)
class Names:
    """The names of a model's modules.

    Attributes:
        token, position: the embeddings; position is "" for a model that has none.
        blocks: of the list of blocks.
        norm_1, norm_2: within a block, the norms before attention and MLP, which are `attn` and `mlp` in both.
        norm: the last one, before the head.
    """

    token: str
    position: str
    blocks: str
    norm_1: str
    norm_2: str
    norm: str
    head: str = "lm_head"

    def block(self, layer: int) -> str:
        return f"{self.blocks}.{layer}"

    def attention(self, layer: int) -> str:
        return f"{self.blocks}.{layer}.attn"

    def mlp(self, layer: int) -> str:
        return f"{self.blocks}.{layer}.mlp"


_GPT = Names("transformer.wte", "transformer.wpe", "transformer.h", "ln_1", "ln_2", "transformer.ln_f")
_MODERN = Names("wte", "wpe", "blocks", "norm_1", "norm_2", "norm")


def names_of(opened: Opened) -> Names:
    """UserError for a model that is not built so."""
    if opened.kind not in KINDS:
        raise UserError(f"a {opened.kind} has no blocks of attention and MLP; this is for {' and '.join(KINDS)}")
    return _GPT if opened.kind == "gpt" else _MODERN


def layer_of(opened: Opened, layer: int) -> int:
    """A layer that there is; -1 is the last. UserError for another."""
    n: int = opened.config.n_layer
    if not -n <= layer < n:
        raise UserError(f"layer must be from 0 to {n - 1}, got {layer}")
    return layer % n


def head_of(opened: Opened, head: int) -> int:
    """A head that there is. UserError for another."""
    n: int = opened.config.n_head
    if not 0 <= head < n:
        raise UserError(f"head must be from 0 to {n - 1}, got {head}")
    return head


def position_of(seen: Pass, token: int) -> int:
    """A position of the text; -1 is the last. UserError for another."""
    n = len(seen.ids)
    if not -n <= token < n:
        raise UserError(f"token must be from 0 to {n - 1}, the positions that the model reads, got {token}")
    return token % n


def pieces(opened: Opened, seen: Pass) -> list[str]:
    """The texts of the tokens that were read."""
    return seen.once("pieces", lambda: [opened.piece(id_) for id_ in seen.ids])


def module(model: LanguageModel, name: str) -> nn.Module:
    """The module of this name."""
    return dict(model.named_modules())[name]


def stream(opened: Opened, seen: Pass) -> Floats:
    """The residual stream (2 n_layer + 1, T, C): after the embeddings, then after each attention and each MLP."""
    names, n = names_of(opened), opened.config.n_layer

    def made() -> Floats:
        after: list[Floats] = []
        for i in range(n):
            block = names.block(i)
            after += [seen.input(f"{block}.{names.norm_1}"), seen.input(f"{block}.{names.norm_2}")]
        return np.stack([*after, seen.output(names.block(n - 1))])

    return seen.once("stream", made)


def added(opened: Opened, seen: Pass) -> Floats:
    """What each attention and each MLP adds to the stream, (2 n_layer, T, C)."""
    names = names_of(opened)
    parts = (part for i in range(opened.config.n_layer) for part in (names.attention(i), names.mlp(i)))
    return seen.once("added", lambda: np.stack([seen.output(part) for part in parts]))
