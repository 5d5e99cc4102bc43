"""The models by name: the rungs of the ladder, each with its settings and its class."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from gradus.errors import UserError
from gradus.models.base import LanguageModel
from gradus.models.bigram import Bigram
from gradus.models.config import (
    BigramConfig,
    EncoderConfig,
    GPTConfig,
    MixtureConfig,
    MLPConfig,
    ModernConfig,
    NGramConfig,
    NPLMConfig,
    RecurrentConfig,
    TransformerConfig,
    WaveNetConfig,
)
from gradus.models.encoder import Encoder
from gradus.models.gpt import GPT
from gradus.models.mixture import Mixture
from gradus.models.mlp import MLP
from gradus.models.modern import Modern
from gradus.models.ngram import NGram
from gradus.models.nplm import NPLM
from gradus.models.recurrent import Recurrent
from gradus.models.transformer import Transformer
from gradus.models.wavenet import WaveNet

MODELS: dict[str, tuple[type[Any], Callable[[Any], LanguageModel]]] = {
    "ngram": (NGramConfig, NGram),
    "bigram": (BigramConfig, Bigram),
    "nplm": (NPLMConfig, NPLM),
    "mlp": (MLPConfig, MLP),
    "wavenet": (WaveNetConfig, WaveNet),
    "recurrent": (RecurrentConfig, Recurrent),
    "gpt": (GPTConfig, GPT),
    "modern": (ModernConfig, Modern),
    "mixture": (MixtureConfig, Mixture),
    "transformer": (TransformerConfig, Transformer),
    "encoder": (EncoderConfig, Encoder),
}


def build_model(name: str, *, vocab_size: int, block_size: int, **settings: Any) -> LanguageModel:
    """A new model, its weights drawn from the backend's global generator.

    Args:
        name: one of MODELS.
        vocab_size: V, how many different tokens there are.
        block_size: the longest row of tokens it will be given.
        settings: fields of the model's configuration; the others keep their defaults.

    Raises:
        UserError: if there is no such model or setting (it names the nearest), or a value has the wrong type or is
            out of range.
    """
    if name not in MODELS:
        raise UserError(f"no model is called {name!r}{_instead(name, MODELS)}")
    config_class, model_class = MODELS[name]
    settings = {"vocab_size": vocab_size, "block_size": block_size, **settings}
    names = [field.name for field in fields(config_class)]
    types = get_type_hints(config_class)
    for key, value in settings.items():
        if key not in names:
            raise UserError(f"{name} has no setting {key!r}{_instead(key, names)}")
        _check(key, value, types[key])
    model: LanguageModel = model_class(config_class(**settings))
    return model


def _check(name: str, value: object, hint: Any) -> None:
    """UserError unless a value has its field's type: int, float, bool, or one of the words of a Literal."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise UserError(f"{name} must be one of {', '.join(get_args(hint))}, got {value!r}")
    elif type(value) not in ((int, float) if hint is float else (hint,)):
        raise UserError(f"{name} must be of type {hint.__name__}, got {value!r}")


def _instead(wanted: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    return f": did you mean {near[0]!r}?" if near else f": choose one of {', '.join(known)}"
