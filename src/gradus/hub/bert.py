"""BERT in the layout of Hugging Face's `transformers`: its config.json as an `EncoderConfig`, and its tensors by name.

Taken over are the embeddings, the layers and, where there is one, the head that says what masked tokens were. Not taken
over is what was trained for other tasks: the pooler and the head that tells whether one sentence follows another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradus.errors import UserError
from gradus.files import note
from gradus.hub.folder import Array, Shape, Tensors
from gradus.models import EncoderConfig
from gradus.training.settings import build

PREFIX = "bert."
EMBEDDING = "embedding.weight"

# What BERT's config.json can ask for and our encoder has in one form only, which is also what is meant where it says
# nothing.
_FIXED: dict[str, object] = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
    "quantization_config": None,
}
_SIZES = {  # our name -> theirs, and what they mean where they say nothing
    "vocab_size": ("vocab_size", 30_522),
    "block_size": ("max_position_embeddings", 512),
    "n_layer": ("num_hidden_layers", 12),
    "n_head": ("num_attention_heads", 12),
    "n_embd": ("hidden_size", 768),
    "n_hidden": ("intermediate_size", 3072),
    "n_segments": ("type_vocab_size", 2),
}
_MODULES = {  # our name -> theirs
    "embedding": "embeddings.word_embeddings",
    "positions": "embeddings.position_embeddings",
    "segments": "embeddings.token_type_embeddings",
    "embedding_norm": "embeddings.LayerNorm",
}
_OF_A_LAYER = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "add_1.norm": "attention.output.LayerNorm",
    "feed_forward.inside": "intermediate.dense",
    "feed_forward.outside": "output.dense",
    "add_2.norm": "output.LayerNorm",
}
_HEAD = {
    "head.0.weight": "cls.predictions.transform.dense.weight",
    "head.0.bias": "cls.predictions.transform.dense.bias",
    "head.2.weight": "cls.predictions.transform.LayerNorm.weight",
    "head.2.bias": "cls.predictions.transform.LayerNorm.bias",
    "bias": "cls.predictions.bias",
}
_NOT_TAKEN = ("embeddings.position_ids", "pooler.", "cls.seq_relationship.", "cls.predictions.decoder.")


def config_from(fields: Mapping[str, Any], path: object) -> EncoderConfig:
    """What a config.json of BERT says.

    Args:
        path: of the file, for the errors.

    Raises:
        UserError: if it asks for what our encoder does not have, or a value is of the wrong type or out of range.
    """
    for name, known in _FIXED.items():
        value = fields.get(name, known)
        if value != known:
            raise UserError(
                f"{path} asks for {name} {value!r}, which the model encoder does not have; it has {known!r}"
            )
    settings = {ours: fields.get(theirs, default) for ours, (theirs, default) in _SIZES.items()}
    dropout = fields.get("hidden_dropout_prob", 0.1)
    try:
        return build(EncoderConfig, {**settings, "dropout": dropout, "norm": "post"})
    except UserError as error:
        raise UserError(f"{path} cannot be used: {error}") from error


def weights_from(tensors: Tensors, config: EncoderConfig) -> dict[str, Array]:
    """The weights of our encoder, by name, float32, but without the vector of its mask.

    Raises:
        UserError: if tensors are missing, too many or misshapen; it names them.
    """
    theirs = {name.removeprefix(PREFIX): name for name in tensors.shapes}
    theirs = {name: full for name, full in theirs.items() if not name.startswith(_NOT_TAKEN)}
    layers = {found[1] for name in theirs if (found := re.match(r"encoder\.layer\.(\d+)\.", name))}
    if len(layers) != config.n_layer:  # asked before a table of all tensors is made, which a wrong number makes endless
        raise UserError(f"{tensors.place}: config.json says {config.n_layer:,} layers, the weights have {len(layers)}")
    names, expected = _names(config), shapes(config)
    has_head = any(name.startswith("cls.predictions.") for name in theirs)
    if not has_head:
        note(f"{tensors.place} has no head that says what masked tokens were; it starts from random weights")
        names = {ours: name for ours, name in names.items() if ours not in _HEAD}
    tensors.require({names[ours]: expected[ours] for ours in names}, theirs)
    arrays = {ours: tensors.read(theirs[name]) for ours, name in names.items()}
    return arrays if has_head else arrays | _new_head(config)


def with_mask(weights: Mapping[str, Array], mask: int) -> dict[str, Array]:
    """The weights with the vector of the token after the last, by which our encoder hides tokens: a copy of that of
    BERT's [MASK], whose id `mask` is."""
    vectors = weights[EMBEDDING]
    return {**weights, EMBEDDING: np.concatenate([vectors, vectors[mask : mask + 1]])}


def shapes(config: EncoderConfig) -> dict[str, Shape]:
    """The tensors of our encoder that BERT's files have, by our names; the embedding without the last row."""
    C, H = config.n_embd, config.n_hidden or 4 * config.n_embd
    out: dict[str, Shape] = {
        EMBEDDING: (config.vocab_size, C),
        "positions.weight": (config.block_size, C),
        "segments.weight": (config.n_segments, C),
        "embedding_norm.weight": (C,),
        "embedding_norm.bias": (C,),
        "head.0.weight": (C, C),
        **dict.fromkeys(("head.0.bias", "head.2.weight", "head.2.bias"), (C,)),
        "bias": (config.vocab_size,),
    }
    for layer in range(config.n_layer):
        for name in _OF_A_LAYER:
            n_out, n_in = {"feed_forward.inside": (H, C), "feed_forward.outside": (C, H)}.get(name, (C, C))
            norm = name.endswith("norm")
            out[f"layers.{layer}.{name}.weight"] = (C,) if norm else (n_out, n_in)
            out[f"layers.{layer}.{name}.bias"] = (n_out,)
    return out


def _names(config: EncoderConfig) -> dict[str, str]:
    """Our name of a tensor -> BERT's, without its prefix."""
    modules = dict(_MODULES)
    for layer in range(config.n_layer):
        modules |= {f"layers.{layer}.{ours}": f"encoder.layer.{layer}.{name}" for ours, name in _OF_A_LAYER.items()}
    expected = shapes(config)
    names = {
        f"{ours}.{kind}": f"{name}.{kind}"
        for ours, name in modules.items()
        for kind in ("weight", "bias")
        if f"{ours}.{kind}" in expected
    }
    return names | _HEAD


def _new_head(config: EncoderConfig) -> dict[str, Array]:
    random, expected = np.random.default_rng(0), shapes(config)
    head = {name: np.zeros(expected[name], np.float32) for name in _HEAD}
    head["head.0.weight"] = random.normal(scale=0.02, size=expected["head.0.weight"]).astype(np.float32)
    head["head.2.weight"] += 1
    return head
