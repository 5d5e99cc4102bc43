"""A small grammar that writes documents at random, and the least loss that a model of them can have, computed exactly.

A grammar says, for each symbol, by which sequences of symbols and letters it may be replaced, and with what
probability. What is still to be written is a stack of symbols and letters; the writer, who knows it, decides only where
a symbol is replaced. A reader sees letters and must infer the stack: after each letter a *belief*, the probabilities of
the stacks that agree with all letters so far. The belief gives the best possible prediction of the next letter, so

    floor = E[sum over the letters of a document of -log p(letter | belief)] / E[letters of a document],

the end of the document counted as a letter. Both expectations are sums over the beliefs that can be reached, each
weighted with the probability to reach it: a pass through the text, one letter at a time, with all beliefs side by side
(the forward algorithm of hidden Markov models). Documents one after another have this as their entropy rate, since each
begins anew.

Example, two documents "ab" and "ac" of equal probability: a is certain, b or c costs ln 2, the end is certain; the
floor is ln 2 / 3.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

Stack = tuple[str, ...]  # what is still to be written, next first: symbols and letters
Belief = tuple[tuple[Stack, float], ...]
Rules = Mapping[str, Sequence[tuple[float, Sequence[str]]]]  # symbol -> (probability, what replaces it) for each choice

END = "\n"  # the letter that ends a document


@dataclass(frozen=True)
class Grammar:
    """Rules, and the symbol that a document begins as. Each document must be finite: no symbol may come back in what
    replaces it. A piece of a replacement that is no symbol is text, and stands for its letters."""

    rules: Rules
    start: str

    def __post_init__(self) -> None:
        for symbol, choices in self.rules.items():
            if not math.isclose(sum(p for p, _ in choices), 1.0):
                raise ValueError(f"the probabilities of {symbol} must sum to 1, got {sum(p for p, _ in choices)}")

    def sample(self, generator: random.Random) -> str:
        """A document, without its end."""
        stack, text = [self.start], []
        while stack:
            head = stack.pop()
            if head in self.rules:
                weights, sequences = zip(*self.rules[head], strict=True)
                stack.extend(reversed(generator.choices(sequences, weights)[0]))
            else:
                text.append(head)
        return "".join(text)

    @cached_property
    def floor(self) -> float:
        """The least mean loss of a letter, in nats."""
        reached = {self._first: 1.0}  # after as many letters: belief -> the probability to be there
        nats = letters = 0.0
        while reached:
            after: dict[Belief, float] = defaultdict(float)
            for belief, probability in reached.items():
                letters += probability
                for letter, (p, next_belief) in self._read(belief).items():
                    nats -= probability * p * math.log(p)
                    if letter != END:
                        after[next_belief] += probability * p
            reached = after
        return nats / letters

    def surprise(self, document: str) -> float:
        """-log p(document and its end), in nats; infinite if the grammar cannot write it."""
        belief, nats = self._first, 0.0
        for letter in document + END:
            choices = self._read(belief)
            if letter not in choices:
                return math.inf
            p, belief = choices[letter]
            nats -= math.log(p)
        return nats

    @property
    def _first(self) -> Belief:
        return (((self.start,), 1.0),)

    @cached_property
    def _memory(self) -> dict[Belief, dict[str, tuple[float, Belief]]]:
        return {}

    def _read(self, belief: Belief) -> dict[str, tuple[float, Belief]]:
        """Each letter that can come next, its probability, and the belief after it."""
        if belief not in self._memory:
            found: dict[str, dict[Stack, float]] = defaultdict(lambda: defaultdict(float))
            for stack, probability in belief:
                for p, letter, rest in self._next(stack):
                    found[letter][rest] += probability * p
            self._memory[belief] = {
                letter: (sum(rests.values()), tuple((rest, p / sum(rests.values())) for rest, p in rests.items()))
                for letter, rests in found.items()
            }
        return self._memory[belief]

    def _next(self, stack: Stack) -> list[tuple[float, str, Stack]]:
        """The letters that may follow: probability, letter, and what is left to be written after it."""
        if not stack:
            return [(1.0, END, ())]
        head, rest = stack[0], stack[1:]
        if head not in self.rules:
            return [(1.0, head[0], (head[1:], *rest) if len(head) > 1 else rest)] if head else self._next(rest)
        return [
            (p * q, letter, after)
            for p, sequence in self.rules[head]
            for q, letter, after in self._next((*sequence, *rest))
        ]
