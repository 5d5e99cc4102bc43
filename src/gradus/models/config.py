"""The settings of every model, side by side, with their defaults.

A field's comment is its help text on the command line. This file imports no tensors, so that the settings can be listed
before a backend is chosen. Every configuration begins with `vocab_size` and `block_size`, which come from the text;
the rest is the user's to set. Invalid settings are refused here, with their values.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from gradus.errors import UserError

Method = Literal["additive", "kneser-ney", "modified-kneser-ney"]


class ModelConfig(Protocol):
    """What the configurations have in common."""

    @property
    def vocab_size(self) -> int: ...
    @property
    def block_size(self) -> int: ...
    @property
    def parameters(self) -> int:
        """How many parameters are learned by gradient descent."""


@dataclass(frozen=True)
class NGramConfig:
    """Settings of `gradus.models.ngram.NGram`."""

    vocab_size: int  # number of different tokens
    block_size: int  # longest row of tokens
    order: int = 6  # tokens in an n-gram: the one predicted and the order - 1 before it
    method: Method = "modified-kneser-ney"  # how counts become probabilities of what was seldom or never seen
    smoothing: float = 0.1  # of the method additive: added to every count; 1 is Laplace's rule, 0 is none
    discount: float = 0.75  # of the method kneser-ney: taken from every count; modified estimates three for each order

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size, order=self.order)
        if not 0.0 <= self.smoothing < float("inf"):
            raise UserError(f"smoothing must be 0 or more, got {self.smoothing}")
        if not 0.0 < self.discount <= 1.0:
            raise UserError(f"discount must be greater than 0 and at most 1, got {self.discount}")
        for name, method in (("smoothing", "additive"), ("discount", "kneser-ney")):
            if self.method != method and getattr(self, name) != type(self).__dataclass_fields__[name].default:
                raise UserError(f"{name} is for the method {method}, not for {self.method}")

    @property
    def parameters(self) -> int:
        return 0


@dataclass(frozen=True)
class MixtureConfig:
    """Settings of `gradus.models.mixture.Mixture`."""

    vocab_size: int  # number of different tokens
    block_size: int  # longest row of tokens
    of: str = ""  # the run whose trained network is mixed with the counts
    network: str = ""  # the network's name and settings, as JSON; that run's
    separator: int = -1  # the token that begins a document; -1 for a stream; that run's
    order: int = 6  # tokens in an n-gram: the one predicted and the order - 1 before it
    method: Method = "modified-kneser-ney"  # how counts become probabilities of what was seldom or never seen
    weights: Literal["constant", "count"] = (
        "count"  # the network's weight: one, or by how often the context was counted
    )

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size, order=self.order)
        if not self.network:
            raise UserError("a mixture needs a trained network; say of which run, by --of RUN")
        if not -1 <= self.separator < self.vocab_size:
            raise UserError(f"separator must be a token, 0 to {self.vocab_size - 1}, or -1, got {self.separator}")
        _ = self.described

    @property
    def described(self) -> dict[str, Any]:
        """The network, as `build_model` takes it."""
        sizes: dict[str, Any] = {"vocab_size": self.vocab_size, "block_size": self.block_size}
        try:
            described = json.loads(self.network)
        except ValueError:
            described = None
        if not isinstance(described, dict) or "name" not in described or described.keys() & sizes.keys():
            raise UserError(
                'network must be the JSON of a name and of settings that are no sizes, as {"name": "gpt", "n_layer": 2}'
                f", got {self.network}"
            )
        return {**described, **sizes}

    @property
    def parameters(self) -> int:
        return 0  # the network is trained already


@dataclass(frozen=True)
class BigramConfig:
    """Settings of `gradus.models.bigram.Bigram`, which has none of its own."""

    vocab_size: int  # number of different tokens
    block_size: int  # longest row of tokens

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size)

    @property
    def parameters(self) -> int:
        return self.vocab_size * (self.vocab_size + 1)


@dataclass(frozen=True)
class NPLMConfig:
    """Settings of `gradus.models.nplm.NPLM`; the defaults are makemore's."""

    vocab_size: int  # number of different tokens
    block_size: int  # longest row of tokens
    context: int = 3  # context length: how many previous tokens a prediction sees
    n_embd: int = 10  # embedding size: numbers for each token
    n_hidden: int = 200  # hidden units: neurons in the tanh layer; 0 with direct connections only
    direct: bool = False  # direct connections from the embeddings to the logits, past the tanh layer

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size)
        _at_least(1, context=self.context, n_embd=self.n_embd)
        _at_least(0 if self.direct else 1, n_hidden=self.n_hidden)

    @property
    def parameters(self) -> int:
        V, E, H, width = self.vocab_size, self.n_embd, self.n_hidden, self.context * self.n_embd
        return V * E + (width + 1) * H + (H + 1) * V + (width * V if self.direct else 0)


