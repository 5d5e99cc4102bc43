"""What an encoder makes of a text: the labels of a classifier, or what may be hidden behind each [MASK]; which tokens
spoke for it, by gradient times input, here or all along the way from an average text; and what its positions looked
at."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.explorer.forward.context import softmax
from gradus.explorer.forward.passes import Floats
from gradus.explorer.forward.queries import Asked, Recent, row_of, watched, weights_of
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, Parameter, View
from gradus.explorer.wire import quantised
from gradus.models import Encoder, device_of, inference
from gradus.text.tokenizer import Ids

TOP = 12  # tokens that may be hidden
AT_ONCE = 16  # points of a way, in a batch
METHODS = ("gradient", "path")

_passes = Recent[dict[nn.Module, Asked]](2)


def answer(
    opened: Opened, text: str, choice: int | None = None, place: int | None = None, method: str = "gradient"
) -> dict[str, Any]:
    """What the model says of a text, and which tokens spoke for one of its answers.

    Args:
        choice: the answer to ask about: of a classifier the number of a label, else the id of a token; None for the
            likeliest.
        place: of a model that says what is hidden, the position of the [MASK]; None for the first.
        method: "gradient", gradient times input; "path", integrated gradients.

    Returns:
        ids, pieces (T,): the tokens, with those that stand before and after the text.
        labels: whether the answers are labels, and not tokens.
        places: the positions of the masks; `place`: which of them is asked about, None of a classifier or without one.
        answers: the likeliest first {id, name, logit, p}: all labels, or the 12 likeliest tokens; none without a mask.
        choice: the id of the one that was asked about; None without a mask.
        logit: its logit.
        contributions (T,): what each position contributes to it, see `gradient_times_input` and `integrated_gradients`.
        start: with "path", the logit of a text of average tokens; else 0.
        sum: of the contributions, and `rest`, what is missing: logit - start - sum. With "gradient", a model that only
            multiplied its inputs by weights would have no rest; this one adds biases, normalises and bends. With "path"
            it would be 0 if the way were walked in infinitely many steps.

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
    choice, start = int(logits.argmax()) if choice is None else choice, 0.0
    if method == "path":
        contributions, start = integrated_gradients(model, ids, place, choice)
    p = softmax(logits)
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
        "start": start,
        "sum": total,
        "rest": float(logits[choice]) - start - total,
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
    x = _entering(model, ids)
    with inference(model):
        logits = _logits(model, ids, x, place)[0]
    chosen = int(logits.argmax().item()) if choice is None else choice
    if not 0 <= chosen < len(logits):
        raise UserError(f"choice must be from 0 to {len(logits) - 1}, got {chosen}")
    contributions = (_gradients(model, ids, x, place, chosen)[0] * x[0]).double().sum(dim=-1)  # (T, C) -> (T,)
    return logits.double().cpu().numpy(), contributions.cpu().numpy()


def integrated_gradients(
    model: Encoder, ids: Ids, place: int | None, choice: int, steps: int = 48
) -> tuple[Floats, float]:
    """What each position contributes on the way from a text of average tokens to this one (Sundararajan et al., 2017).

    Where a model is sure its logit hardly moves, and the gradient there tells little. So all vectors are moved together
    on straight lines from those of the average token, the mean of all embeddings, to their own, and gradient times
    step is summed along the way: together that is by how much the logit grew.

    Args:
        steps: points on the way, chosen as Gauss and Legendre do.

    Returns:
        contributions (T,), and the logit at the beginning of the way.
    """
    points, weights = np.polynomial.legendre.leggauss(steps)
    with inference(model):
        x = _entering(model, ids)  # (1, T, C)
        average = model.embedding.weight[: model.config.vocab_size].mean(dim=0)
        begin = _entering(model, ids, average)
        start = float(_logits(model, ids, begin, place)[0, choice].item())
    total = torch.zeros(len(ids), dtype=torch.float64, device=x.device)
    for first in range(0, steps, AT_ONCE):
        part = slice(first, first + AT_ONCE)
        at = torch.tensor((points[part] + 1) / 2, dtype=x.dtype, device=x.device).view(-1, 1, 1)
        gradients = _gradients(model, ids, begin + at * (x - begin), place, choice).double()  # (steps, T, C)
        share = torch.tensor(weights[part] / 2, dtype=torch.float64, device=x.device).view(-1, 1, 1)
        total += (share * gradients * (x - begin).double()).sum(dim=2).sum(dim=0)
    return total.cpu().numpy(), start


