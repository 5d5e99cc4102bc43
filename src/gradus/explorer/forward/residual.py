"""The residual stream of a GPT: its size along the layers, what each attention and each MLP adds, and what the model
would say if it ended there (nostalgebraist, 2020: the logit lens)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.backend import torch
from gradus.explorer.forward.attention import TOKEN
from gradus.explorer.forward.passes import Floats, run
from gradus.explorer.forward.stack import added, names_of, pieces, position_of, stream
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, Parameter, View
from gradus.models import device_of, inference

MOST = 256  # positions of a lens at once: a large vocabulary makes each one dear


def residual(opened: Opened, text: str) -> dict[str, Any]:
    """How large the stream is at each position, and what is added to it.

    Returns:
        pieces: (T,) the texts of the tokens.
        steps: the names of the 2 n_layer + 1 streams: "embedding", "attention 0", "mlp 0", ...
        sizes: (2 n_layer + 1, T) the length sqrt(sum of squares) of each position's vector after each step.
        added: (2 n_layer, T) the length of what each step after the embedding adds.
        turned: (2 n_layer, T) the cosine between what is added and the stream it is added to: 1 makes it longer, 0
            writes something new, -1 takes away.
    """
    seen = run(opened, text)

    def made() -> dict[str, Any]:
        before, plus = stream(opened, seen), added(opened, seen)
        sizes, lengths = _lengths(before), _lengths(plus)
        products = np.einsum("ltc,ltc->lt", before[:-1], plus, dtype=np.float64, casting="same_kind")
        with np.errstate(invalid="ignore", divide="ignore"):
            turned = products / (sizes[:-1] * lengths)
        return {
            "pieces": pieces(opened, seen),
            "steps": steps(opened),
            "sizes": sizes,
            "added": lengths,
            "turned": turned,
        }

    return seen.once("residual", made)


def lens(opened: Opened, text: str, token: int = -1, count: int = 48) -> dict[str, Any]:
    """What the model would say at each position if it ended after each layer: the stream there goes through the model's
    own last norm and head.

    Args:
        token: the position around which they lie; -1 is the last.
        count: how many positions at most.

    Returns:
        first: the first of these positions; and for L = n_layer + 1 streams (the embedding, then after each layer) and
        N positions:
        steps: their names.
        ids, pieces: (L, N) the likeliest next token.
        probabilities: (L, N) of it.
        right: (L, N) the probability of the token that comes in the text; NaN at its end.
        rank: (L, N) at which place that token is, 1 being the likeliest; 0 at the end.
        right_pieces: (N,) the tokens that come; "" at the end.
        read: (N,) the tokens at these positions.
    """
    seen = run(opened, text)
    T = len(seen.ids)
    start = max(0, min(position_of(seen, token) - count // 2, T - count))
    stop = min(T, start + count)

    def made() -> dict[str, Any]:
        log_p = _through_the_head(opened, stream(opened, seen)[::2, start:stop])  # (L, N, V)
        best = log_p.argmax(axis=-1)  # (L, N)
        following = seen.ids[start + 1 : stop + 1]  # the last position of the text has none
        right = np.full(best.shape, np.nan)
        rank = np.zeros(best.shape, dtype=np.int64)
        n = len(following)
        came = log_p[:, np.arange(n), following]  # (L, n)
        right[:, :n], rank[:, :n] = np.exp(came), (log_p[:, :n] > came[..., None]).sum(axis=-1) + 1
        return {
            "first": start,
            "steps": ["embedding", *(f"layer {i}" for i in range(opened.config.n_layer))],
            "ids": best,
            "pieces": [[opened.piece(id_) for id_ in row] for row in best],
            "probabilities": np.exp(log_p.max(axis=-1)),
            "right": right,
            "rank": rank,
            "right_pieces": [opened.piece(id_) for id_ in following] + [""] * (stop - start - n),
            "read": pieces(opened, seen)[start:stop],
        }

    return seen.once(("lens", start, stop), made)


def steps(opened: Opened) -> list[str]:
    """The names of the streams: after the embeddings, then after each attention and each MLP."""
    names_of(opened)
    return ["embedding", *(f"{part} {i}" for i in range(opened.config.n_layer) for part in ("attention", "mlp"))]


def _through_the_head(opened: Opened, x: Floats) -> Floats:
    """Streams (L, N, C) through the last norm and the head: log probabilities (L, N, V), float32."""
    model: Any = opened.model
    with inference(model):
        logits = model.head(torch.from_numpy(np.ascontiguousarray(x)).to(device_of(model))).cpu().numpy()
    shifted = logits - logits.max(axis=-1, keepdims=True)
    out: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return out


def _lengths(x: Floats) -> Floats:
    out: Floats = np.sqrt(np.einsum("...c,...c->...", x, x, dtype=np.float64, casting="same_kind"))
    return out


VIEWS = {
    "forward/residual": View(residual, {"text": TEXT}),
    "forward/lens": View(lens, {"text": TEXT, "token": TOKEN, "count": Parameter(int, 48, 1, MOST)}),
}
