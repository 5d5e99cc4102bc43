"""Sentences as vectors: of two that mean nearly the same, the vectors point in nearly the same direction (Reimers and
Gurevych, 2019, Sentence-BERT)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.backend import F, torch
from gradus.models.base import device_of, inference
from gradus.models.encoder import Encoder, mean_of_positions
from gradus.text import Tokenizer, framed
from gradus.text.examples import Sequences


def sentence_embeddings(
    model: Encoder, tokenizer: Tokenizer, texts: Sequence[str], *, batch_size: int = 32
) -> NDArray[np.floating[Any]]:
    """One vector a text: the mean of the last layer's over its positions, of length 1.

        >>> run = gradus.load("runs/all-MiniLM-L6-v2-1")
        >>> a, b, c = sentence_embeddings(run.model, run.tokenizer, ["A cat.", "A kitten.", "Taxes."])
        >>> a @ b > a @ c  # the product of two is the cosine of the angle between them
        True

    Args:
        texts: N of them; of one longer than the model's block_size, the beginning counts.
        batch_size: how many are read at once, those of like lengths together.

    Returns:
        (N, C) float32.
    """
    rows = Sequences.of(framed(tokenizer.encode(text), tokenizer, model.block_size) for text in texts)
    out = np.zeros((len(texts), model.config.n_embd), np.float32)
    with inference(model):
        for which, x in rows.batches(batch_size):
            idx = torch.from_numpy(x).to(device_of(model))
            out[which] = F.normalize(mean_of_positions(model.hidden(idx), idx), dim=1).float().cpu().numpy()
    return out
