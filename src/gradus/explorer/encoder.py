"""What an encoder makes of a text: the labels of a classifier, or what may be hidden behind each [MASK]; which tokens
spoke for it, by gradient times input; and what its positions looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.backend import torch
from gradus.errors import UserError
from gradus.explorer.opened import Opened
from gradus.explorer.queries import row_of, watched
from gradus.explorer.view import TEXT, Parameter, View
from gradus.explorer.wire import quantised
from gradus.models import Encoder, device_of, inference

Floats = NDArray[np.floating[Any]]
Ids = NDArray[np.int64]

TOP = 12  # tokens that may be hidden


def answer(opened: Opened, text: str, choice: int | None = None, place: int | None = None) -> dict[str, Any]:
    """What the model says of a text, and which tokens spoke for one of its answers.

    Args:
        choice: the answer to ask about: of a classifier the number of a label, else the id of a token; None for the
            likeliest.
        place: of a model that says what is hidden, the position of the [MASK]; None for the first.

    Returns:
        ids, pieces (T,): the tokens, with those that stand before and after the text.
        labels: whether the answers are labels, and not tokens.
        places: the positions of the masks; `place`: which of them is asked about, None of a classifier or without one.
        answers: the likeliest first {id, name, logit, p}: all labels, or the 12 likeliest tokens; none without a mask.
        choice: the id of the one that was asked about; None without a mask.
        logit: its logit.
        contributions (T,): for each position the gradient of that logit with respect to the vector that enters the
            first layer, times this vector, summed over its numbers.
        sum: of the contributions. A model that only multiplied its inputs by weights would have exactly this logit;
            this one adds biases, normalises and bends, and `rest` is the difference, logit - sum.

    Raises:
        UserError: if the model is no encoder, the text is empty or has an unknown character, or there is no such label,
            token or mask.
    """
    model, ids = _row(opened, text)
    labels = model.config.n_labels > 0
    places = [] if labels else np.flatnonzero(ids == opened.tokenizer.vocab_size).tolist()
    out: dict[str, Any] = {"ids": ids, "pieces": [opened.piece(id_) for id_ in ids], "labels": labels, "places": places}
    if not labels and not places:
        return out | {"place": None, "answers": [], "choice": None}
    if place is None or labels:
        place = None if labels else places[0]
    elif place not in places:
        raise UserError(f"there is no [MASK] at position {place}; there is at {', '.join(map(str, places))}")
    logits, contributions = gradient_times_input(model, ids, place, choice)
    if choice is None:
        choice = int(logits.argmax())
    p = np.exp(logits - logits.max())
    p /= p.sum()
    order = (-logits).argsort(kind="stable")[: None if labels else TOP]
    total = float(contributions.sum())
    return out | {
        "place": place,
        "answers": [
            {"id": int(i), "name": _name(opened, int(i), labels), "logit": float(logits[i]), "p": float(p[i])}
            for i in order
        ],
        "choice": choice,
        "name": _name(opened, choice, labels),
        "logit": float(logits[choice]),
        "contributions": contributions,
        "sum": total,
        "rest": float(logits[choice]) - total,
    }


def gradient_times_input(
    model: Encoder, ids: Ids, place: int | None = None, choice: int | None = None
) -> tuple[Floats, Floats]:
    """The logits of a text, and what each position contributes to one of them.

    The input is the vector that enters the first layer: the embedding of the token with that of its position, after
    their norm. (Before the norm the question would have no answer: the norm takes no notice of how long a vector is, so
    that gradient times vector is 0 everywhere.)

    Args:
        ids: (T,) as the model reads them.
        place: of which position the logits are; None of a classifier.
        choice: which logit; None for the largest.

    Returns:
        logits (V or n_labels,) and contributions (T,), float64.
    """
    entered: list[torch.Tensor] = []

    def cut(_: Any, __: Any, vectors: torch.Tensor) -> torch.Tensor:
        entered.append(vectors.detach().requires_grad_())
        return entered[0]

    handle = model.embedding_norm.register_forward_hook(cut)
    try:
        with inference(model), torch.enable_grad():
            logits = model(torch.from_numpy(ids[None]).to(device_of(model)))[0][0]
            logits = logits if place is None else logits[place]
            chosen = int(logits.argmax().item()) if choice is None else choice
            if not 0 <= chosen < len(logits):
                raise UserError(f"choice must be from 0 to {len(logits) - 1}, got {chosen}")
            (gradient,) = torch.autograd.grad(logits[chosen], [entered[0]])
    finally:
        handle.remove()
    contributions = (gradient * entered[0].detach())[0].double().sum(dim=-1)  # (T, C) -> (T,)
    return logits.detach().double().cpu().numpy(), contributions.cpu().numpy()


def encoder_attention(opened: Opened, text: str, layer: int = 0) -> dict[str, Any]:
    """One layer's attention.

    Returns:
        pieces (T,); layers, heads: how many there are; layer: which is shown; weights (nh, T, T) in 8 bits, rows sum
        to 1; mean (T, T): that of the heads.
    """
    model, ids = _row(opened, text)
    asked = _asked(model, ids, layer)
    weights = asked.weights()
    return {
        "pieces": [opened.piece(id_) for id_ in ids],
        "layers": len(model.layers),
        "heads": asked.n_head,
        "layer": layer,
        "weights": quantised(weights),
        "mean": quantised(weights.mean(axis=0)),
    }


def encoder_attention_row(opened: Opened, text: str, layer: int = 0, head: int = 0, row: int = 0) -> dict[str, Any]:
    """How one position divides its attention in one head: see `queries.row_of`."""
    model, ids = _row(opened, text)
    asked = _asked(model, ids, layer)
    if not (head < asked.n_head and row < len(ids)):
        raise UserError(f"there are {asked.n_head} heads of {len(ids)} rows, got head {head}, row {row}")
    return row_of(asked, head, row)


def _row(opened: Opened, text: str) -> tuple[Encoder, Ids]:
    if not isinstance(opened.model, Encoder):
        raise UserError(f"a model of the kind {opened.kind} is no encoder")
    if not text.strip():
        raise UserError("there is nothing to read: type a text")
    return opened.model, opened.row(text)


def _asked(model: Encoder, ids: Ids, layer: int) -> Any:
    if not 0 <= layer < len(model.layers):
        raise UserError(f"the model has {len(model.layers)} layers, from 0: there is no layer {layer}")
    of: Any = model.layers[layer]
    with inference(model), watched(of.attention) as asked:
        model.hidden(torch.from_numpy(ids[None]).to(device_of(model)))
    return asked


def _name(opened: Opened, id_: int, labels: bool) -> str:
    if not labels:
        return opened.piece(id_)
    return opened.labels[id_] if opened.labels else f"label {id_}"


_LAYER = {"text": TEXT, "layer": Parameter(int, 0, 0)}

VIEWS = {
    "forward/encoder": View(
        answer, {"text": TEXT, "choice": Parameter(int, None, 0), "place": Parameter(int, None, 0)}
    ),
    "forward/encoder/attention": View(encoder_attention, _LAYER),
    "forward/encoder/attention/row": View(
        encoder_attention_row, {**_LAYER, "head": Parameter(int, 0, 0), "row": Parameter(int, 0, 0)}
    ),
}