def _entering(model: Encoder, ids: Ids, token: torch.Tensor | None = None) -> torch.Tensor:
    """(1, T, C) what enters the first layer; with `token` (C,), as if all tokens had this embedding."""
    found: list[torch.Tensor] = []
    handles = [model.embedding_norm.register_forward_hook(lambda _, __, y: found.append(y.detach()))]
    if token is not None:
        handles.append(model.embedding.register_forward_hook(lambda _, __, y: token.expand(y.shape)))
    try:
        with inference(model):
            model.hidden(torch.from_numpy(ids[None]).to(device_of(model)))
    finally:
        for handle in handles:
            handle.remove()
    return found[0]


def _logits(model: Encoder, ids: Ids, entering: torch.Tensor, place: int | None) -> torch.Tensor:
    """(B, V or n_labels), given B times what enters the first layer (B, T, C)."""
    handle = model.embedding_norm.register_forward_hook(lambda _, __, ___: entering)
    try:
        rows = np.repeat(ids[None], len(entering), axis=0)
        logits: torch.Tensor = model(torch.from_numpy(rows).to(device_of(model)))[0]
    finally:
        handle.remove()
    return logits if place is None else logits[:, place]


def _gradients(model: Encoder, ids: Ids, entering: torch.Tensor, place: int | None, choice: int) -> torch.Tensor:
    """(B, T, C) of a logit, each with respect to its own row of what enters."""
    entering = entering.detach().requires_grad_()
    with inference(model), torch.enable_grad():
        chosen = _logits(model, ids, entering, place)[:, choice].sum()
        (gradient,) = torch.autograd.grad(chosen, [entering])
    assert gradient is not None
    return gradient


def encoder_attention(opened: Opened, text: str, layer: int = 0) -> dict[str, Any]:
    """One layer's attention.

    Returns:
        pieces (T,); layers, heads: how many there are; layer: which is shown; weights (nh, T, T) in 8 bits, rows sum
        to 1; mean (T, T): that of the heads.
    """
    model, ids = _row(opened, text)
    asked = _asked(opened, model, ids, layer)
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
    asked = _asked(opened, model, ids, layer)
    if not (head < asked.n_head and row < len(ids)):
        raise UserError(f"there are {asked.n_head} heads of {len(ids)} rows, got head {head}, row {row}")
    return row_of(asked, head, row)


def _row(opened: Opened, text: str) -> tuple[Encoder, Ids]:
    if not isinstance(opened.model, Encoder):
        raise UserError(f"a model of the kind {opened.kind} is no encoder")
    if not text.strip():
        raise UserError("there is nothing to read: type a text")
    return opened.model, opened.row(text)


def _asked(opened: Opened, model: Encoder, ids: Ids, layer: int) -> Asked:
    def run() -> dict[nn.Module, Asked]:
        with inference(model), watched(model) as found:
            model.hidden(torch.from_numpy(ids[None]).to(device_of(model)))
        return found

    if not 0 <= layer < len(model.layers):
        raise UserError(f"the model has {len(model.layers)} layers, from 0: there is no layer {layer}")
    of: Any = model.layers[layer]
    return _passes.get((weights_of(opened), *ids.tolist()), run)[of.attention]


def _name(opened: Opened, id_: int, labels: bool) -> str:
    if not labels:
        return opened.piece(id_)
    return opened.labels[id_] if opened.labels else f"label {id_}"


_LAYER = {"text": TEXT, "layer": Parameter(int, 0, 0)}

VIEWS = {
    "forward/encoder": View(
        answer,
        {
            "text": TEXT,
            "choice": Parameter(int, None, 0),
            "place": Parameter(int, None, 0),
            "method": Parameter(str, "gradient", choices=METHODS),
        },
    ),
    "forward/encoder/attention": View(encoder_attention, _LAYER),
    "forward/encoder/attention/row": View(
        encoder_attention_row, {**_LAYER, "head": Parameter(int, 0, 0), "row": Parameter(int, 0, 0)}
    ),
}
