"""Whole texts from a model: one document at a time up to its end, or a stretch of a stream, in pieces as they are
drawn, and the list of them that shows itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from gradus.backend import torch
from gradus.errors import UserError
from gradus.generation.generate import Drawn, stream
from gradus.generation.sample import SamplingRule
from gradus.models import LanguageModel, device_of
from gradus.text import Tokenizer

DOCUMENTS, LONGEST_DOCUMENT = 10, 1000  # how many unless told otherwise, and where one that never ends is cut
STREAM = 500  # tokens of a stream


@dataclass
class Sample:
    """A text that is being drawn: iterate over it for its pieces, the prompt and what each token adds.

    Attributes:
        tokens: what was drawn up to now, also the token that ends a document and those of a stop string.
        logprobs: the log probability that the model gave each of them, in nats.
    """

    pieces: Iterator[str] = field(default_factory=lambda: iter(()))
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        return self.pieces


def samples(
    model: LanguageModel,
    tokenizer: Tokenizer,
    kind: str,
    *,
    prompt: str | Sequence[str] = "",
    number: int | None = None,
    length: int | None = None,
    rule: SamplingRule = SamplingRule(),
    stop: Sequence[str] = (),
    seed: int = 1337,
) -> Iterator[Sample]:
    """Texts that begin with a prompt, each in pieces: the prompt, then every token as soon as it is drawn.

    Args:
        kind: what the model was trained on, "documents" or "stream".
        prompt: what a text begins with; of several prompts, which may differ in length, the texts are drawn together,
            one token of each in a step.
        number: how many of each prompt; None gives ten documents of a single prompt, else one.
        length: the most tokens to add; None lets documents end by themselves, and adds 500 to a stream.
        rule: how each token is drawn.
        stop: strings that end a text; it does not contain them.
        seed: of the random generator; the same seed gives the same texts.

    Raises:
        UserError: if a prompt has a character that the model does not know, a stop string is empty, or, while the
            pieces are drawn, the model has no next token.
    """
    documents, end = kind == "documents", tokenizer.separator
    prompts = [prompt] if isinstance(prompt, str) else [*prompt]
    if not all(stop):
        raise UserError("a stop string must have a character")
    encoded = [tokenizer.encode(text).tolist() for text in prompts]
    rows = [torch.tensor([end, *ids] if documents or not ids else ids, device=device_of(model)) for ids in encoded]
    generator = torch.Generator().manual_seed(seed)
    longest = length or (LONGEST_DOCUMENT if documents else STREAM)
    last = end if documents else None

    def drawn_together() -> Iterator[Sample]:
        steps = stream(model, rows, longest, rule, generator=generator, stop=last)
        for text, ids, drawn in zip(prompts, encoded, _rows_of(steps, len(rows)), strict=True):
            sample = Sample()
            new = tokenizer.stream(chain(ids, _noted(drawn, sample, last)))  # a word's space depends on what precedes
            sample.pieces = chain([text], _until(stop, islice(new, len(ids), None)))
            yield sample

    number = number or (DOCUMENTS if documents and isinstance(prompt, str) else 1)
    return chain.from_iterable(drawn_together() for _ in range(number))


def _rows_of(steps: Iterator[Drawn], rows: int) -> list[Iterator[tuple[int, float]]]:
    """The tokens of each row with their log probabilities; a step is drawn when a row first needs it."""
    waiting: list[deque[tuple[int, float]]] = [deque() for _ in range(rows)]

    def row(own: deque[tuple[int, float]]) -> Iterator[tuple[int, float]]:
        while True:
            if not own:
                try:
                    drawn = next(steps, None)
                except ValueError as error:  # an n-gram without smoothing may never have seen the context
                    raise UserError(f"the model cannot continue: {error}") from error
                if drawn is None:
                    return
                for queue, token, logprob in zip(waiting, drawn.token.tolist(), drawn.logprob.tolist(), strict=True):
                    queue.append((token[0], logprob[0]))
            yield own.popleft()

    return [row(own) for own in waiting]


def _noted(drawn: Iterable[tuple[int, float]], sample: Sample, end: int | None) -> Iterator[int]:
    """The tokens before `end`, each noted in the sample."""
    for token, logprob in drawn:
        sample.tokens.append(token)
        sample.logprobs.append(logprob)
        if token == end:
            return
        yield token


def _until(stop: Sequence[str], pieces: Iterable[str]) -> Iterator[str]:
    """The pieces up to the first stop string; what may be the beginning of one is held back until that is certain.

    >>> list(_until(["end"], ["a", "e", "x", "e", "n", "d", "b"]))
    ['a', '', 'ex', '', '', '']
    """
    held = ""
    for piece in pieces:
        held += piece
        found = [place for text in stop if (place := held.find(text)) >= 0]
        if found:
            yield held[: min(found)]
            return
        beginnings = (n for text in stop for n in range(1, len(text)) if held.endswith(text[:n]))
        sure = len(held) - max(beginnings, default=0)
        yield held[:sure]
        held = held[sure:]
    if held:
        yield held


class Texts(list[str]):
    """Texts, such as samples: a list that shows them as they read, at most a screen of them; `print` shows them all.

    Attributes:
        tokens: of samples, the tokens of each text that were drawn.
        logprobs: of samples, the log probability that the model gave each of these tokens, in nats.
    """

    tokens: Sequence[list[int]] = ()
    logprobs: Sequence[list[float]] = ()

    @classmethod
    def of(cls, drawn: Iterable[Sample]) -> Texts:
        """The texts of samples, drawn to their ends."""
        drawn = list(drawn)
        texts = cls("".join(sample) for sample in drawn)
        texts.tokens, texts.logprobs = [sample.tokens for sample in drawn], [sample.logprobs for sample in drawn]
        return texts

    LINES, CHARACTERS = 20, 1500

    def __str__(self) -> str:
        """All of them, each ended by a newline."""
        return "".join(f"{text}\n" for text in self)

    def __repr__(self) -> str:
        lines: list[str] = []
        room = self.CHARACTERS
        for line in self._lines():
            if len(lines) == self.LINES or room <= 0:
                return "\n".join([*lines, "… print() shows the rest"])
            lines.append(line if len(line) <= room else line[: room - 1] + "…")
            room -= len(line) + 1
        return "\n".join(lines)

    def _lines(self) -> Iterable[str]:
        for text in self:
            yield from text.split("\n")
