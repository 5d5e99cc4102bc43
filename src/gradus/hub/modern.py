"""The modern model in the nearest layout of `transformers`: Qwen3's, or Llama's where queries and keys are not brought
to one length. They have rotary positions, RMSNorm, grouped queries and SwiGLU as ours does; what else ours can have,
they cannot hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradus.errors import UserError
from gradus.hub.folder import Array
from gradus.models import ModernConfig
from gradus.models.modern import ROPE_BASE

EPSILON = float(np.finfo(np.float32).eps)  # what F.rms_norm adds unless it is told otherwise


def config_of(config: ModernConfig) -> dict[str, Any]:
    """The config.json.

    Raises:
        UserError: if the model has what the layout does not: it names the settings to train without.
    """
    held = {"rope": True, "rms_norm": True, "mlp": "swiglu", "soft_cap": 0.0, "smear": False, "value_embeddings": False}
    others = [name for name, value in held.items() if getattr(config, name) != value]
    name = "Qwen3" if config.qk_norm else "Llama"
    if others:
        said = ", ".join(f"{name} {getattr(config, name)!r}" for name in others)
        raise UserError(
            f"the nearest layout of transformers, {name}'s, cannot hold {said}; a model trained with "
            f"{' '.join(_flag(name, held[name]) for name in others)} can be exported"
        )
    return {
        "architectures": [f"{name}ForCausalLM"],
        "model_type": name.lower(),
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.block_size,
        "hidden_size": config.n_embd,
        "intermediate_size": config.hidden,
        "num_hidden_layers": config.n_layer,
        "num_attention_heads": config.n_head,
        "num_key_value_heads": config.n_kv_head or config.n_head,
        "head_dim": config.n_embd // config.n_head,
        "hidden_act": "silu",
        "rms_norm_eps": EPSILON,
        "rope_theta": ROPE_BASE,
        "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_BASE},
        "attention_bias": False,
        "attention_dropout": config.dropout,
        "tie_word_embeddings": config.tied,
        "use_cache": True,
    }


def weights_of(weights: Mapping[str, Array], config: ModernConfig) -> dict[str, Array]:
    """The tensors by their names there. The gains of norms, which ours has none of, are one."""
    hs, one = config.n_embd // config.n_head, np.ones(config.n_embd, np.float32)
    queries, keys = config.n_head * hs, (config.n_kv_head or config.n_head) * hs
    out = {"model.norm.weight": one, "model.embed_tokens.weight": weights["wte.weight"]}
    if not config.tied:
        out["lm_head.weight"] = weights["lm_head.weight"]
    for layer in range(config.n_layer):
        ours, theirs = f"blocks.{layer}.", f"model.layers.{layer}."
        q, k, v = np.split(weights[f"{ours}attn.c_attn.weight"], [queries, queries + keys])
        gate, up = np.split(weights[f"{ours}mlp.c_fc.weight"], 2)
        out |= {
            f"{theirs}input_layernorm.weight": one,
            f"{theirs}self_attn.q_proj.weight": q,
            f"{theirs}self_attn.k_proj.weight": k,
            f"{theirs}self_attn.v_proj.weight": v,
            f"{theirs}self_attn.o_proj.weight": weights[f"{ours}attn.c_proj.weight"],
            f"{theirs}post_attention_layernorm.weight": one,
            f"{theirs}mlp.gate_proj.weight": gate,
            f"{theirs}mlp.up_proj.weight": up,
            f"{theirs}mlp.down_proj.weight": weights[f"{ours}mlp.c_proj.weight"],
        }
        if config.qk_norm:
            norms = ("q_norm", "k_norm")
            out |= {f"{theirs}self_attn.{name}.weight": np.ones(hs, np.float32) for name in norms}
    return {name: np.ascontiguousarray(array) for name, array in out.items()}


def _flag(name: str, value: object) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value:g}" if isinstance(value, float) else f"--{flag} {value}"