@dataclass(frozen=True)
class MLPConfig:
    """Settings of `gradus.models.mlp.MLP`; the defaults are makemore's, with BatchNorm."""

    vocab_size: int  # number of different tokens
    block_size: int  # longest row of tokens
    context: int = 3  # context length: how many previous tokens a prediction sees
    n_embd: int = 10  # embedding size: numbers for each token
    n_hidden: int = 200  # hidden units: neurons in a layer
    n_layer: int = 1  # hidden layers
    activation: Literal["tanh", "relu", "gelu"] = "tanh"  # what follows each hidden layer
    norm: Literal["none", "batch", "layer", "group", "rms"] = "batch"  # normalisation, before each activation
    norm_groups: int = 8  # groups of hidden units that norm group normalises
    norm_output: bool = False  # normalise the logits too
    init: Literal["plain", "zero-output", "kaiming"] = (
        "kaiming"  # first weights: N(0, 1); output near 0; scaled by gain
    )

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size, context=self.context, n_embd=self.n_embd)
        _at_least(1, n_hidden=self.n_hidden, n_layer=self.n_layer, norm_groups=self.norm_groups)
        if self.norm == "group" and self.n_hidden % self.norm_groups:
            raise UserError(
                f"n_hidden must be a multiple of norm_groups, got n_hidden {self.n_hidden} and norm_groups "
                f"{self.norm_groups}"
            )

    @property
    def parameters(self) -> int:
        V, E, H = self.vocab_size, self.n_embd, self.n_hidden
        per_unit = 1 if self.norm == "none" else 2  # a bias, a gain
        hidden = self.context * E * H + (self.n_layer - 1) * H * H + self.n_layer * per_unit * H
        return V * E + hidden + (H + (per_unit if self.norm_output else 1)) * V


@dataclass(frozen=True)
class WaveNetConfig:
    """Settings of `gradus.models.wavenet.WaveNet`; the defaults are those of makemore's largest."""

    vocab_size: int  # number of different tokens
    block_size: int  # longest row of tokens
    n_embd: int = 24  # embedding size: numbers for each token
    n_hidden: int = 128  # hidden units: numbers for each place of a layer
    n_layer: int = 3  # layers; each doubles the context, to 2^n_layer tokens
    design: Literal["tree", "dilated"] = (
        "tree"  # each window by itself with BatchNorm, or gated convolutions along rows
    )

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size)
        _at_least(1, n_embd=self.n_embd, n_hidden=self.n_hidden, n_layer=self.n_layer)
        if self.n_layer > 16:
            raise UserError(f"n_layer must be at most 16, since the context is 2^n_layer, got {self.n_layer}")

    @property
    def context(self) -> int:
        """How many tokens a prediction sees."""
        return int(2**self.n_layer)

    @property
    def parameters(self) -> int:
        V, E, H, L = self.vocab_size, self.n_embd, self.n_hidden, self.n_layer
        if self.design == "tree":
            return V * E + 2 * E * H + (L - 1) * 2 * H * H + L * 2 * H + (H + 1) * V
        return V * E + (E + 1) * H + L * (3 * H + 2) * 2 * H + (H + 1) * (H + V)


@dataclass(frozen=True)
class RecurrentConfig:
    """Settings of `gradus.models.recurrent.Recurrent`."""

    vocab_size: int  # number of different tokens
    block_size: int  # longest row of tokens: through so many steps a gradient flows back
    cell: Literal["rnn", "gru", "lstm"] = "lstm"  # how a token changes the state
    n_embd: int = 64  # embedding size: numbers for each token
    n_hidden: int = 256  # hidden units: numbers in the state of a layer
    n_layer: int = 1  # recurrent layers
    dropout: float = 0.0  # dropout probability, between the layers and before the logits
    carry: bool = False  # go on from the state after the window before; of a stream, whose recipe turns it on

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size)
        _at_least(1, n_embd=self.n_embd, n_hidden=self.n_hidden, n_layer=self.n_layer)
        _below_one(dropout=self.dropout)

    @property
    def parameters(self) -> int:
        V, E, H, gates = self.vocab_size, self.n_embd, self.n_hidden, {"rnn": 1, "gru": 3, "lstm": 4}[self.cell]
        first, others = gates * H * (E + H + 2), gates * H * (2 * H + 2)
        return V * E + first + (self.n_layer - 1) * others + (H + 1) * V


