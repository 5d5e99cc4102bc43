"""The bigram's table of probabilities beside the counts of its training text. The network sees what a count of pairs
sees, so count(a, b) / count(a) is the lowest loss that it can reach, and its probabilities should equal that."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from gradus.errors import UserError
from gradus.explorer.forward.cell import quoted
from gradus.explorer.forward.context import softmax
from gradus.explorer.forward.formula import Line, explained, part
from gradus.explorer.forward.passes import run
from gradus.explorer.forward.stack import position_of
from gradus.explorer.opened import Opened
from gradus.models import Bigram
from gradus.models.base import NOT_SCORED
from gradus.training import reopen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 100  # tokens in the table; of a larger vocabulary, those that are most frequent in the text
MOST_COUNTED = 4096  # tokens of a vocabulary whose pairs are counted: 128 MB
_counted: WeakKeyDictionary[Opened, tuple[Ints | None, str]] = WeakKeyDictionary()


def probabilities(model: Bigram) -> Floats:
    """(V, V) p(column | row): the softmax of each row of table + bias."""
    return softmax((model.table.weight + model.bias).detach().cpu().numpy())


def pair_counts(opened: Opened) -> tuple[Ints | None, str]:
    """(V, V) how often the column followed the row in the run's training text; None, and why, if it is not there."""
    if opened not in _counted:
        _counted[opened] = _count(opened)
    return _counted[opened]


def table(opened: Opened) -> dict[str, Any]:
    """The whole table, once for a run.

    Returns:
        ids and pieces of the M tokens shown; p (M, M) and, where the training text is there, counts (M, M), expected
        (M, M) = count(row, column) / count(row), NaN where the row was never seen; the loss of both on that text, in
        nats: no bigram can have a lower one than the counts; or else `missing`, why it is not.
    """
    model = _bigram(opened)
    p, (counts, missing) = probabilities(model), pair_counts(opened)
    V = len(p)
    often = np.arange(V) if counts is None else np.argsort(-counts.sum(axis=1), kind="stable")
    shown = np.sort(often[:MOST])
    about: dict[str, Any] = {
        "vocab_size": V,
        "ids": shown,
        "pieces": [opened.piece(id_) for id_ in shown],
        "p": p[np.ix_(shown, shown)],
        "missing": missing,
    }
    if counts is None:
        return about
    whole = counts.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = counts / whole
        lowest = -np.nansum(counts * np.log(expected))
    return about | {
        "counts": counts[np.ix_(shown, shown)],
        "expected": expected[np.ix_(shown, shown)],
        "pairs": int(counts.sum()),
        "loss": float(-(counts * np.log(p)).sum() / counts.sum()),
        "lowest_loss": float(lowest / counts.sum()),
    }


def cell(
    opened: Opened, text: str, token: int = -1, row: int | None = None, column: int | None = None
) -> dict[str, Any]:
    """One cell with all its numbers: the logit, the sum that it is divided by, the counts.

    Args:
        token: a position of the text, whose token is the row; -1 is the last.
        row, column: tokens; None takes that row, and in it the likeliest column.
    """
    model = _bigram(opened)
    V = model.config.vocab_size
    if row is None:
        seen = run(opened, text)
        row = int(seen.ids[position_of(seen, token)])
    if row < V and column is None:
        column = int((model.table.weight[row] + model.bias).argmax().item())
    column = 0 if column is None else column
    if max(row, column) >= V:
        raise UserError(f"a token of this bigram is 0 to {V - 1}, got row {row} and column {column}")
    weight, bias = float(model.table.weight[row, column].item()), float(model.bias[column].item())
    logits = (model.table.weight[row] + model.bias).detach().cpu().numpy().astype(np.float64)
    counts, _ = pair_counts(opened)
    about: dict[str, Any] = {
        "row": row,
        "column": column,
        "row_piece": opened.piece(row),
        "column_piece": opened.piece(column),
        "weight": weight,
        "bias": bias,
        "logit": weight + bias,
        "exp": float(np.exp(weight + bias)),
        "exp_sum": float(np.exp(logits).sum()),
        "p": float(np.exp(weight + bias) / np.exp(logits).sum()),
    }
    lines: list[Line] = [
        [
            part("p", about["p"], "the network's probability"), "=",
            part("exp(logit)", about["exp"]), "/",
            part("Σ exp(logit)", about["exp_sum"], f"the same of all {V:,} tokens, summed"),
        ],
        [
            part("logit", about["logit"]), "=", part("W", weight, "the table's cell"), "+",
            part("b", bias, "what all rows share"),
        ],
    ]  # fmt: skip
    if counts is not None:
        count, total = int(counts[row, column]), int(counts[row].sum())
        about |= {"count": count, "total": total, "expected": count / total if total else float("nan")}
        lines.append(
            [
                part("p counted", about["expected"], "what it should be"), "=", part("count", count, "this pair"), "/",
                part("total", total, "all pairs that begin so"),
            ]
        )  # fmt: skip
    pair = f"{quoted(about['column_piece'])} after {quoted(about['row_piece'])}"
    says = f"How likely {pair} is: the network's number, and below it what counting the training text gives."
    return about | {"why": explained(f"p of {pair}", says, *lines)}


def _count(opened: Opened) -> tuple[Ints | None, str]:
    if opened.folder is None:
        return None, "this model has no training text here"
    V = opened.tokenizer.vocab_size
    if V > MOST_COUNTED:
        return None, f"a table of {V:,} by {V:,} counts is too large to be counted here"
    try:
        rows = reopen(opened.folder).rows("train")
    except UserError as error:
        return None, str(error)
    counts = np.zeros(V * V, dtype=np.int64)
    for x, y in rows.batches(256):
        scored = y != NOT_SCORED
        counts += np.bincount(x[scored] * V + y[scored], minlength=V * V)
    return counts.reshape(V, V), ""


def _bigram(opened: Opened) -> Bigram:
    model = opened.model
    if not isinstance(model, Bigram):
        raise UserError(f"{opened.name} is no bigram but of the kind {opened.kind}")
    return model
