"""What a model expects next, at every position of a text: how surprised it was by the token that came, and the
probabilities of all tokens at one position. For every kind of model that predicts a next token."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.errors import UserError
from gradus.explorer.forward.passes import Floats, Pass, run
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, Parameter, View


def next_token(opened: Opened, text: str, target: str = "", token: int = -1, top: int = 12) -> dict[str, Any]:
    """The tokens of a text, how expected each was, and what is expected after one of them.

    Args:
        target: of a model that translates, the translation up to now, whose tokens these are.
        token: the position after which the next token is asked for; -1 is the last.
        top: how many of the likeliest tokens are told.

    Returns:
        ids, pieces: of the tokens that the model read, (T,).
        surprise: (T,) nats, -log p of each token given those before; NaN for the first.
        probability, rank: (T,) what the model gave each token, and at which place, 1 being the likeliest.
        expected, expected_probability: (T,) the likeliest token at each place instead.
        loss: the mean of the surprises.
        entropy: (T,) nats, of what is expected after each position.
        position: the one that was asked for.
        top: ids, pieces, logits and probabilities, the likeliest first.
        rest: how many tokens there are besides, and their probability together.
        next: of the token that comes in the text, if one does: id, piece, logit, probability, rank; else None.
        vocab_size.

    Raises:
        UserError: for a model that predicts no next token, or a position that is not there.
    """
    if opened.kind == "encoder":
        raise UserError("an encoder reads a whole text; it predicts no next token")
    seen = run(opened, text, target)
    ids = seen.target if len(seen.target) else seen.ids
    T = len(ids)
    if not -T <= token < T:
        raise UserError(f"token must be from 0 to {T - 1}, the positions that the model reads, got {token}")
    t = token % T
    logits, log_p = seen.logits[t].astype(np.float64), log_probabilities(seen)
    along = seen.once("along the text", lambda: _along(ids, log_p))
    order = np.argsort(-log_p[t], kind="stable")[:top]
    p = np.exp(log_p[t])
    V = len(p)
    following = int(ids[t + 1]) if t + 1 < T else None
    return {
        "ids": ids,
        "pieces": [opened.piece(id_) for id_ in ids],
        **along,
        "position": t,
        "top": {
            "ids": order,
            "pieces": [opened.piece(id_) for id_ in order],
            "logits": logits[order],
            "probabilities": p[order],
        },
        "rest": {"tokens": V - len(order), "probability": max(0.0, 1.0 - float(p[order].sum()))},
        "next": None
        if following is None
        else {
            "id": following,
            "piece": opened.piece(following),
            "logit": float(logits[following]),
            "probability": float(p[following]),
            "rank": int(along["rank"][t + 1]),
        },
        "vocab_size": V,
    }


def log_probabilities(seen: Pass) -> Floats:
    """(T, V) float64: the logarithm of the softmax of the logits; NaN where no token is possible."""

    def made() -> Floats:
        logits = seen.logits.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            shifted = logits - logits.max(axis=-1, keepdims=True)
            out: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return out

    return seen.once("log p", made)


def _along(ids: NDArray[np.int64], log_p: Floats) -> dict[str, Any]:
    """What is told of every position, for ids (T,) and log_p (T, V)."""
    came = log_p[:-1][np.arange(len(ids) - 1), ids[1:]]  # (T - 1,)
    with np.errstate(invalid="ignore"):
        likelier = (log_p[:-1] > came[:, None]).sum(axis=1)
        p = np.exp(log_p)
        entropy = -np.where(p > 0, p * np.where(p > 0, log_p, 0.0), p).sum(axis=1)
    best = log_p[:-1].argmax(axis=1)
    return {
        "surprise": np.concatenate([[np.nan], -came]),
        "loss": float(-came.mean()) if len(came) else float("nan"),
        "probability": np.concatenate([[np.nan], np.exp(came)]),
        "rank": np.concatenate([[0], likelier + 1]),
        "expected": np.concatenate([[-1], best]),
        "expected_probability": np.concatenate([[np.nan], p[:-1][np.arange(len(best)), best]]),
        "entropy": entropy,
    }


VIEWS = {
    "forward/next": View(
        next_token,
        {
            "text": TEXT,
            "target": TEXT,
            "token": Parameter(int, -1),
            "top": Parameter(int, 12, 1, 200),
        },
    ),
}