@dataclass(frozen=True)
class GPTConfig:
    """Settings of `gradus.models.gpt.GPT`; the defaults are nanoGPT's for a laptop, GPT-2's own are 12, 12, 768 and
    bias."""

    vocab_size: int  # number of different tokens
    block_size: int  # context length: the longest row of tokens
    n_layer: int = 4  # number of Transformer blocks
    n_head: int = 4  # number of attention heads in a block
    n_embd: int = 128  # embedding size: the width of the residual stream
    dropout: float = 0.0  # dropout probability: the fraction of activations dropped in training
    bias: bool = False  # biases in the linear layers and LayerNorms, as GPT-2 has

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size)
        _heads(self.n_layer, self.n_head, self.n_embd)
        _below_one(dropout=self.dropout)

    @property
    def parameters(self) -> int:
        C = self.n_embd
        block = 12 * C * C + 2 * C + (11 * C if self.bias else 0)  # attention 4 C², MLP 8 C², two LayerNorms
        return (self.vocab_size + self.block_size) * C + self.n_layer * block + C + (C if self.bias else 0)


@dataclass(frozen=True)
class ModernConfig:
    """Settings of `gradus.models.modern.Modern`: the GPT's sizes, and what has been changed since, each by itself."""

    vocab_size: int  # number of different tokens
    block_size: int  # context length: the longest row of tokens
    n_layer: int = 4  # number of Transformer blocks
    n_head: int = 4  # number of attention heads in a block
    n_kv_head: int = 0  # heads of keys and values, shared by groups of query heads; 0 = as many as n_head
    n_embd: int = 128  # embedding size: the width of the residual stream
    dropout: float = 0.0  # dropout probability: the fraction of activations dropped in training
    rope: bool = True  # rotary positions, in place of learned ones
    rms_norm: bool = True  # RMSNorm without parameters, in place of LayerNorm
    qk_norm: bool = True  # queries and keys of one length
    mlp: Literal["relu2", "swiglu", "gelu"] = "relu2"  # the activation in the MLP
    zero_init: bool = True  # start with blocks that add nothing and a head at zero
    tied: bool = False  # one matrix for the token embedding and the head
    soft_cap: float = 15.0  # keep logits within plus and minus this; 0 = no limit
    smear: bool = True  # mix the previous token's embedding into each one
    value_embeddings: bool = False  # in each block, add to a token's value a learned vector of its own

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size)
        _heads(self.n_layer, self.n_head, self.n_embd)
        _at_least(0, n_kv_head=self.n_kv_head)
        if self.rope and self.n_embd // self.n_head % 2:
            raise UserError(f"rope needs heads of an even size n_embd / n_head, got {self.n_embd // self.n_head}")
        if self.n_kv_head and self.n_head % self.n_kv_head:
            raise UserError(
                f"n_head must be a multiple of n_kv_head, got n_head {self.n_head} and n_kv_head {self.n_kv_head}"
            )
        _below_one(dropout=self.dropout)
        if not 0.0 <= self.soft_cap < float("inf"):
            raise UserError(f"soft_cap must be 0 or more, got {self.soft_cap}")

    @property
    def hidden(self) -> int:
        """The width inside an MLP: 4 C, or with swiglu, which has a third matrix, two thirds of that."""
        return 8 * round(self.n_embd / 3) if self.mlp == "swiglu" else 4 * self.n_embd

    @property
    def parameters(self) -> int:
        V, C = self.vocab_size, self.n_embd
        kv = C // self.n_head * (self.n_kv_head or self.n_head)
        block = C * (C + 2 * kv) + C * C + (3 if self.mlp == "swiglu" else 2) * C * self.hidden
        block += (V * kv if self.value_embeddings else 0) + (0 if self.rms_norm else 2 * C)
        ends = V * C * (1 if self.tied else 2) + (0 if self.rope else self.block_size * C)
        return ends + self.n_layer * block + (C if self.smear else 0) + (0 if self.rms_norm else C)


