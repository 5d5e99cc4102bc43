"""Writing the target of a source with a Transformer: token by token by a sampling rule, or by beam search.

A greedy choice cannot be taken back. Beam search keeps several beginnings and continues the best of all; the target it
finds is often likelier than the greedy one, though it need not be the likeliest there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gradus.backend import F, torch
from gradus.errors import UserError
from gradus.generation.sample import SamplingRule, sample_token
from gradus.models import Transformer, inference

GREEDY = SamplingRule(temperature=0)
LENGTH_PENALTY = 0.6  # as in the paper, chosen there on its dev text


@dataclass(frozen=True)
class Hypothesis:
    """A target that was written.

    Attributes:
        ids: its tokens, without separators.
        log_p: ln of its probability under the model, the end included.
        ended: whether it came to its end, and not only to the most tokens allowed.
    """

    ids: tuple[int, ...]
    log_p: float
    ended: bool

    def __repr__(self) -> str:
        return f"Hypothesis({len(self.ids):,} tokens, log_p {self.log_p:.4f}{'' if self.ended else ', not ended'})"

    def score(self, length_penalty: float) -> float:
        """log_p / ((5 + n) / 6)^length_penalty for n tokens, the end included (Wu et al., 2016).

        Every token makes a text less likely, so log_p alone prefers short ones; with 1, long ones lose nothing by
        their length.
        """
        n = len(self.ids) + self.ended
        return self.log_p / ((5 + n) / 6) ** length_penalty


class Written(NamedTuple):
    """One step of targets that are written together.

    Attributes:
        rows: the sources whose targets had not ended, R of the B.
        token: (R, 1) int64, what was written for each; the separator ends a target.
        logits: (R, V), the model's, from which it was drawn.
    """

    rows: list[int]
    token: torch.Tensor
    logits: torch.Tensor


class Candidate(NamedTuple):
    """A continuation that beam search looked at.

    Attributes:
        beam: which of the beginnings that were kept it continues, 0 being the likeliest.
        token: by which token.
        log_p: ln of the probability of all its tokens.
        fate: "kept" goes on, as the next of the beginnings; "complete" has ended and is put aside; "dropped" is less
            likely than as many others as there are beams.
    """

    beam: int
    token: int
    log_p: float
    fate: Literal["kept", "complete", "dropped"]


def translate(
    model: Transformer,
    idx: torch.Tensor,
    max_new_tokens: int,
    *,
    stop: int,
    beams: int = 1,
    length_penalty: float = LENGTH_PENALTY,
    rule: SamplingRule = GREEDY,
    generator: torch.Generator | None = None,
) -> list[Hypothesis]:
    """Write a target for each source: with one beam by the rule, with more by beam search.

    Args:
        idx: (B, S) int64, sources as the model was trained on them: -1 after their end.
        max_new_tokens: the most tokens of a target, its end included; never more than the model's block_size - 1.
        stop: the separator, with which targets begin and end.
        beams: how many beginnings beam search keeps.
        length_penalty: what beam search does for long targets; 0 is nothing.
        rule: how each token is drawn, for one beam; the default is greedy.
        generator: where the randomness comes from; None uses the global one.

    Raises:
        ValueError: if beams is less than 1.
        UserError: if it is more than 1 with a rule that draws, or the rule has a repetition penalty.
    """
    if rule.repetition_penalty != 1:
        raise UserError("the repetition penalty is for models that continue a text")
    if beams > 1:
        if rule.temperature != 0:
            raise UserError(
                f"beam search draws nothing: use 1 beam or temperature 0, got {beams} beams and {rule.temperature:g}"
            )
        found = beam_search(model, idx, max_new_tokens, stop=stop, beams=beams, length_penalty=length_penalty)
        return [best[0] for best in found]
    if beams < 1:
        raise ValueError(f"beams must be at least 1, got {beams}")
    ids: list[list[int]] = [[] for _ in range(len(idx))]
    log_p = [0.0] * len(idx)
    ended = [False] * len(idx)
    for rows, token, logits in write(model, idx, max_new_tokens, stop=stop, rule=rule, generator=generator):
        chosen = F.log_softmax(logits.float(), dim=-1).gather(1, token)  # (R, 1)
        for row, (new,), (value,) in zip(rows, token.tolist(), chosen.tolist(), strict=True):
            log_p[row] += value
            ended[row] = new == stop
            if new != stop:
                ids[row].append(new)
    return [Hypothesis(tuple(ids[row]), log_p[row], ended[row]) for row in range(len(idx))]


def write(
    model: Transformer,
    idx: torch.Tensor,
    max_new_tokens: int,
    *,
    stop: int,
    rule: SamplingRule = GREEDY,
    generator: torch.Generator | None = None,
) -> Iterator[Written]:
    """Like `translate` with one beam, but yields the tokens of each step as soon as they are drawn."""
    going = list(range(len(idx)))  # the rows that have not ended, which are those of the state
    with inference(model):
        state = model.start(idx)
    token = idx.new_full((len(idx), 1), stop)
    for _ in range(_longest(model, max_new_tokens)):
        with inference(model):
            logits, state = model.read(token, state)
            token = sample_token(logits, rule, generator=generator)  # (R, 1)
        yield Written(going, token, logits)
        kept = [place for place, (new,) in enumerate(token.tolist()) if new != stop]
        if not kept:
            return
        if len(kept) < len(going):
            going = [going[place] for place in kept]
            rows = torch.tensor(kept, device=idx.device)
            token, state = token[rows], state.select(rows)


def beam_search(
    model: Transformer,
    idx: torch.Tensor,
    max_new_tokens: int,
    *,
    stop: int,
    beams: int,
    length_penalty: float = LENGTH_PENALTY,
    watch: Callable[[int, list[Candidate]], None] | None = None,
) -> list[list[Hypothesis]]:
    """The best targets that a beam finds for each source, the best first; the arguments are those of `translate`.

    At every step all beginnings are continued by all tokens. Of these continuations the likeliest go on, as many as
    there are beams, and those of them that are complete are put aside. A source is done when as many are complete.

    Args:
        watch: is told at every step, of every source that is not done, its number and up to twice as many candidates as
            there are beams, the likeliest first.

    Returns:
        For each source up to `beams` hypotheses by falling score. Those that have not ended come in only if none has.
    """
    if beams < 1:
        raise ValueError(f"beams must be at least 1, got {beams}")
    complete: list[list[Hypothesis]] = [[] for _ in range(len(idx))]
    going = list(range(len(idx)))  # the sources that are not done; the state has `beams` rows for each
    with inference(model):
        first = torch.arange(len(idx), device=idx.device).repeat_interleave(beams)
        state = model.start(idx).select(first)
        log_p = torch.tensor([0.0] + [-math.inf] * (beams - 1), device=idx.device).repeat(len(idx), 1)  # (B, beams)
        written = idx.new_full((len(idx), beams, 1), stop)  # (B, beams, t): all beginnings, so far
        for _ in range(_longest(model, max_new_tokens)):
            logits, state = model.read(written[:, :, -1].reshape(-1, 1), state)
            V = logits.size(-1)
            following = log_p.unsqueeze(2) + F.log_softmax(logits.float(), dim=-1).view(len(going), beams, V)
            # Each beginning has one continuation that ends it: of 2 · beams, at least `beams` go on.
            log_p, places = following.flatten(1).topk(min(2 * beams, beams * V), dim=1)  # (B, 2 · beams)
            from_beam, token = places // V, places % V
            ends = token == stop
            for row, rank in (ends[:, :beams] & (log_p[:, :beams] > -math.inf)).nonzero().tolist():
                ids = written[row, from_beam[row, rank], 1:].tolist()
                complete[going[row]].append(Hypothesis(tuple(ids), log_p[row, rank].item(), True))
            order = ends.to(torch.int64).argsort(dim=1, stable=True)[:, :beams]  # the best that go on
            if watch is not None:
                for row, source in enumerate(going):
                    watch(source, _candidates(from_beam[row], token[row], log_p[row], ends[row], order[row]))
            log_p, from_beam, token = (values.gather(1, order) for values in (log_p, from_beam, token))
            log_p = log_p.masked_fill(token == stop, -math.inf)  # a vocabulary too small for so many beams
            kept = [row for row, source in enumerate(going) if len(complete[source]) < beams]
            if not kept:
                going = []
                break
            rows = torch.tensor(kept, device=idx.device)
            state = state.select((rows.unsqueeze(1) * beams + from_beam[rows]).flatten())
            before = written[rows].gather(1, from_beam[rows].unsqueeze(2).expand(-1, -1, written.size(2)))
            written = torch.cat([before, token[rows].unsqueeze(2)], dim=2)
            log_p, going = log_p[rows], [going[row] for row in kept]
    for row, source in enumerate(going):
        if not complete[source]:
            beginnings = zip(written[row, :, 1:].tolist(), log_p[row].tolist(), strict=True)
            complete[source] = [Hypothesis(tuple(ids), value, False) for ids, value in beginnings if value > -math.inf]
    return [sorted(found, key=lambda h: -h.score(length_penalty))[:beams] for found in complete]


def _candidates(
    beam: torch.Tensor, token: torch.Tensor, log_p: torch.Tensor, ends: torch.Tensor, kept: torch.Tensor
) -> list[Candidate]:
    """Those of one source, (2 · beams,) each; `kept` are the places of those that may go on."""
    goes_on, beams = set(kept.tolist()), len(kept)
    rows = zip(beam.tolist(), token.tolist(), log_p.tolist(), ends.tolist(), strict=True)
    return [
        Candidate(b, t, p, "complete" if end and i < beams else "kept" if i in goes_on and not end else "dropped")
        for i, (b, t, p, end) in enumerate(rows)
        if p > -math.inf
    ]


def _longest(model: Transformer, max_new_tokens: int) -> int:
    """How many tokens can be written: in training, a target is at most block_size long, its first separator
    included."""
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, got {max_new_tokens}")
    return min(max_new_tokens, model.block_size - 1)
