"""The corpus `toy`: English sentences from a grammar of our own, so that the entropy of the text is known exactly.

    the dogs that the old owl hears bark softly

A verb agrees with its subject in number, and where it says what kind of noise the animal makes, in kind too. Between
the two there may be a relative clause, with a subject and a verb of its own, and in that one more. A few letters of
context cannot tell how such a sentence goes on: it takes memory over a clause, of two or three subjects at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from gradus.text.corpus import SEPARATOR, Corpus, Kind
from gradus.text.grammar import Grammar

SENTENCES = 10_000
SEED = 1
DEPTH = 2  # relative clauses within one another, at most

NOISES = {"dog": "bark", "cat": "purr", "bird": "sing", "bee": "hum", "owl": "hoot", "frog": "croak", "duck": "quack"}
VERBS = ("see", "hear", "like", "follow")  # what one animal does to another
ADJECTIVES = ("old", "small", "happy")
ADVERBS = ("softly", "loudly", "again")
NUMBERS = ("one", "many")

Choices = list[tuple[float, Sequence[str]]]


def toy(kind: Kind = "documents") -> Corpus:
    """10,000 sentences, each a document, or one a line of a stream; the same on every machine."""
    source, generator = grammar(), random.Random(SEED)
    sentences = tuple(source.sample(generator) for _ in range(SENTENCES))
    about = f"{SENTENCES:,} sentences of a grammar with relative clauses, drawn with the seed {SEED}"
    if kind == "documents":
        return Corpus("toy", kind, about, documents=sentences, floor=source.floor)
    return Corpus("toy", kind, about, text="".join(s + SEPARATOR for s in sentences), floor=source.floor)


def grammar(depth: int = DEPTH) -> Grammar:
    """The grammar of the corpus. Its symbols are in angle brackets, with the number, the kind of animal, and the depth
    of relative clauses that is left."""
    return Grammar(dict(_rules(depth)), "<sentence>")


def loss(part: Corpus) -> float | None:
    """What the grammar itself loses on a part of the corpus, in nats a character: the floor of this very text. None for
    a stream, whose parts may begin and end within a sentence."""
    if part.kind == "stream":
        return None
    source = grammar()
    return sum(map(source.surprise, part.documents)) / part.characters


def _rules(depth: int) -> Iterator[tuple[str, Choices]]:
    yield (
        "<sentence>",
        _evenly(
            ["the", "<adjective>", _noun(animal, number), f"<clause {number} {depth}>", f"<does {animal} {number}>"]
            for animal in NOISES
            for number in NUMBERS
        ),
    )
    yield "<adjective>", [(0.7, []), *_evenly(([f" {word}"] for word in ADJECTIVES), 0.3)]
    yield "<adverb>", [(0.7, []), *_evenly(([f" {word}"] for word in ADVERBS), 0.3)]
    yield "<object>", _evenly([" the", "<adjective>", f"<noun {number}>"] for number in NUMBERS)
    for number in NUMBERS:
        yield f"<noun {number}>", _evenly([_noun(animal, number)] for animal in NOISES)
        yield f"<verb {number}>", _evenly([_verb(word, number)] for word in VERBS)
        for animal, noise in NOISES.items():
            makes_noise: Choices = [(0.8, [_verb(noise, number), "<adverb>"])]
            yield f"<does {animal} {number}>", [*makes_noise, (0.2, [f"<verb {number}>", "<object>"])]
        yield f"<clause {number} 0>", [(1.0, [])]
        for left in range(1, depth + 1):
            as_subject: Choices = [(0.2, [" that", f"<verb {number}>", "<object>"])]
            as_object = _evenly(
                (
                    [" that the", "<adjective>", f"<noun {other}>", f"<clause {other} {left - 1}>", f"<verb {other}>"]
                    for other in NUMBERS
                ),
                0.3,
            )
            yield f"<clause {number} {left}>", [(0.5, []), *as_subject, *as_object]


def _noun(animal: str, number: str) -> str:
    return f" {animal}" if number == "one" else f" {animal}s"


def _verb(word: str, number: str) -> str:
    return f" {word}s" if number == "one" else f" {word}"


def _evenly(sequences: Iterator[Sequence[str]], share: float = 1.0) -> Choices:
    found = list(sequences)
    return [(share / len(found), sequence) for sequence in found]
