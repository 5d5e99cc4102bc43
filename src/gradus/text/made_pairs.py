"""The corpora `reverse` and `sort`: strings of letters, and what becomes of them. Their answers are exact, and there
are as many as are asked for: a model of pairs that works has learned them within a minute.

    hello -> olleh      hello -> ehllo

A string belongs to train, dev or test by a checksum of its letters, so that no training, however long, sees one that it
is tested on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from string import ascii_lowercase
from zlib import crc32

import numpy as np

from gradus.text.corpus import Corpus, Splits, pairs_corpus

SHORTEST, LONGEST = 3, 10  # letters of a string
SIZES = {"train": 8_000, "dev": 1_000, "test": 1_000}  # strings of the sample; training draws others
SEED = 1


def reverse() -> Corpus:
    """Strings of 3 to 10 letters, and the same from the last letter to the first."""
    return _corpus("reverse", "reversed", lambda letters: letters[::-1])


def sort() -> Corpus:
    """Strings of 3 to 10 letters, and the same in alphabetical order."""
    return _corpus("sort", "sorted", lambda letters: "".join(sorted(letters)))


def part_of(source: str) -> str:
    """train, dev or test: eight, one and one in ten."""
    return ("dev", "test", *["train"] * 8)[crc32(source.encode()) % 10]


class _Made(Corpus):
    """Its parts are those of `part_of`, and training draws from all strings of its part."""

    def splits(self) -> Splits:
        parts = {name: [text for text in self.documents if part_of(text) == name] for name in SIZES}
        train, dev, test = (replace(self._part(texts), draw=None) for texts in parts.values())
        return Splits(
            replace(train, part="train", draw=self.draw), replace(dev, part="dev"), replace(test, part="test")
        )


def _corpus(name: str, done: str, answer: Callable[[str], str]) -> Corpus:
    def draw(generator: np.random.Generator) -> tuple[str, str]:
        while part_of(source := _letters(generator)) != "train":
            pass
        return source, answer(source)

    generator, missing, sources = np.random.default_rng(SEED), dict(SIZES), dict[str, None]()
    while any(missing.values()):
        source = _letters(generator)
        if source not in sources and missing[part_of(source)]:
            sources[source] = None
            missing[part_of(source)] -= 1
    about = f"strings of {SHORTEST} to {LONGEST} letters, {done}, drawn without end"
    made = pairs_corpus(name, about, ((source, answer(source)) for source in sources))
    return _Made(name, "pairs", about, documents=made.documents, targets=made.targets, draw=draw)


def _letters(generator: np.random.Generator) -> str:
    length = generator.integers(SHORTEST, LONGEST + 1)
    return "".join(ascii_lowercase[i] for i in generator.integers(len(ascii_lowercase), size=length))
