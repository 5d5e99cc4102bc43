"""What a model looked at, for one prompt, as a picture: the source's words for each word of a translation, or all heads
of a model that has one text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.errors import UserError
from gradus.models import LanguageModel, Transformer
from gradus.models.inside import Floats, Ints, attention, translation_attention
from gradus.text import Tokenizer, framed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 40  # tokens whose names can be read beside all heads


def draw_attention(model: LanguageModel, tokenizer: Tokenizer, prompt: str, answer: str = "") -> Figure:
    """The picture.

    Args:
        answer: the translation of the prompt, of a model of pairs.

    Raises:
        UserError: if the model has no attention, the prompt is empty or longer than the model's block, or has a
            character that the model does not know.
    """
    from gradus.plots import plot_cross_attention, plot_heads

    if not prompt:
        raise UserError("--attention needs a --prompt: the text whose attention is drawn")
    ids = tokenizer.encode(prompt)
    if isinstance(model, Transformer):
        source = np.append(ids, tokenizer.separator)
        written = np.array([tokenizer.separator, *tokenizer.encode(answer), tokenizer.separator])
        layers = translation_attention(model, source, written).cross
        if not layers:
            raise UserError("the model was trained without cross-attention: it does not see the prompt")
        layer = sharpest([weights.mean(axis=0) for weights in layers])
        title = f"layer {layer}, mean of {len(layers[layer])} heads"
        return plot_cross_attention(
            layers[layer], symbols(tokenizer, source), symbols(tokenizer, written[1:]), title=title
        )
    ids = framed(ids, tokenizer, len(ids) + 2) if "labelled" in model.kinds else ids
    if len(ids) > model.block_size:
        raise UserError(f"the prompt has {len(ids)} tokens, and the model reads at most {model.block_size}")
    heads = attention(model, ids)
    if not heads:
        raise UserError(f"the model {type(model).__name__} has no attention to draw")
    return plot_heads(heads, symbols(tokenizer, ids) if len(ids) <= MOST else None, title="Attention, all heads")


def sharpest(layers: list[Floats]) -> int:
    """The layer whose rows are the most decided: with the largest mean of their largest weights."""
    return int(np.argmax([weights.max(axis=1).mean() for weights in layers]))


def symbols(tokenizer: Tokenizer, ids: Ints) -> list[str]:
    """Each token by itself as text."""
    return [tokenizer.decode([id_]) for id_ in ids.tolist()]
