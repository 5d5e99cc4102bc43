"""GPT-2 in the layout of Hugging Face's `transformers`: its config.json as a `GPTConfig` and back, and its tensors by
name. The names are ours but for the prefix `transformer.`, which the released files leave out. The weights of linear
layers are transposed: GPT-2 was written with a Conv1D, whose weight is (in, out)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradus.errors import UserError
from gradus.files import note
from gradus.hub.folder import Array, Tensors
from gradus.models import GPTConfig
from gradus.training.settings import build

PREFIX = "transformer."
HEAD, EMBEDDING, POSITIONS = "lm_head.weight", "wte.weight", "wpe.weight"
TANH_GELU = ("gelu_new", "gelu_pytorch_tanh")

# What GPT-2's config.json can ask for and our GPT has in one form only: GPT-2's own, which is also what is meant where
# it says nothing.
_FIXED: dict[str, tuple[object, ...]] = {
    "model_type": ("gpt2",),
    "activation_function": TANH_GELU,
    "layer_norm_epsilon": (1e-5,),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True,),
    "quantization_config": (None,),
}
_SIZES = {"vocab_size": 50_257, "n_positions": 1024, "n_layer": 12, "n_head": 12, "n_embd": 768}
_DROPOUTS = ("resid_pdrop", "embd_pdrop", "attn_pdrop")


def config_from(fields: Mapping[str, Any], path: object) -> GPTConfig:
    """What a config.json of GPT-2 says.

    Args:
        path: of the file, for the errors.

    Raises:
        UserError: if it asks for what our GPT does not have, or a value is of the wrong type or out of range.
    """
    if "model_type" not in fields:
        raise UserError(f"{path} does not say its model_type; gpt2 and bert are known")
    for name, known in _FIXED.items():
        value = fields.get(name, known[0])
        if value not in known:
            raise UserError(f"{path} asks for {name} {value!r}, which the model gpt does not have; it has {known[0]!r}")
    inner = fields.get("n_inner")
    sizes = {name: fields.get(name, default) for name, default in _SIZES.items()}
    dropouts = [fields.get(name, 0.1) for name in _DROPOUTS]
    if any(value != dropouts[0] for value in dropouts):
        said = ", ".join(f"{name} {value}" for name, value in zip(_DROPOUTS, dropouts, strict=True))
        note(f"{path} has {said}; the model gpt has one dropout, and takes {dropouts[0]}")
    sizes["block_size"] = sizes.pop("n_positions")
    try:
        config = build(GPTConfig, {**sizes, "dropout": dropouts[0], "bias": True})
    except UserError as error:
        raise UserError(f"{path} cannot be used: {error}") from error
    if inner not in (None, 4 * config.n_embd):
        raise UserError(f"{path} asks for n_inner {inner!r}; the model gpt has 4 n_embd, {4 * config.n_embd}")
    return config


def config_of(config: GPTConfig) -> dict[str, Any]:
    """The config.json of a GPT, all that `transformers` would leave to its defaults included."""
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": config.vocab_size,
        "n_positions": config.block_size,
        "n_embd": config.n_embd,
        "n_layer": config.n_layer,
        "n_head": config.n_head,
        "n_inner": None,
        "activation_function": TANH_GELU[0],
        **dict.fromkeys(_DROPOUTS, config.dropout),
        "layer_norm_epsilon": 1e-5,
        "initializer_range": 0.02,
        "scale_attn_weights": True,
        "tie_word_embeddings": True,
        "use_cache": True,
    }


def shapes(config: GPTConfig) -> dict[str, tuple[int, ...]]:
    """The tensors of GPT-2's files, by their names without `transformer.`."""
    C = config.n_embd
    out: dict[str, tuple[int, ...]] = {EMBEDDING: (config.vocab_size, C), POSITIONS: (config.block_size, C)}
    linear = {"attn.c_attn": (C, 3 * C), "attn.c_proj": (C, C), "mlp.c_fc": (C, 4 * C), "mlp.c_proj": (4 * C, C)}
    for layer in range(config.n_layer):
        for name in ("ln_1", "ln_2"):
            out |= {f"h.{layer}.{name}.weight": (C,), f"h.{layer}.{name}.bias": (C,)}
        for name, (n_in, n_out) in linear.items():
            out |= {f"h.{layer}.{name}.weight": (n_in, n_out), f"h.{layer}.{name}.bias": (n_out,)}
    return out | {"ln_f.weight": (C,), "ln_f.bias": (C,)}


def weights_from(tensors: Tensors, config: GPTConfig) -> dict[str, Array]:
    """The weights of our GPT, by name, float32.

    Raises:
        UserError: if tensors are missing, too many or misshapen (it names them), or the head is not the embedding.
    """
    layers = {name.split(".")[1] for name in map(_bare, tensors.shapes) if name.startswith("h.")}
    if len(layers) != config.n_layer:  # asked before a table of all tensors is made, which a wrong number makes endless
        raise UserError(f"{tensors.place}: config.json says {config.n_layer:,} layers, the weights have {len(layers)}")
    found = {_bare(name): name for name in tensors.shapes if not _is_mask(name)}
    head = found.pop(HEAD, None)
    tensors.require(shapes(config), found)
    arrays = {}
    for name, theirs in found.items():
        array = tensors.read(theirs)
        arrays[PREFIX + name] = np.ascontiguousarray(array.T) if _is_linear(name) else array
    if head is not None and not np.array_equal(tensors.read(head), arrays[PREFIX + EMBEDDING]):
        raise UserError(f"{tensors.place}: {head} is not {EMBEDDING}; the model gpt has one matrix for both")
    return arrays


def weights_of(weights: Mapping[str, Array], config: GPTConfig) -> dict[str, Array]:
    """The tensors of a GPT as `GPT2LMHeadModel` has them. Biases that it lacks are zero there, which is the same."""
    out = {}
    for name, shape in shapes(config).items():
        array = weights.get(PREFIX + name, np.zeros(shape, np.float32))
        out[PREFIX + name] = np.ascontiguousarray(array.T) if _is_linear(name) else array
    return out


def _bare(name: str) -> str:
    return name.removeprefix(PREFIX)


def _is_mask(name: str) -> bool:
    """Whether a tensor is the causal mask, which older files hold and no model learns."""
    return name.endswith((".attn.bias", ".attn.masked_bias"))


def _is_linear(name: str) -> bool:
    return name.endswith(".weight") and ".c_" in name
