"""What a Transformer does with a pair of texts: how surprised it is by each word of the target, what the words of both
looked at in a layer, and the beam search that wrote the target, as a tree."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.backend import F, nn, torch
from gradus.errors import UserError
from gradus.explorer.forward.queries import Asked, Recent, row_of, watched, weights_of
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, Parameter, View
from gradus.explorer.walk import source_row
from gradus.explorer.wire import quantised
from gradus.generation.translate import LENGTH_PENALTY, Candidate, Hypothesis, beam_search
from gradus.models import Transformer, device_of, inference
from gradus.text.tokenizer import Ids

PARTS = ("cross", "encoder", "decoder")
BEAMS = 4

_searches = Recent[tuple[list[list[Candidate]], list[Hypothesis]]](4)
_passes = Recent[tuple[dict[nn.Module, Asked], torch.Tensor]](2)


def translation(
    opened: Opened,
    text: str,
    target: str = "",
    part: str = "cross",
    layer: int = 0,
    beams: int = BEAMS,
    length_penalty: float = LENGTH_PENALTY,
) -> dict[str, Any]:
    """A pair of texts, and one layer's attention with all its heads.

    Args:
        target: the translation; empty for the one that the model writes by beam search.
        part: "cross", the target to the source; "encoder", the source to itself; "decoder", the target to what is
            before.

    Returns:
        source, read, written: {ids, pieces}, the tokens that the encoder reads, S with the separator at the end; those
        that the decoder reads, T with the separator at the beginning; and those that it was to write after each of
        them.
        own: whether the model wrote the target itself.
        log_p, rank (T,): of each written token, ln of its probability, and at which place the model had it, 1 being the
        likeliest; likeliest: for each place the piece that the model would have written there.
        layers, heads: how many there are; part, layer: which are shown.
        weights: (nh, T or S, S or T) in 8 bits, rows sum to 1; mean: that of the heads; None for "cross" in a model
        without cross-attention.

    Raises:
        UserError: if the model does not translate, or a text is empty or too long or has an unknown character.
    """
    model, source, target_ids = _pair(opened, text, target, beams, length_penalty)
    asked, logits = _asked(opened, model, source, target_ids, part, layer)
    weights = None if asked is None else asked.weights()
    log_p = F.log_softmax(logits.double(), dim=-1).cpu().numpy()  # (T, V)
    written = log_p[np.arange(len(log_p)), target_ids[1:]]
    return {
        "source": _tokens(opened, source),
        "read": _tokens(opened, target_ids[:-1]),
        "written": _tokens(opened, target_ids[1:]),
        "own": not target,
        "log_p": written,
        "rank": (log_p > written[:, None]).sum(axis=1) + 1,
        "likeliest": [opened.piece(id_) for id_ in log_p.argmax(axis=1)],
        "layers": len(model.encoder),
        "heads": opened.config.n_head,
        "part": part,
        "layer": layer,
        "weights": None if weights is None else quantised(weights),
        "mean": None if weights is None else quantised(weights.mean(axis=0)),
    }


def translation_row(
    opened: Opened,
    text: str,
    target: str = "",
    part: str = "cross",
    layer: int = 0,
    head: int = 0,
    row: int = 0,
    beams: int = BEAMS,
    length_penalty: float = LENGTH_PENALTY,
) -> dict[str, Any]:
    """How one position divides its attention in one head: see `queries.row_of`; the other arguments are those of
    `translation`."""
    model, source, target_ids = _pair(opened, text, target, beams, length_penalty)
    asked, _ = _asked(opened, model, source, target_ids, part, layer)
    if asked is None:
        raise UserError("the model was trained without cross-attention: it does not see the source")
    if not (head < asked.n_head and row < len(asked.q)):
        raise UserError(f"there are {asked.n_head} heads of {len(asked.q)} rows, got head {head}, row {row}")
    return row_of(asked, head, row)


def beam(opened: Opened, text: str, beams: int = BEAMS, length_penalty: float = LENGTH_PENALTY) -> dict[str, Any]:
    """The beam search for a translation, as a tree whose root is the separator, node 0.

    Returns:
        source: {ids, pieces}.
        steps: for each step its candidates, the likeliest first {node, parent, id, piece, log_p, step_log_p, fate}:
        ln of the probability of all tokens up to this one, and of this one alone; whether it is "kept", "complete" or
        "dropped". Kept are the likeliest beginnings; the length penalty has no say before the end.
        found: the translations, the best first {text, pieces, log_p, length, divisor, score, ended, path}: its tokens
        with its end, ((5 + length) / 6)^length_penalty, log_p over that, and the nodes from the first token to the
        last.

    Raises:
        UserError: if the model does not translate, or the text is empty or too long or has an unknown character.
    """
    model, source = _source(opened, text)
    seen, found = _search(opened, model, source, beams, length_penalty)
    steps: list[list[dict[str, Any]]] = []
    paths: dict[tuple[int, ...], list[int]] = {}  # from tokens, the separator at the end too, to nodes
    kept: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    node = 0
    for candidates in seen:
        steps.append([])
        following = []
        for c in candidates:
            node += 1
            before, log_p = kept[c.beam]
            path = [*paths.get(before, []), node]
            paths[(*before, c.token)] = path
            steps[-1].append(
                {
                    "node": node,
                    "parent": path[-2] if len(path) > 1 else 0,
                    "id": c.token,
                    "piece": opened.piece(c.token),
                    "log_p": c.log_p,
                    "step_log_p": c.log_p - log_p,
                    "fate": c.fate,
                }
            )
            if c.fate == "kept":
                following.append(((*before, c.token), c.log_p))
        kept = following
    stop = opened.tokenizer.separator
    return {
        "source": _tokens(opened, source),
        "steps": steps,
        "found": [
            {
                "text": opened.tokenizer.decode(list(h.ids)).strip(),
                "pieces": [opened.piece(id_) for id_ in h.ids],
                "log_p": h.log_p,
                "length": len(h.ids) + h.ended,
                "divisor": h.log_p / h.score(length_penalty) if h.log_p else 1.0,
                "score": h.score(length_penalty),
                "ended": h.ended,
                "path": paths.get((*h.ids, stop) if h.ended else h.ids, []),
            }
            for h in found
        ],
    }


def _source(opened: Opened, text: str) -> tuple[Transformer, Ids]:
    if not isinstance(opened.model, Transformer):
        raise UserError(f"a model of the kind {opened.kind} does not translate")
    return opened.model, source_row(opened, text)


def _search(
    opened: Opened, model: Transformer, source: Ids, beams: int, length_penalty: float
) -> tuple[list[list[Candidate]], list[Hypothesis]]:
    """The candidates of each step of beam search for one source, and what it finds, the best first."""

    def search() -> tuple[list[list[Candidate]], list[Hypothesis]]:
        seen: list[list[Candidate]] = []
        (found,) = beam_search(
            model,
            torch.from_numpy(source[None]).to(device_of(model)),
            model.block_size,
            stop=opened.tokenizer.separator,
            beams=beams,
            length_penalty=length_penalty,
            watch=lambda _, candidates: seen.append(candidates),
        )
        return seen, found

    return _searches.get((weights_of(opened), *source.tolist(), beams, length_penalty), search)


def _pair(opened: Opened, text: str, target: str, beams: int, length_penalty: float) -> tuple[Transformer, Ids, Ids]:
    """The model, a source (S,), and a target (T + 1,) with the separators around it."""
    model, source = _source(opened, text)
    if target:
        ids = opened.encode(target)
    else:
        ids = np.array(_search(opened, model, source, beams, length_penalty)[1][0].ids, dtype=np.int64)
    stop = np.array([opened.tokenizer.separator])
    ids = np.concatenate([stop, ids, stop])
    if len(ids) - 1 > model.block_size:
        raise UserError(
            f"the translation has {len(ids) - 1} tokens with its end, and the model writes at most {model.block_size}"
        )
    return model, source, ids


def _asked(
    opened: Opened, model: Transformer, source: Ids, target: Ids, part: str, layer: int
) -> tuple[Asked | None, torch.Tensor]:
    """What an attention asked in the pass over a pair, None where there is none; and the logits (T, V)."""

    def run() -> tuple[dict[nn.Module, Asked], torch.Tensor]:
        with inference(model), watched(model) as found:
            logits, _ = model(*(torch.from_numpy(ids[None]).to(device_of(model)) for ids in (source, target)))
        return found, logits[0]

    if not 0 <= layer < len(model.encoder):
        raise UserError(f"the model has {len(model.encoder)} layers, from 0: there is no layer {layer}")
    found, logits = _passes.get((weights_of(opened), *source.tolist(), *target.tolist()), run)
    of: Any = model.encoder[layer] if part == "encoder" else model.decoder[layer]
    if part == "cross":
        return found[of.cross_attention] if of.crosses else None, logits
    asked = found[of.attention]
    asked.causal = part == "decoder"
    return asked, logits


def _tokens(opened: Opened, ids: Ids) -> dict[str, Any]:
    return {"ids": ids, "pieces": [opened.piece(id_) for id_ in ids]}


_SEARCH = {"beams": Parameter(int, BEAMS, 1, 20), "length_penalty": Parameter(float, LENGTH_PENALTY, 0, 5)}
_PAIR = {"text": TEXT, "target": TEXT, "part": Parameter(str, "cross", choices=PARTS), "layer": Parameter(int, 0, 0)}

VIEWS = {
    "forward/translation": View(translation, {**_PAIR, **_SEARCH}),
    "forward/translation/row": View(
        translation_row, {**_PAIR, "head": Parameter(int, 0, 0), "row": Parameter(int, 0, 0), **_SEARCH}
    ),
    "forward/beam": View(beam, {"text": TEXT, **_SEARCH}),
}