@dataclass(frozen=True)
class TransformerConfig:
    """Settings of `gradus.models.transformer.Transformer`; the paper's base model has 6 layers, 8 heads, width 512 and
    norm post."""

    vocab_size: int  # number of different tokens
    block_size: int  # longest source or target in tokens, separators included
    n_layer: int = 4  # number of layers in the encoder, and as many in the decoder
    n_head: int = 4  # number of heads in each attention
    n_embd: int = 128  # embedding size: the width of the residual stream
    dropout: float = 0.1  # dropout probability: the fraction of activations dropped in training
    label_smoothing: float = 0.1  # in training, this much of a target is spread over all tokens
    norm: Literal["pre", "post"] = "pre"  # normalise what a layer reads, or as in the paper the sum it leaves
    position_encoding: Literal["sinusoidal", "learned"] = "sinusoidal"  # waves of fixed lengths, or learned vectors
    cross_attention: bool = True  # let the decoder see the source; without it, to see what that is worth

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size)
        _heads(self.n_layer, self.n_head, self.n_embd)
        _below_one(dropout=self.dropout, label_smoothing=self.label_smoothing)

    @property
    def parameters(self) -> int:
        C = self.n_embd
        attention, feed_forward, norm = 4 * C * C + 4 * C, 8 * C * C + 5 * C, 2 * C
        layers = (attention + feed_forward + 2 * norm) + (2 * attention + feed_forward + 3 * norm)
        ends = self.vocab_size * C + (self.block_size * C if self.position_encoding == "learned" else 0)
        return ends + self.n_layer * layers + (2 * norm if self.norm == "pre" else 0)


@dataclass(frozen=True)
class EncoderConfig:
    """Settings of `gradus.models.encoder.Encoder`; BERT's base model has 12 layers, 12 heads, width 768, 2 segments and
    norm post."""

    vocab_size: int  # number of different tokens, the mask not counted
    block_size: int  # longest text in tokens, separators included
    n_layer: int = 4  # number of layers
    n_head: int = 4  # number of heads in each attention
    n_embd: int = 128  # embedding size: the width of the residual stream
    n_hidden: int = 0  # width inside the feed-forward networks; 0 = 4 n_embd
    dropout: float = 0.1  # dropout probability: the fraction of activations dropped in training
    norm: Literal["pre", "post"] = "pre"  # normalise what a layer reads, or as in BERT the sum it leaves
    n_segments: int = 0  # parts of an input that have an embedding of their own; BERT's two sentences are 2
    n_labels: int = 0  # labels to choose from; 0 = say what the masked tokens were
    pool: Literal["first", "mean"] = "mean"  # what a text's label is read from: its first position, or the mean of all

    def __post_init__(self) -> None:
        _at_least(1, vocab_size=self.vocab_size, block_size=self.block_size)
        _heads(self.n_layer, self.n_head, self.n_embd)
        _at_least(0, n_hidden=self.n_hidden, n_segments=self.n_segments, n_labels=self.n_labels)
        _below_one(dropout=self.dropout)
        if self.n_labels == 1:
            raise UserError("n_labels must be 0, or at least 2 to choose from, got 1")

    @property
    def parameters(self) -> int:
        V, C, H = self.vocab_size, self.n_embd, self.n_hidden or 4 * self.n_embd
        layer = 4 * (C + 1) * C + (C + 1) * H + (H + 1) * C + 4 * C
        ends = (V + 1 + self.block_size + self.n_segments) * C + 2 * C + (2 * C if self.norm == "pre" else 0)
        head = (C + 1) * C + ((C + 1) * self.n_labels if self.n_labels else 2 * C + V)
        return ends + self.n_layer * layer + head


def _heads(n_layer: int, n_head: int, n_embd: int) -> None:
    _at_least(1, n_layer=n_layer, n_head=n_head, n_embd=n_embd)
    if n_embd % n_head != 0:
        raise UserError(f"n_embd must be a multiple of n_head, got n_embd {n_embd} and n_head {n_head}")


def _below_one(**settings: float) -> None:
    for name, value in settings.items():
        if not 0.0 <= value < 1.0:
            raise UserError(f"{name} must be at least 0 and less than 1, got {value}")


def _at_least(least: int, **settings: int) -> None:
    for name, value in settings.items():
        if value < least:
            raise UserError(f"{name} must be at least {least}, got {value}")
