"""What of a model is trained, and how it fits into memory: frozen parts, LoRA, gradient checkpointing. All three change
a model that is built already, and leave its code as it is."""

from __future__ import annotations

import re
from functools import partial

from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.models import LanguageModel
from gradus.models.lora import add_lora
from gradus.training.config import TrainConfig

BLOCKS = re.compile(r"blocks(?::(\d+))?")


def adapt(model: LanguageModel, config: TrainConfig) -> None:
    """Do to a new model what the settings `freeze`, `lora_rank` and `gradient_checkpointing` say.

    Raises:
        UserError: if there is no part of a name, nothing is left to train, or the model has no layers for it.
    """
    if config.lora_rank:
        add_lora(model, config.lora_rank, config.lora_alpha)
    if config.freeze:
        freeze(model, config.freeze)
    if config.gradient_checkpointing:
        checkpoint_blocks(model)


def freeze(model: LanguageModel, parts: str) -> None:
    """Keep parts of a model as they are: their parameters require no gradient.

    >>> model = build_model("gpt", vocab_size=65, block_size=8, n_layer=2)
    >>> freeze(model, "embeddings, blocks:1")
    >>> [name for name, p in model.named_parameters() if p.requires_grad][:2]
    ['transformer.h.1.ln_1.weight', 'transformer.h.1.attn.c_attn.weight']

    Args:
        parts: between commas `embeddings`, `blocks` or `blocks:N`, the first N; or how names of parameters begin.

    Raises:
        UserError: if there is no such part, or nothing is left to train.
    """
    for part in (part.strip() for part in parts.split(",")):
        found = _parameters(model, part)
        if not found:
            tops = dict.fromkeys(name.split(".")[0] for name, _ in model.named_parameters())
            most = _depth(model)
            known = ", ".join(["embeddings", *(["blocks", f"blocks:N up to {most}"] if most else []), *tops])
            raise UserError(f"freeze: the model has no part {part!r}; there are {known}, and what begins like these")
        for parameter in found:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UserError(f"freeze {parts} leaves nothing to train")


def checkpoint_blocks(model: LanguageModel) -> None:
    """Gradient checkpointing (Chen et al., 2016): of each block only the input is kept, and what is inside is computed
    a second time when the gradient comes back. Values and gradients are the same.

    Raises:
        UserError: if the model has no blocks.
    """
    checkpoint = torch.utils.checkpoint.checkpoint
    if not _stacks(model):
        raise UserError(f"gradient_checkpointing is for models of blocks; {type(model).__name__.lower()} has none")
    for stack in _stacks(model):
        for block in stack:
            block.forward = partial(checkpoint, block.forward, use_reentrant=False)


def _parameters(model: LanguageModel, part: str) -> list[nn.Parameter]:
    if part == "embeddings":
        return [p for module in model.modules() if isinstance(module, nn.Embedding) for p in module.parameters()]
    if found := BLOCKS.fullmatch(part):
        number = _depth(model) if found[1] is None else int(found[1])
        if number > _depth(model):
            return []
        return [p for stack in _stacks(model) for block in list(stack)[:number] for p in block.parameters()]
    named = model.named_parameters()
    return [p for name, p in named if part and (name == part or name.startswith(part.removesuffix(".") + "."))]


def _stacks(model: LanguageModel) -> list[nn.ModuleList]:
    """The blocks of a model, in the order in which they are computed; of one that translates, those of both sides."""
    return [module for module in model.modules() if isinstance(module, nn.ModuleList)]


def _depth(model: LanguageModel) -> int:
    return max(map(len, _stacks(model)), default=0)
