"""The corpus toy: its floor by brute force, by a long sample, and by what its sentences agree in."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter, defaultdict

import pytest

from gradus.text import load_corpus, summarize
from gradus.text.grammar import END, Grammar, Rules
from gradus.text.toy import NOISES, VERBS, grammar

# Texts that begin alike and branch later, one that comes about in two ways, and an end that must be guessed.
SMALL: Rules = {
    "S": [(0.5, ["N", "V"]), (0.3, ["N", "V", "ly"]), (0.2, ["ab"])],
    "N": [(0.6, ["ab"]), (0.4, ["a", "E"])],
    "V": [(0.7, []), (0.3, ["ba"])],
    "E": [(0.5, ["b"]), (0.5, [])],
}


def documents(rules: Rules, symbols: list[str]) -> dict[str, float]:
    """Every text that symbols can become, with its probability: all the ways, one after the other."""
    found: dict[str, float] = defaultdict(float)
    for place, symbol in enumerate(symbols):
        if symbol in rules:
            for p, sequence in rules[symbol]:
                for text, q in documents(rules, [*symbols[:place], *sequence, *symbols[place + 1 :]]).items():
                    found[text] += p * q
            return found
    return {"".join(symbols): 1.0}


def test_floor_and_surprise_are_those_of_all_documents_one_by_one() -> None:
    all_of_them = documents(SMALL, ["S"])
    assert sum(all_of_them.values()) == pytest.approx(1.0)
    entropy = -sum(p * math.log(p) for p in all_of_them.values())
    letters = sum(p * (len(text) + 1) for text, p in all_of_them.items())
    small = Grammar(SMALL, "S")
    assert small.floor == pytest.approx(entropy / letters, rel=1e-12)
    for text, p in all_of_them.items():
        assert small.surprise(text) == pytest.approx(-math.log(p), rel=1e-12)
    assert small.surprise("abc") == math.inf


def test_documents_are_drawn_with_their_probabilities() -> None:
    generator, small, n = random.Random(0), Grammar(SMALL, "S"), 20_000
    drawn = Counter(small.sample(generator) for _ in range(n))
    for text, p in documents(SMALL, ["S"]).items():
        assert drawn[text] / n == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / n))


def test_probabilities_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the probabilities of S must sum to 1, got 0\.5"):
        Grammar({"S": [(0.5, ["a"])]}, "S")


def test_the_floor_of_toy_is_what_its_grammar_loses_on_a_long_sample() -> None:
    corpus, source = load_corpus("toy"), grammar()
    losses = [source.surprise(sentence) for sentence in corpus.documents]
    mean = sum(losses) / corpus.characters
    assert corpus.floor is not None
    off = [loss - corpus.floor * (len(s) + 1) for loss, s in zip(losses, corpus.documents, strict=True)]
    error = math.sqrt(sum(x * x for x in off)) / corpus.characters  # the standard error of a ratio of two means
    assert error < 0.002
    assert mean == pytest.approx(corpus.floor, abs=3 * error)


def test_the_last_verb_of_toy_agrees_with_the_first_noun_over_a_clause() -> None:
    far = 0
    for sentence in load_corpus("toy").documents:
        subject = next(word for word in sentence.split() if word.removesuffix("s") in NOISES)
        many, animal = subject.endswith("s"), subject.removesuffix("s")
        for noise, other in itertools.product(set(sentence.split()), NOISES):
            if noise.removesuffix("s") == NOISES[other]:
                assert (other, noise.endswith("s")) == (animal, not many)
                far += sentence.index(noise) - sentence.index(subject) > 30
        assert all(verb + "ss" not in sentence for verb in VERBS)
    assert far > 500  # sentences in which more than thirty letters stand between the two


def test_toy_is_documents_or_a_stream_with_the_same_floor() -> None:
    words, stream = load_corpus("toy"), load_corpus("toy", kind="stream")
    assert stream.text == "".join(sentence + END for sentence in words.documents)
    assert words.characters == stream.characters == 339_217
    assert words.floor == stream.floor == stream.splits().test.floor == pytest.approx(0.30809, abs=1e-5)
    assert load_corpus("toy") == words
    assert dict(summarize(words))["floor"] == "0.3081 nats, 0.4445 bits per character: no model can be expected below"
