"""A text that is drawn a token at a time and can be walked along: every step keeps the model's logits and the state of
the generator before its draw, so that the draw can be looked at again. The tokens are those of `gradus sample` with the
same seed and settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np

from gradus.backend import torch
from gradus.errors import UserError
from gradus.explorer.opened import Opened
from gradus.generation import SamplingRule, stream
from gradus.generation.translate import write
from gradus.models import Transformer, device_of

LONGEST = 1000  # steps
MOST_BYTES = 2**27  # of the logits that are kept


@dataclass(frozen=True)
class Step:
    """A token that was drawn.

    Attributes:
        token: its id.
        logits: (1, V), the model's.
        before: the tokens of this document that the model had read; of a translation, those written before.
        document: which of the texts it belongs to, 0 being the first: when one ends, the next begins with the prompt.
        state: the generator's, before the draw.
    """

    token: int
    logits: torch.Tensor
    before: tuple[int, ...]
    document: int
    state: Any


class Walk:
    """The steps in which a run's model continues a prompt, or translates it.

        walk = Walk(open_run("runs/names-gpt-1"), "ma", SamplingRule(temperature=0.8), seed=1)
        walk.step(3).token

    Args:
        prompt: what the text begins with; a model of pairs translates it.
        seed: of the generator.

    Raises:
        UserError: if the model writes no text, or the prompt is nothing that it can read.
    """

    def __init__(self, opened: Opened, prompt: str, rule: SamplingRule, seed: int) -> None:
        self.rule = rule
        self.generator = torch.Generator().manual_seed(seed)
        self.steps: list[Step] = []
        self.longest = min(LONGEST, max(1, MOST_BYTES // (4 * opened.config.vocab_size)))
        self.prompt = prompt
        self.ids: list[int] = opened.encode(prompt).tolist()
        self._opened, self._tokenizer = opened, opened.tokenizer
        self.translates = isinstance(opened.model, Transformer)
        if self.translates:
            self._drawn = self._translation()
        elif opened.model.continues:
            self._drawn = self._documents()
        else:
            raise UserError(f"a model of the kind {opened.kind} reads whole texts and writes none: it draws no tokens")

    def step(self, number: int) -> Step | None:
        """Step `number`, from 0; None if the text ends before. UserError if the model has no next token."""
        if number >= self.longest:
            raise UserError(f"at most {self.longest:,} steps are kept: step must be less, got {number}")
        while len(self.steps) <= number:
            state = self.generator.get_state()
            try:
                found = next(self._drawn, None)
            except ValueError as error:  # an n-gram without smoothing may never have seen the context
                raise UserError(f"the model cannot continue: {error}") from error
            if found is None:
                return None
            token, logits, before, document = found
            self.steps.append(Step(token, logits.clone(), before, document, state))  # not all positions' of a pass
        return self.steps[number]

    def texts(self, number: int) -> list[str]:
        """What is written after the first `number` steps, as `gradus sample` prints it: a text for each document."""
        out: list[list[int]] = [[]]
        for step in self.steps[:number]:
            out += [[] for _ in range(step.document + 1 - len(out))]
            if step.token != self.end:
                out[step.document].append(step.token)
        if self.translates:
            return [self._tokenizer.decode(ids).strip() for ids in out]
        return [self.prompt + "".join(self._pieces(ids)) for ids in out]

    def _pieces(self, ids: list[int]) -> Iterator[str]:
        """What each token adds to the prompt."""
        return islice(self._tokenizer.stream(chain(self.ids, ids)), len(self.ids), None)

    @property
    def end(self) -> int | None:
        """The token that ends a text."""
        return self._tokenizer.separator if self.translates or self._opened.text_kind == "documents" else None

    def _documents(self) -> Iterator[tuple[int, torch.Tensor, tuple[int, ...], int]]:
        """One document after the other, as `generation.samples` draws them; of a stream the only one."""
        model, end = self._opened.model, self.end
        begin = [self._tokenizer.separator] if end is not None or not self.ids else []
        row = torch.tensor([*begin, *self.ids], device=device_of(model))
        document = 0
        while True:
            before = tuple(row.tolist())
            for drawn in stream(model, [row], self.longest, self.rule, generator=self.generator, stop=end):
                token = int(drawn.token.item())
                yield token, drawn.logits, before, document
                before += (token,)
            document += 1

    def _translation(self) -> Iterator[tuple[int, torch.Tensor, tuple[int, ...], int]]:
        model, end = self._opened.model, self._tokenizer.separator
        assert isinstance(model, Transformer)
        source = torch.from_numpy(source_row(self._opened, self.prompt)[None]).to(device_of(model))
        before: tuple[int, ...] = ()
        written = write(model, source, model.block_size, stop=end, rule=self.rule, generator=self.generator)
        for _, drawn, logits in written:
            token = int(drawn.item())
            yield token, logits, before, 0
            before += (token,)


def source_row(opened: Opened, text: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A source (S,) as a model of pairs reads it: with the separator at its end. UserError if it is empty or too
    long."""
    if not text.strip():
        raise UserError("there is nothing to translate: type a text")
    source = np.append(opened.encode(text), opened.tokenizer.separator)
    if len(source) > opened.block_size:
        raise UserError(
            f"the text has {len(source)} tokens with its end, and the model reads at most {opened.block_size}"
        )
    return source
