"""What models that do not continue a text answer to one: its translation, its label, the words that are hidden in
it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradus.backend import torch
from gradus.errors import UserError
from gradus.generation.sample import SamplingRule
from gradus.generation.translate import GREEDY, LENGTH_PENALTY, translate
from gradus.models import Encoder, Transformer, device_of, inference
from gradus.text import Tokenizer, framed
from gradus.text.examples import Sequences

AT_ONCE = 64  # texts in a batch
MASK = "[MASK]"  # what stands for a hidden token in a prompt, as in BERT


def translations(
    model: Transformer,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    beams: int = 1,
    length_penalty: float = LENGTH_PENALTY,
    length: int | None = None,
    rule: SamplingRule = GREEDY,
    seed: int = 1337,
) -> list[str]:
    """The target that a model writes for each source; the arguments are those of `translate`.

    Args:
        length: the most tokens of a target; None is as many as the model can write.

    Raises:
        UserError: if a source is empty or longer than the model's block, or has a character that it does not know.
    """
    sources = [np.append(tokenizer.encode(text), tokenizer.separator) for text in texts]
    for text, source in zip(texts, sources, strict=True):
        if not text.strip():
            raise UserError("there is nothing to translate: give a text by --prompt")
        if len(source) > model.block_size:
            raise UserError(
                f"the text has {len(source)} tokens with its end, and the model reads at most {model.block_size}; "
                f"give a shorter one"
            )
    sequences, out = Sequences.of(sources), [""] * len(texts)
    generator = torch.Generator().manual_seed(seed)
    for which, x in sequences.batches(AT_ONCE):
        found = translate(
            model,
            torch.from_numpy(x).to(device_of(model)),
            length or model.block_size,
            stop=tokenizer.separator,
            beams=beams,
            length_penalty=length_penalty,
            rule=rule,
            generator=generator,
        )
        for i, hypothesis in zip(which.tolist(), found, strict=True):
            out[i] = tokenizer.decode(list(hypothesis.ids)).strip()
    return out


def label_probabilities(model: Encoder, tokenizer: Tokenizer, texts: Sequence[str]) -> NDArray[np.float64]:
    """(N, n_labels) the probability of each label for each text. Of a text longer than the model's block, its beginning
    is read.

    Raises:
        UserError: if the model has no labels, or a text has a character that it does not know.
    """
    if not model.config.n_labels:
        raise UserError("the model says what is hidden and names no labels: use fill_masks")
    sequences = Sequences.of(framed(tokenizer.encode(text), tokenizer, model.block_size) for text in texts)
    out = np.zeros((len(texts), model.config.n_labels))
    with inference(model):
        for which, x in sequences.batches(AT_ONCE):
            logits, _ = model(torch.from_numpy(x).to(device_of(model)))
            out[which] = torch.softmax(logits.double(), dim=-1).cpu().numpy()
    return out


def encode_masked(tokenizer: Tokenizer, text: str) -> NDArray[np.int64]:
    """(n,) the ids of a text, and vocab_size for each [MASK] in it."""
    before, *rest = text.split(MASK)
    masked = (np.array([tokenizer.vocab_size, *tokenizer.encode(part)]) for part in rest)
    return np.concatenate([tokenizer.encode(before), *masked])


def fill_masks(model: Encoder, tokenizer: Tokenizer, text: str, top: int = 5) -> list[list[tuple[str, float]]]:
    """For each [MASK] in a text, the tokens that a masked-token model holds likeliest there, with their probabilities.

    Raises:
        UserError: if the model names labels instead, there is no [MASK], or the text is longer than the model's block.
    """
    if model.config.n_labels:
        raise UserError("the model names labels and says nothing of hidden tokens: use label_probabilities")
    if MASK not in text:
        raise UserError(f"the model says what is hidden: write {MASK} for a token of the prompt")
    ids, mask = encode_masked(tokenizer, text), tokenizer.vocab_size
    if len(ids) + 2 > model.block_size:
        raise UserError(f"the prompt has {len(ids)} tokens, and the model reads at most {model.block_size - 2}")
    x = framed(ids, tokenizer, model.block_size)
    with inference(model):
        logits, _ = model(torch.from_numpy(x[None]).to(device_of(model)))
    found = []
    for place in np.flatnonzero(x == mask):
        p, tokens = torch.softmax(logits[0, int(place)].double(), dim=-1).topk(min(top, tokenizer.vocab_size))
        pairs = zip(tokens.tolist(), p.tolist(), strict=True)
        found.append([(tokenizer.decode([int(token)]), value) for token, value in pairs])
    return found
