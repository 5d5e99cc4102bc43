"""A run becomes a folder that `transformers` loads: config.json, safetensors and the tokenizer, in the layout of the
model that computes the same there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.numpy

from gradus import files
from gradus.errors import UserError
from gradus.hub import gpt2, modern
from gradus.hub.folder import CONFIG, MODEL, Array
from gradus.hub.tokenizers import end_of_text, tokenizer_files
from gradus.models import GPTConfig, ModelConfig, ModernConfig
from gradus.training import RunFolder, load_model, tokenizer_of, weights

GENERATION = "generation_config.json"


def export_run(run: RunFolder, folder: str | Path, *, last: bool = False) -> str:
    """Write a run's model and tokenizer into a new folder.

    Args:
        last: the last weights, not those with the lowest dev loss.

    Returns:
        the class of `transformers` that loads it.

    Raises:
        UserError: if `transformers` has no model or tokenizer that does the same, the run is damaged, the folder is
            not empty, or the disk refuses.
    """
    folder = Path(folder)
    model = load_model(run, last=last)
    tokenizer = tokenizer_of(run, model)
    config, arrays = _layout(model.config, weights(model))
    end = end_of_text(tokenizer, run.settings().get("kind"))
    ends = {"bos_token_id": end, "eos_token_id": end}
    texts = {
        CONFIG: files.to_json({**config, **ends, "dtype": "float32"}, indent=2) + "\n",
        GENERATION: files.to_json({"_from_model_config": True, **ends}, indent=2) + "\n",
        **tokenizer_files(tokenizer, model.block_size),
    }
    with files.saving(folder):
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise UserError(f"{folder} already exists; choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        files.write(folder / MODEL, safetensors.numpy.save(arrays, metadata={"format": "pt"}))
        for name, text in texts.items():
            files.write(folder / name, text.encode())
    return str(config["architectures"][0])


def _layout(config: ModelConfig, arrays: Mapping[str, Array]) -> tuple[dict[str, Any], dict[str, Array]]:
    if isinstance(config, GPTConfig):
        return gpt2.config_of(config), gpt2.weights_of(arrays, config)
    if isinstance(config, ModernConfig):
        return modern.config_of(config), modern.weights_of(arrays, config)
    name = type(config).__name__.removesuffix("Config")
    raise UserError(f"transformers has no layout for the model {name}; gpt and modern can be exported")
