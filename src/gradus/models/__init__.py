"""The language models, one file each, all with the contract of `gradus.models.base`.

Names are imported when they are first asked for, because a model's class needs the backend: `gradus.models.config` can
be read without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.lazy import lazy

if TYPE_CHECKING:
    from gradus.models.base import NOT_SCORED, LanguageModel, device_of, inference, rows_at_once
    from gradus.models.bigram import Bigram
    from gradus.models.config import (
        BigramConfig,
        EncoderConfig,
        GPTConfig,
        MixtureConfig,
        MLPConfig,
        ModelConfig,
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
    from gradus.models.registry import MODELS, build_model
    from gradus.models.sentences import sentence_embeddings
    from gradus.models.transformer import Transformer
    from gradus.models.wavenet import WaveNet, receptive_fields

__all__ = [
    "GPT",
    "MLP",
    "MODELS",
    "NOT_SCORED",
    "NPLM",
    "Bigram",
    "BigramConfig",
    "Encoder",
    "EncoderConfig",
    "GPTConfig",
    "LanguageModel",
    "MLPConfig",
    "Mixture",
    "MixtureConfig",
    "ModelConfig",
    "Modern",
    "ModernConfig",
    "NGram",
    "NGramConfig",
    "NPLMConfig",
    "Recurrent",
    "RecurrentConfig",
    "Transformer",
    "TransformerConfig",
    "WaveNet",
    "WaveNetConfig",
    "build_model",
    "device_of",
    "inference",
    "receptive_fields",
    "rows_at_once",
    "sentence_embeddings",
]

_HOME = {
    **dict.fromkeys(
        [
            "BigramConfig",
            "EncoderConfig",
            "GPTConfig",
            "MLPConfig",
            "MixtureConfig",
            "ModelConfig",
            "ModernConfig",
            "NGramConfig",
            "NPLMConfig",
            "RecurrentConfig",
            "TransformerConfig",
            "WaveNetConfig",
        ],
        "config",
    ),
    **dict.fromkeys(["NOT_SCORED", "LanguageModel", "device_of", "inference", "rows_at_once"], "base"),
    **dict.fromkeys(["MODELS", "build_model"], "registry"),
    "Bigram": "bigram",
    "Encoder": "encoder",
    "GPT": "gpt",
    "MLP": "mlp",
    "Modern": "modern",
    "Mixture": "mixture",
    "NGram": "ngram",
    "NPLM": "nplm",
    "Recurrent": "recurrent",
    "sentence_embeddings": "sentences",
    "Transformer": "transformer",
    **dict.fromkeys(["WaveNet", "receptive_fields"], "wavenet"),
}

__getattr__ = lazy(__name__, _HOME)
