"""Yardsticks: what a loss is worth is seen beside those that need no model of ours, guessing, frequencies alone, and
the compressors that every machine has.

A compressor is a language model in disguise: whoever predicts a text with a loss of x bits per character can store it
in x bits per character (Shannon, 1948). For a fair comparison it has seen the training text, too: counted is only what
the other text adds to the compressed training text.
"""

from __future__ import annotations

import bz2
import lzma
import math
import zlib
from collections.abc import Callable, Sequence

import numpy as np

from gradus.report.record import Yardstick
from gradus.text import Corpus, Tokenizer, toy

READ_BEFORE = 2_000_000  # characters of the training text, its last ones, that a compressor is given

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip -9": lambda data: zlib.compress(data, 9),
    "bzip2 -9": lambda data: bz2.compress(data, 9),
    "xz -9e": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
}


def yardsticks(train: Corpus, dev: Corpus, test: Corpus, tokenizer: Tokenizer) -> tuple[Yardstick, ...]:
    """Guessing, the unigram, and the compressors, from the worst on test to the best."""
    uniform = math.log(tokenizer.vocab_size)
    counts = _counts(train, tokenizer) + 1.0
    p = np.log(counts / counts.sum())
    found = [Yardstick("guessing", uniform, uniform)]
    found.append(Yardstick("unigram", *(_unigram(p, part, tokenizer) for part in (dev, test))))
    before = _text(train)[-READ_BEFORE:]
    for name, compress in COMPRESSORS.items():
        found.append(Yardstick(name, *compressed(compress, before, [_text(dev), _text(test)])))
    return tuple(sorted(found, key=lambda yardstick: -yardstick.test))


def floor(dev: Corpus, test: Corpus) -> Yardstick | None:
    """What wrote a text loses on it, where that is known: the line that no model can pass."""
    if dev.floor is None:
        return None
    measured = [toy.loss(part) if part.name == "toy" else None for part in (dev, test)]
    losses = [dev.floor if loss is None else loss for loss in measured]
    return Yardstick("the grammar itself", *losses)


def compressed(compress: Callable[[bytes], bytes], before: str, texts: Sequence[str]) -> list[float]:
    """Nats per character that each of some texts adds to the compressed text before it."""

    def size(text: str) -> int:
        return len(compress(text.encode("utf-8", "surrogatepass")))

    alone = size(before)
    return [8 * math.log(2) * (size(before + text) - alone) / len(text) for text in texts]


def _text(part: Corpus) -> str:
    """What is scored of a part: each document with the separator that ends it."""
    return part.text if part.kind == "stream" else part.joined()[1:]


def _counts(part: Corpus, tokenizer: Tokenizer) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """How often each token occurs (V,)."""
    return np.bincount(tokenizer.encode(_text(part)), minlength=tokenizer.vocab_size)


def _unigram(log_p: np.ndarray[tuple[int, ...], np.dtype[np.float64]], part: Corpus, tokenizer: Tokenizer) -> float:
    """The mean of -log p over a part: with add-one counts, what an n-gram of order 1 has."""
    counts = _counts(part, tokenizer)
    return float(-(counts * log_p).sum() / counts.sum())
