"""Whole texts from a model: one document at a time up to its end, or a stretch of a stream, in pieces as they are
drawn, and the list of them that shows itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

from gradus.backend import torch
from gradus.errors import UserError
from gradus.generation.generate import stream
from gradus.generation.sample import SamplingRule
from gradus.models import LanguageModel
from gradus.text import Tokenizer

DOCUMENTS, LONGEST_DOCUMENT = 10, 1000  # how many unless told otherwise, and where one that never ends is cut
STREAM = 500  # tokens of a stream


def samples(
    model: LanguageModel,
    tokenizer: Tokenizer,
    kind: str,
    *,
    prompt: str = "",
    number: int | None = None,
    length: int | None = None,
    rule: SamplingRule = SamplingRule(),
    seed: int = 1337,
) -> Iterator[Iterator[str]]:
    """Texts that begin with the prompt, each in pieces: the prompt, then every token as soon as it is drawn.

    Args:
        kind: what the model was trained on, "documents" or "stream".
        number: how many; None gives ten documents, or one stretch of a stream.
        length: the most tokens to add; None lets documents end by themselves, and adds 500 to a stream.
        rule: how each token is drawn; a top_k larger than the vocabulary means all of it.
        seed: of the random generator; the same seed gives the same texts.

    Raises:
        UserError: if the prompt has a character that the model does not know, or, while the pieces are drawn, the
            model has no next token.
    """
    documents = kind == "documents"
    ids = tokenizer.encode(prompt).tolist()
    end = tokenizer.separator
    start = [end, *ids] if documents or not ids else ids
    if rule.top_k is not None:
        rule = replace(rule, top_k=min(rule.top_k, tokenizer.vocab_size))
    generator = torch.Generator().manual_seed(seed)

    def pieces() -> Iterator[str]:
        yield prompt
        tokens = stream(
            model,
            torch.tensor([start]),
            length or (LONGEST_DOCUMENT if documents else STREAM),
            rule,
            generator=generator,
            stop=end if documents else None,
        )
        drawn = (int(token.item()) for token in tokens)
        new = (id_ for id_ in drawn if not (documents and id_ == end))
        try:
            yield from islice(tokenizer.stream(chain(ids, new)), len(ids), None)  # a word's space depends on the prompt
        except ValueError as error:  # an n-gram without smoothing may never have seen the context
            raise UserError(f"the model cannot continue: {error}") from error

    return (pieces() for _ in range(number or (DOCUMENTS if documents else 1)))


class Texts(list[str]):
    """Texts, such as samples: a list that shows them as they read, at most a screen of them; `print` shows them all."""

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
