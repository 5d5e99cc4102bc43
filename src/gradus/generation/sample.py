"""Sampling: the next token, drawn from a model's logits by a rule, whose parts are those of `transformers`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from gradus.backend import F, torch
from gradus.errors import UserError


@dataclass(frozen=True)
class SamplingRule:
    """How the next token is drawn from the logits; the parts are applied in this order: the repetition penalty, the
    temperature, top-k, top-p, min-p.

    Attributes:
        temperature: divides the logits; 0 means greedy decoding, always the most likely token.
        top_k: draw from the k largest logits only (Fan et al., 2018), and from those that equal the smallest of them;
            None, or more than there are, means all.
        top_p: of those, draw from the smallest set of the most likely tokens whose probabilities add up to at least
            top_p (nucleus sampling, Holtzman et al., 2020); None or 1 means all, 0 the most likely one.
        min_p: of those, leave out what is less likely than min_p times the most likely one (Nguyen et al., 2024); None
            or 0 leaves out nothing.
        repetition_penalty: divides the positive logits of the tokens that are in the text already, and multiplies the
            negative ones (Keskar et al., 2019); 1 changes nothing, more makes repetition less likely.

    Raises:
        UserError: if temperature is negative or not finite, top_k is less than 1, top_p or min_p is not in 0..1, or
            repetition_penalty is not more than 0 and finite.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature >= 0:  # nan is refused too
            raise UserError(f"temperature must be 0 or more, got {self.temperature}")
        if self.temperature == math.inf:
            raise UserError("temperature must be finite, got inf; 1e9 makes all tokens equally likely")
        if self.top_k is not None and self.top_k < 1:
            raise UserError(f"top_k must be 1 or more, got {self.top_k}")
        for name in ("top_p", "min_p"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise UserError(f"{name} must be between 0 and 1, got {value}")
        if not 0 < self.repetition_penalty < math.inf:
            raise UserError(f"repetition_penalty must be more than 0 and finite, got {self.repetition_penalty}")

    def apply(self, logits: torch.Tensor, seen: torch.Tensor | None = None) -> torch.Tensor:
        """The logits (B, V) whose softmax is drawn from: -inf where a token is left out. A temperature of 0 leaves the
        largest.

        Args:
            logits: (B, V), any float dtype.
            seen: (B, V) bool, the tokens that are in each row's text, for the repetition penalty; None means none.
        """
        for _, stage in self.stages(logits, seen):
            logits = stage
        return logits

    def stages(self, logits: torch.Tensor, seen: torch.Tensor | None = None) -> Iterator[tuple[str, torch.Tensor]]:
        """What `apply` does, part by part: the name of the attribute and the logits (B, V) after it, in their order.
        First come the model's own as float32, named "logits"; what leaves all tokens as they are is not there, but for
        the temperature."""
        logits = logits.float()
        yield "logits", logits
        if seen is not None and self.repetition_penalty != 1:
            smaller = torch.where(logits < 0, logits * self.repetition_penalty, logits / self.repetition_penalty)
            logits = torch.where(seen, smaller, logits)
            yield "repetition_penalty", logits
        if self.temperature == 0:
            yield "temperature", logits.masked_fill(logits < logits.max(dim=-1, keepdim=True).values, -math.inf)
            return
        if self.temperature < 1e-20:  # the largest becomes 0, which no temperature makes infinite
            logits = logits - logits.max(dim=-1, keepdim=True).values
        logits = logits / min(max(self.temperature, 1e-30), 1e30)  # about the bounds of float32
        yield "temperature", logits
        if self.top_k is not None and self.top_k < logits.size(-1):
            smallest = torch.topk(logits, self.top_k, dim=-1).values[:, -1:]  # (B, 1)
            logits = logits.masked_fill(logits < smallest, -math.inf)
            yield "top_k", logits
        if self.top_p is not None and self.top_p < 1:
            logits = _most_likely(logits, self.top_p)
            yield "top_p", logits
        if self.min_p:
            p = F.softmax(logits, dim=-1)
            yield "min_p", logits.masked_fill(p < self.min_p * p.max(dim=-1, keepdim=True).values, -math.inf)


def sample_token(
    logits: torch.Tensor,
    rule: SamplingRule = SamplingRule(),
    *,
    seen: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Draw the next token from a model's last logits.

    Args:
        logits: (B, V), any float dtype; -inf marks a token that cannot be drawn.
        rule: temperature, top-k, top-p, min-p and repetition penalty.
        seen: (B, V) bool, the tokens that are in each row's text, for the repetition penalty; None means none.
        generator: where the randomness comes from; None uses the global one.

    Returns:
        (B, 1) int64.

    Raises:
        ValueError: if a row has no token that can be drawn.
    """
    for value in logits.max(dim=-1).values.tolist():
        if not math.isfinite(value):
            raise ValueError(f"the largest logit must be finite, got {value}: there is no token to draw")
    logits = rule.apply(logits, seen)
    if rule.temperature == 0:
        return logits.argmax(dim=-1, keepdim=True)  # of equal ones the first
    p = F.softmax(logits, dim=-1)
    if generator is not None:  # which draws the same numbers wherever the model is
        p = p.to(generator.device)
    return torch.multinomial(p, num_samples=1, generator=generator).to(logits.device)


def _most_likely(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Logits (B, V), with -inf for the least likely tokens that have at most 1 - top_p together."""
    ascending, order = torch.sort(logits, dim=-1)
    left_out = F.softmax(ascending, dim=-1).cumsum(dim=-1) <= 1 - top_p
    left_out[:, -1] = False  # never the most likely
    return logits.masked_fill(torch.zeros_like(left_out).scatter(-1, order, left_out), -math.inf)  # back in order
