"""How a token is drawn, a stage at a time: the model's logits, what each part of the sampling rule makes of them over
the whole vocabulary, and the race of random numbers that decides."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.backend import F, torch
from gradus.explorer.forward.queries import Recent, weights_of
from gradus.explorer.opened import Opened
from gradus.explorer.view import SEED, TEXT, Parameter, View
from gradus.explorer.walk import Step, Walk
from gradus.generation import SamplingRule

STAGES = ("logits", "repetition_penalty", "temperature", "top_k", "top_p", "min_p")
NAMED = 200  # tokens whose text is told, the likeliest
COLUMNS = 400  # of the picture of the whole vocabulary
RACERS = 12  # of the race
WALKS = 3  # the last that were walked, which are kept

_walks = Recent[Walk](WALKS)
_lock = Lock()  # a walk takes one step at a time


def sampling(
    opened: Opened,
    text: str = "",
    step: int = 0,
    seed: int = 1337,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    repetition_penalty: float = 1.0,
) -> dict[str, Any]:
    """One step of the text that `gradus sample` writes with these settings.

    Args:
        text: the prompt, or the source of a translation.
        step: which token, 0 being the first that is drawn; after the end of a translation its last.
        temperature: None is 1, of translations 0, as for `gradus sample`.

    Returns:
        step: the number, and `ended`: whether nothing comes after it.
        prompt, written: the pieces of the prompt, and of each token up to this one {id, piece, document, end}: which of
        the texts it belongs to, and whether it ends it.
        texts: the texts with this token, as `gradus sample` prints them.
        order (V,): the tokens by falling logits; `pieces`: the texts of the first 200. The arrays that follow are in
        this order.
        logits (V,): the model's.
        stages: of each part of the rule {name, setting, active, p (V,), kept (V,), left}: the probabilities after it,
        what may still be drawn, and how many that are. Where it is not active, p and kept are None.
        seen (V,): what the repetition penalty weakens; None without.
        draw: see `race`.

    Raises:
        UserError: if the model writes no text, or the prompt or a setting is nothing for it.
    """
    if temperature is None:
        temperature = 1.0 if opened.model.continues else 0.0
    rule = SamplingRule(temperature, top_k, top_p, min_p, repetition_penalty)
    with _lock:
        walk = _walks.get((weights_of(opened), text, rule, seed), lambda: Walk(opened, text, rule, seed))
        here, following = walk.step(step), walk.step(step + 1) if walk.translates else None
    if here is None:
        step = len(walk.steps) - 1
        here = walk.steps[step]
    seen = _seen(rule, here, opened.config.vocab_size)
    stages = dict(rule.stages(here.logits, seen))
    order = np.argsort(-stages["logits"][0].cpu().numpy(), kind="stable")
    return {
        "step": step,
        "ended": following is None if walk.translates else step + 1 == walk.longest,
        "prompt": [opened.piece(id_) for id_ in walk.ids],
        "written": [
            {"id": s.token, "piece": opened.piece(s.token), "document": s.document, "end": s.token == walk.end}
            for s in walk.steps[: step + 1]
        ],
        "texts": walk.texts(step + 1),
        "order": order,
        "pieces": [opened.piece(id_) for id_ in order[:NAMED]],
        "logits": stages["logits"][0].cpu().numpy()[order],
        "seen": None if seen is None else seen[0].cpu().numpy()[order],
        "stages": [_stage(name, rule, stages.get(name), order) for name in STAGES],
        "draw": race(opened, rule, here, order),
    }


def sampling_page(opened: Opened, **settings: Any) -> dict[str, Any]:
    """What the page shows of `sampling`: of a large vocabulary the likeliest tokens, and all of them in columns.

    Returns:
        what `sampling` does, the arrays only of the 200 likeliest tokens and of the one that was drawn, whose places in
        the order are `ranks`; vocab_size; and in each active stage `columns` and `columns_kept`: of each of up to 400
        groups of neighbours in the order the largest probability, and whether any can still be drawn.
    """
    whole = sampling(opened, **settings)
    V, drawn = len(whole["order"]), whole["draw"]["rank"]
    ranks = [*range(min(V, NAMED)), *([drawn] if drawn >= NAMED else [])]
    starts = np.arange(min(V, COLUMNS)) * V // min(V, COLUMNS)
    short = {name: None if whole[name] is None else whole[name][ranks] for name in ("order", "logits", "seen")}
    stages = [
        stage
        if not stage["active"]
        else stage
        | {name: stage[name][ranks] for name in ("p", "kept")}
        | {
            "columns": np.maximum.reduceat(stage["p"], starts),
            "columns_kept": np.logical_or.reduceat(stage["kept"], starts),
        }
        for stage in whole["stages"]
    ]
    pieces = [opened.piece(id_) for id_ in whole["order"][ranks]]
    return whole | short | {"ranks": ranks, "pieces": pieces, "vocab_size": V, "stages": stages}


def race(opened: Opened, rule: SamplingRule, step: Step, order: NDArray[np.int64]) -> dict[str, Any]:
    """How the token of a step was drawn, as `torch.multinomial` draws one: by a race. Every token of the vocabulary
    gets a random number u, uniform in 0..1, and from it q = -ln(1 - u), which is exponentially distributed; the largest
    p / q wins. A token wins so with its probability p (Efraimidis and Spirakis, 2006).

    Args:
        order: the tokens by falling logits.

    Returns:
        token, piece, rank (its place in the order, from 0), p (its probability after all stages), greedy: whether it
        was simply the likeliest, and nothing was drawn.
        racers: of the tokens with the largest p / q, the winner first {id, piece, rank, p, u, q, ratio, needed}: to
        win against all others, u had to be below `needed`.
        drawn: how many random numbers that took.
    """
    logits = rule.apply(step.logits, _seen(rule, step, opened.config.vocab_size))
    p = F.softmax(logits, dim=-1)[0].cpu()
    rank = np.argsort(order)
    out: dict[str, Any] = {
        "token": step.token,
        "piece": opened.piece(step.token),
        "rank": int(rank[step.token]),
        "p": float(p[step.token].item()),
        "greedy": rule.temperature == 0,
        "racers": [],
        "drawn": 0,
    }
    if rule.temperature == 0:
        return out
    generator = torch.Generator()
    generator.set_state(step.state)
    q = torch.empty_like(p).exponential_(1.0, generator=generator).numpy()
    generator.set_state(step.state)
    u = torch.rand(len(p), dtype=torch.float64, generator=generator).numpy()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = p.numpy() / q
        best, *others = np.argsort(-ratio, kind="stable")[: RACERS + 1].tolist()
        rival = np.full(len(ratio), ratio[best])  # the best of the others
        rival[best] = ratio[others[0]] if others else 0.0
        needed = -np.expm1(-p.numpy().astype(np.float64) / rival)
    out["drawn"] = len(p)
    out["racers"] = [
        {
            "id": id_,
            "piece": opened.piece(id_),
            "rank": int(rank[id_]),
            **{name: float(a[id_]) for name, a in [("p", p.numpy()), ("u", u), ("q", q), ("ratio", ratio)]},
            "needed": float(needed[id_]),
        }
        for id_ in [best, *others[: RACERS - 1]]
        if ratio[id_] > 0
    ]
    return out


def _seen(rule: SamplingRule, step: Step, vocab_size: int) -> torch.Tensor | None:
    """(1, V) bool: the tokens before a step, if the rule makes a difference between them and others."""
    if rule.repetition_penalty == 1:
        return None
    seen = torch.zeros(1, vocab_size, dtype=torch.bool, device=step.logits.device)
    seen[0, list(step.before)] = True
    return seen


def _stage(name: str, rule: SamplingRule, logits: torch.Tensor | None, order: NDArray[np.int64]) -> dict[str, Any]:
    """A part of the rule: the logits (1, V) after it, None where it is not active."""
    out = {"name": name, "setting": getattr(rule, name, None), "active": logits is not None, "p": None, "kept": None}
    if logits is not None:
        kept = logits[0].isfinite().cpu().numpy()[order]
        out |= {"p": F.softmax(logits, dim=-1)[0].cpu().numpy()[order], "kept": kept, "left": int(kept.sum())}
    return out


VIEWS = {
    "sampling": View(
        sampling_page,
        {
            "text": TEXT,
            "step": Parameter(int, 0, 0),
            "seed": SEED,
            "temperature": Parameter(float, None, 0),
            "top_k": Parameter(int, None, 1),
            "top_p": Parameter(float, None, 0, 1),
            "min_p": Parameter(float, None, 0, 1),
            "repetition_penalty": Parameter(float, 1.0, 0),
        },
    ),
}
