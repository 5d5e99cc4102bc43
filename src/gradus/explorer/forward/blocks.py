"""A model as a map of named blocks: which modules work on a text, in their order, with the shapes of what they give and
their numbers of parameters. And what one of them gave. For every kind of model."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from gradus.backend import nn
from gradus.errors import UserError
from gradus.explorer.forward.passes import Floats, Pass, run
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, Parameter, View
from gradus.explorer.wire import quantised
from gradus.models import NGram

UNSEEN = (nn.Dropout, nn.Identity)  # they do nothing when a trained model is used
MOST_CELLS = 200_000  # of a block's output that are sent
BINS = 40

# By the name of a module within its parent, then by its class: what it does, in one line.
_BY_NAME = {
    "wte": "A learned vector for each token: its row of the table.",
    "embedding": "A learned vector for each token: its row of the table.",
    "wpe": "A learned vector for each position, added to the token's.",
    "positions": "A learned vector for each position, added to the token's.",
    "segments": "A learned vector for each part of the input.",
    "lm_head": "The score of every token as the next one: the product of the last vector with that token's row.",
    "c_attn": "One matrix that makes the queries, keys and values of all heads.",
    "c_fc": "Widens the vector: one number for each hidden unit.",
    "output": "From what the network found to the score of every token.",
    "ln_f": "The last normalisation of the stream, before the head.",
    "query": "Makes what each position looks for.",
    "key": "Makes what each position is found by.",
    "value": "Makes what each position hands on.",
    "inside": "Widens the vector: one number for each hidden unit.",
    "outside": "Brings the hidden units back to the width of the stream.",
    "cross_attention": "The target looks at the source.",
    "classifier": "The score of every label.",
}
_BY_CLASS = {
    "Embedding": "A table of learned vectors.",
    "Linear": "A matrix product, y = x Wᵀ (+ b).",
    "LayerNorm": "Each position's vector, shifted and scaled to mean 0 and variance 1, times a learned gain.",
    "RMSNorm": "Each position's vector, scaled so that the mean of its squares is 1.",
    "BatchNorm1d": "Each unit, shifted and scaled by the mean and variance that training saw.",
    "CausalSelfAttention": "Each position gathers from itself and those before it.",
    "Attention": "Each position gathers from itself and those before it.",
    "MultiHeadAttention": "Each position gathers from the positions that it may see.",
    "MLP": "Two matrices with an activation between, at every position by itself.",
    "FeedForward": "Two matrices with an activation between, at every position by itself.",
    "Block": "Attention, then an MLP; each adds its result to the stream.",
    "EncoderLayer": "Attention to all of the text, then a feed-forward network; each adds to the stream.",
    "DecoderLayer": "Attention to what is written, to the source, then a feed-forward network.",
    "AddAndNorm": "Adds a layer's result to the stream, with a normalisation.",
    "Tanh": "Squeezes every number between -1 and 1.",
    "Sigmoid": "Squeezes every number between 0 and 1.",
    "ReLU": "Keeps positive numbers; negative ones become 0.",
    "GELU": "Keeps large positive numbers; negative ones become nearly 0, smoothly.",
    "SiLU": "x times sigmoid(x): a smooth gate.",
    "RNN": "A state that each token changes: h' = tanh(W x + U h + b).",
    "GRU": "A state that each token changes, with gates that decide how much.",
    "LSTM": "Two states that each token changes, with gates that decide what is kept.",
    "FlattenConsecutive": "Two neighbours become one, side by side.",
    "GatedLayer": "Joins each position with one further back, through a gate.",
    "OverAllPlaces": "A normalisation of all places alike.",
    "Sequential": "One after the other.",
    "Flatten": "All vectors of the context, side by side.",
}


@dataclass
class Block:
    """A module of a model that works on a text.

    Attributes:
        name: of the module, "" for the model itself.
        label: its name within the block around it.
        kind: its class.
        says: what it does, in one line.
        shape: of what it gives; empty if that is no array.
        weights: its own parameters, each with name, shape, and the name of the block that it is shared with, or "".
        parameters: how many numbers it learned, those of the blocks in it too; what is shared counts once.
        times: how often it is used.
        layer: which of the equal blocks of a model it belongs to; -1 for none.
        children: the blocks in it, in the order in which they work.
    """

    name: str
    label: str
    kind: str
    says: str
    shape: list[int]
    weights: list[dict[str, Any]]
    parameters: int
    times: int
    layer: int
    children: list[Block] = field(default_factory=list)


def blocks(opened: Opened, text: str, target: str = "") -> dict[str, Any]:
    """The map of a model at work on a text.

    Returns:
        root: a `Block`, as a dict.
        parameters: all of them; of a model that counts, its counts.
        tokens: T, how many the model reads.
        bytes: of memory that the parameters take.
    """
    seen, model = run(opened, text, target), opened.model
    owner: dict[int, str] = {}
    root = _block(model, "", "", -1, seen, owner)
    root.says = _first_sentence(model)
    stored = [*model.parameters(), *(buffer for _, buffer in model.named_buffers())]
    return {
        "root": asdict(root),
        "parameters": model.num_parameters(),
        "tokens": len(seen.ids),
        "bytes": sum(tensor.numel() * tensor.element_size() for tensor in stored),
    }


def block_output(opened: Opened, text: str, name: str, target: str = "") -> dict[str, Any]:
    """What one block gave for a text.

    Args:
        name: of the block, as in the map.

    Returns:
        name, kind, shape.
        rows: its numbers as a table (rows, units), in 8 bits: rows are positions where it works on positions. Of very
            wide ones the first units.
        mean, std, low, high: of all its numbers.
        counts, edges: a histogram of them.
        norms: (rows,) the length of each row's vector.

    Raises:
        UserError: if there is no such block, or it gives no array.
    """
    seen = run(opened, text, target)
    if name not in seen.order or not seen.has(name):
        raise UserError(f"no block {name[:80]!r} gives an array here")
    whole: Floats = seen.output(name)
    table = whole.reshape(-1, whole.shape[-1]) if whole.ndim else whole.reshape(1, 1)
    finite = table[np.isfinite(table)].astype(np.float64)
    counts, edges = np.histogram(finite, bins=BINS) if finite.size else (np.zeros(0), np.zeros(0))
    return {
        "name": name,
        "kind": type(dict(opened.model.named_modules())[name]).__name__,
        "shape": list(whole.shape),
        "rows": quantised(table[:, : max(1, MOST_CELLS // max(1, len(table)))]),
        "mean": float(finite.mean()) if finite.size else float("nan"),
        "std": float(finite.std()) if finite.size else float("nan"),
        "low": float(finite.min()) if finite.size else float("nan"),
        "high": float(finite.max()) if finite.size else float("nan"),
        "counts": counts,
        "edges": edges,
        "norms": np.sqrt((table.astype(np.float64) ** 2).sum(axis=1)),
    }


def _block(module: nn.Module, name: str, label: str, layer: int, seen: Pass, owner: dict[int, str]) -> Block:
    weights = [_weight(name, own, parameter, owner) for own, parameter in module.named_parameters(recurse=False)]
    children = [
        _block(child, path, short, of, seen, owner) for child, path, short, of in _at_work(module, name, seen, layer)
    ]
    own = sum(int(np.prod(weight["shape"])) for weight in weights if not weight["shared"])
    if isinstance(module, NGram):
        own = module.num_parameters()  # its counts
    kind = type(module).__name__
    return Block(
        name=name,
        label=label,
        kind=kind,
        says=_BY_NAME.get(label, _BY_CLASS.get(kind, _first_sentence(module))),
        shape=list(seen.shape(name)),
        weights=weights,
        parameters=own + sum(child.parameters for child in children),
        times=seen.times.get(name, 1),
        layer=layer,
        children=children,
    )


def _at_work(module: nn.Module, name: str, seen: Pass, layer: int) -> list[tuple[nn.Module, str, str, int]]:
    """The modules within one that have work to do, in the order in which they begin; a list or a dict of modules, which
    does nothing itself, is replaced by what is in it."""
    found = []
    for short, child in module.named_children():
        path = f"{name}.{short}" if name else short
        if isinstance(child, nn.ModuleDict | nn.ModuleList):
            inner = _at_work(child, path, seen, layer)
            numbered = isinstance(child, nn.ModuleList) and layer < 0
            found += [
                (each, at, f"{short}.{own}" if isinstance(child, nn.ModuleList) else own, i if numbered else of)
                for i, (each, at, own, of) in enumerate(inner)
            ]
        elif not isinstance(child, UNSEEN):
            found.append((child, path, short, layer))
    order, last, begins = {at: i for i, at in enumerate(seen.order)}, -1, {}
    for _, at, _, _ in found:  # one whose weight is used without calling it stays behind the one before
        begins[at] = last = order.get(at, last)
    return sorted(found, key=lambda one: begins[one[1]])


def _weight(block: str, own: str, parameter: Any, owner: dict[int, str]) -> dict[str, Any]:
    first = owner.setdefault(id(parameter), f"{block}.{own}")
    return {"name": own, "shape": list(parameter.shape), "shared": "" if first == f"{block}.{own}" else first}


def _first_sentence(module: nn.Module) -> str:
    """Of the docstring of a class of ours."""
    if not type(module).__module__.startswith("gradus.models"):
        return ""
    paragraph = (inspect.getdoc(type(module)) or "").split("\n\n")[0]
    return " ".join(paragraph.split())


VIEWS = {
    "forward/map": View(blocks, {"text": TEXT, "target": TEXT}),
    "forward/block": View(block_output, {"text": TEXT, "target": TEXT, "name": Parameter(str, "", high=200)}),
}
