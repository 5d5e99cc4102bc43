"""What a network says, and what it is like, at one moment of its training: its loss on the dev split, how near it is to
letter frequencies and to counts of pairs, what it writes, and its layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.errors import UserError
from gradus.explorer.learning.curves import folder_of
from gradus.explorer.learning.kept import once
from gradus.explorer.learning.lines import dev_text, probabilities
from gradus.explorer.opened import Opened
from gradus.explorer.view import Parameter, View
from gradus.generation import samples
from gradus.models import NOT_SCORED
from gradus.models.inside import gradients, layers
from gradus.training.run import SAMPLES

BINS = 40
FEW = 30  # tokens, of which a mean says little
WRITTEN, DOCUMENTS = 240, 8  # tokens of a text at most, and documents, that are written


def like(opened: Opened) -> dict[str, Any]:
    """What the network has learned at this moment, measured on about 2,048 tokens from all of the dev split.

    Returns:
        tokens: how many were scored.
        loss: nats a token; of the counts on the same tokens: uniform, unigram, bigram, trigram.
        distance: from each of these, the part of the probability that lies elsewhere: half the sum over the vocabulary
            of |p - q|, from 0 (the same) to 1, the mean over the tokens.
        seen, seen_loss: the loss of tokens that had so many others before them in the row: the first number of each
            group, which ends before the next one; None where a group has fewer than FEW tokens.
    """
    return once(opened, "like", lambda: _like(opened))


def _like(opened: Opened) -> dict[str, Any]:
    x, y, counts = dev_text(folder_of(opened)).counted
    scored = y != NOT_SCORED
    p = probabilities(opened.model, x)[scored]  # (N, V)
    V, target, at = p.shape[1], y[scored], np.arange(int(scored.sum()))
    with np.errstate(divide="ignore"):
        losses = -np.log(p[at, target])
    counted = {"uniform": np.full_like(p, 1 / V), **counts}
    place = np.broadcast_to(np.arange(1, x.shape[1] + 1), x.shape)[scored]
    groups = [2**i for i in range(int(np.log2(x.shape[1])) + 1)]
    members = [losses[(place >= low) & (place < 2 * low)] for low in groups]
    return {
        "tokens": len(losses),
        "loss": float(losses.mean()),
        **{name: float(-np.log(q[at, target]).mean()) for name, q in counted.items()},
        "distance": {name: float(0.5 * np.abs(p - q).sum(axis=1).mean()) for name, q in counted.items()},
        "seen": groups,
        "seen_loss": [float(member.mean()) if len(member) >= FEW else None for member in members],
    }


def written(opened: Opened, seed: int = 1337) -> dict[str, Any]:
    """What the network writes at this moment; the seed is the same at each, so that what differs is what was learned.

    Returns:
        text; source: "samples.txt", where these are the samples that the run was given at its end, else "drawn now".
    """
    kind = opened.text_kind
    if kind not in ("stream", "documents"):
        raise UserError(f"{opened.name} answers texts, and does not continue them")
    if opened.folder is not None and opened.moment is None and seed == _seed(opened):
        path = opened.folder.path / SAMPLES
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            return {"text": _beginning(text, kind), "source": SAMPLES}

    def draw() -> dict[str, Any]:
        drawn = samples(
            opened.model,
            opened.tokenizer,
            kind,
            number=DOCUMENTS if kind == "documents" else 1,
            length=WRITTEN,
            seed=seed,
        )
        return {"text": "\n".join("".join(sample) for sample in drawn), "source": "drawn now"}

    return once(opened, ("written", seed), draw)


def inside(opened: Opened) -> dict[str, Any]:
    """The layers of the network at this moment, for a batch of the dev split.

    Returns:
        names, of the layers in the order in which they work.
        mean, std: of each layer's outputs; saturated: the part of them where the nonlinearity is flat; dead: the part
            of its units that are flat everywhere in the batch; None for a layer that is no nonlinearity.
        counts (L, 40) of the outputs in bins from low to high, (L,) each.
        grad_std, grad_counts, grad_low, grad_high: the same of the loss's gradient at these outputs.
        tokens: how many the batch has.
    """
    return once(opened, "inside", lambda: _inside(opened))


def _inside(opened: Opened) -> dict[str, Any]:
    x, y = dev_text(folder_of(opened)).sample(opened.model)
    found = layers(opened.model, x)
    at_layers, _ = gradients(opened.model, x, y)
    values, slopes = ({name: np.asarray(a) for name, a in d.items()} for d in (
        {name: layer.values for name, layer in found.items()}, at_layers))  # fmt: skip
    out: dict[str, Any] = {
        "names": list(found),
        "mean": [float(v.mean()) for v in values.values()],
        "saturated": [layer.saturated for layer in found.values()],
        "dead": [layer.dead for layer in found.values()],
        "tokens": x.size,
    }
    for prefix, arrays in (("", values), ("grad_", slopes)):
        bins = [np.histogram(array, bins=BINS) for array in arrays.values()]
        out |= {
            f"{prefix}std": [float(array.std()) for array in arrays.values()],
            f"{prefix}counts": np.array([counts for counts, _ in bins]).reshape(-1, BINS),
            f"{prefix}low": [float(edges[0]) for _, edges in bins],
            f"{prefix}high": [float(edges[-1]) for _, edges in bins],
        }
    return out


def _seed(opened: Opened) -> int:
    return int(str(folder_of(opened).settings().get("seed", -1)))


def _beginning(text: str, kind: str) -> str:
    if kind == "documents":
        return "\n".join(text.splitlines()[:DOCUMENTS])
    return text[: 2 * WRITTEN]


VIEWS = {
    "learning/like": View(like),
    "learning/written": View(written, {"seed": Parameter(int, 1337, 0, 2**32 - 1)}),
    "learning/inside": View(inside),
}
