"""GPT-2 in the four sizes in which it was released: settings of the model and of training to begin from, by name."""

from __future__ import annotations

from collections.abc import Mapping

from gradus.errors import UserError

# Radford et al. (2019): layers, heads, width. The learning rates are those of GPT-3 at these sizes (Brown et al., 2020,
# table 2.1), the rest of the training is nanoGPT's.
_SIZES = {
    "gpt2": (12, 12, 768, 6e-4),  # 124,439,808 parameters
    "gpt2-medium": (24, 16, 1024, 3e-4),  # 354,823,168
    "gpt2-large": (36, 20, 1280, 2.5e-4),  # 774,030,080
    "gpt2-xl": (48, 25, 1600, 2e-4),  # 1,557,611,200
}
PRESETS: dict[str, dict[str, object]] = {
    name: {
        "model": "gpt",
        "tokenizer": "gpt2",
        "block_size": 1024,
        "n_layer": n_layer,
        "n_head": n_head,
        "n_embd": n_embd,
        "bias": True,
        "learning_rate": learning_rate,
        "schedule": "cosine",
        "min_lr_ratio": 0.1,
        "beta2": 0.95,
    }
    for name, (n_layer, n_head, n_embd, learning_rate) in _SIZES.items()
}


def with_preset(values: Mapping[str, object]) -> dict[str, object]:
    """Settings, with those of their preset where they say nothing themselves.

    Raises:
        UserError: if the preset is of another model.
    """
    preset = PRESETS.get(str(values.get("preset")), {})
    model = values.get("model", "gpt")
    if preset and model != preset["model"]:
        raise UserError(f"the preset {values['preset']} is of the model {preset['model']}, not of {model}")
    return {**preset, **values}
