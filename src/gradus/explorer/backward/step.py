"""One training step of a run's model, operation by operation: the whole walk as a list that a page can show, blocks
first, and one operation with its matrices and one cell of its gradient spelled out."""

from __future__ import annotations

import inspect
import re
import textwrap
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from gradus.errors import UserError
from gradus.explorer.backward.batch import batch_of, tokens_of
from gradus.explorer.backward.matrices import Names
from gradus.explorer.backward.rules import SAID, spell
from gradus.explorer.backward.spelled import Spelled, matrix
from gradus.explorer.backward.walk import Arrival, Operation, Walked, backward_walk, norm, require_gradients
from gradus.explorer.opened import Opened

MOST_TERMS = 8  # of a sum that are written out

_lock = Lock()
_last: WeakKeyDictionary[Opened, tuple[tuple[Any, ...], Walked]] = WeakKeyDictionary()


def walked(opened: Opened, text: str = "", target: str = "", source: str = "text", number: int = -1) -> Walked:
    """The backward walk of a step; the last one of each run is kept, since the page asks for its operations one by
    one."""
    require_gradients(opened.model)
    asked = (text, target, source, number)
    with _lock:
        kept = _last.get(opened)
        if kept is None or kept[0] != asked:
            _last.pop(opened, None)
            kept = asked, backward_walk(opened.model, batch_of(opened, text, target, source, number), _frozen(opened))
            _last[opened] = kept
        return kept[1]


def _frozen(opened: Opened) -> str:
    """The parts that the run's training kept as they are; none where it was by LoRA, whose matrices are merged here."""
    settings = {} if opened.folder is None else opened.folder.settings()
    return "" if settings.get("lora_rank") else str(settings.get("freeze", ""))


def backward_step(
    opened: Opened, text: str = "", target: str = "", source: str = "text", number: int = -1
) -> dict[str, Any]:
    """A training step up to its gradients: every operation in the order of the walk.

    Args:
        text, target, source, number: as `batch_of` takes them.

    Returns:
        loss (nats), targets (how many the loss is the mean of), said (what the step is taken on), rows (tokens read and
        asked); `groups`: the calls of modules, with the norm of the gradient that came in and of what they hand on;
        `operations`: name, formula, group, line of code, shape, norm of the incoming gradient, arrivals (whose sum it
        is), handed (to which operation or parameter, shape, norm), kept (bytes); `parameters`: shape, norm of the
        gradient, and the uses that it is the sum of.

    Raises:
        UserError: for a text that the model cannot learn from, and a model without a backward pass.
    """
    step = walked(opened, text, target, source, number)
    model, batch = step.model, step.batch
    names = [function_name(operation) for operation in step.operations]
    parameters = dict(model.named_parameters())
    called: dict[int, list[str]] = {}  # of a parameter that two modules share, both names
    for name, parameter in model.named_parameters(remove_duplicate=False):
        called.setdefault(id(parameter), []).append(name)
    return {
        "loss": step.loss,
        "targets": int(model.scored(batch.y)),
        "said": batch.said,
        "rows": tokens_of(opened, batch),
        "groups": _groups(step),
        "operations": [
            {
                "name": name,
                "formula": formula_of(operation),
                "group": operation.call,
                "line": None if operation.line is None else vars(operation.line),
                "shapes": [list(part.shape) for part in parts_of(operation.dy)],
                "norm": norm(operation.dy),
                "arrivals": [{"operation": a.giver, "norm": a.norm} for a in operation.arrivals],
                "handed": [_handed(operation, a) for a in operation.handed],
                "kept": sum(size for _, _, size in kept_by(operation, parameters)),
            }
            for name, operation in zip(names, step.operations, strict=True)
        ],
        "parameters": [
            {
                "name": name,
                "shape": list(parameter.shape),
                "norm": norm(step.grads[name]) if name in step.grads else 0.0,
                "uses": [{"operation": a.giver, "norm": a.norm} for a in step.uses.get(name, [])],
                "also": called[id(parameter)][1:],
            }
            for name, parameter in parameters.items()
        ],
    }


def backward_operation(
    opened: Opened,
    text: str = "",
    target: str = "",
    source: str = "text",
    number: int = -1,
    operation: int = 0,
    input: int = 0,
    row: int = -1,
    column: int = -1,
) -> dict[str, Any]:
    """One operation of a step: its matrices, the code that computes its gradient, and one cell spelled out.

    Args:
        operation: its number in the walk, 0 for the loss.
        input: which of the gradients that it hands on.
        row, column: the cell; -1 for where the gradient is largest; beyond the last, the last.

    Returns:
        name, formula, said (what this gradient is), code (of its backward), kept (what it kept for it), causal (whether
        a position attends to none after it), `matrices`
        (title, shape as rows and columns, a window of the values in 16 bits with its first row and column, names of
        rows and columns where they are tokens, the marked row and column), and `cell`: the formula, its terms or
        lines, and the total beside the engine's own number.

    Raises:
        UserError: if there is no such operation or input.
    """
    step = walked(opened, text, target, source, number)
    if not 0 <= operation < len(step.operations):
        raise UserError(f"operation must be between 0 and {len(step.operations) - 1}, got {operation}")
    chosen = step.operations[operation]
    if not 0 <= input < len(chosen.handed):
        raise UserError(f"input must be between 0 and {len(chosen.handed) - 1}, got {input}")
    arrival = chosen.handed[input]
    gradient = matrix(chosen.gradients()[arrival.position])
    if row < 0 or column < 0:
        row, column = (int(i) for i in np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape))
    row, column = min(row, gradient.shape[0] - 1), min(column, gradient.shape[1] - 1)
    spelled = spell(chosen.node, chosen.dy, arrival.position, row, column)
    names = Names(opened, step, operation)
    shown = dict(spelled.shown) if spelled is not None else {}
    if "dy" not in shown and not isinstance(chosen.dy, list):
        shown = {"dy": ("incoming gradient", matrix(chosen.dy), None, None), **shown}
    elif isinstance(chosen.dy, list):
        parts = {
            f"dy{i}": (f"incoming gradient {i + 1}", matrix(part), None, None)
            for i, part in enumerate(parts_of(chosen.dy))
        }
        shown = {**parts, **shown}
    result_title = "gradient handed on" if not arrival.parameter else f"gradient of {arrival.parameter}"
    if arrival.parameter and len(step.uses[arrival.parameter]) > 1:
        result_title += f": the part of this use, one of {len(step.uses[arrival.parameter])}"
    shown["result"] = (result_title, gradient, row, column)
    name = type(chosen.node).__name__
    return {
        "operation": operation,
        "input": input,
        "row": row,
        "column": column,
        "name": function_name(chosen),
        "formula": formula_of(chosen),
        "said": spelled.what if spelled is not None else SAID.get(name, ""),
        "code": code_of(chosen),
        "causal": bool(getattr(chosen.node, "causal", False)),
        "kept": [
            {"name": kept_name, "shape": list(shape), "bytes": size}
            for kept_name, shape, size in kept_by(chosen, dict(step.model.named_parameters()))
        ],
        "matrices": [
            {"key": key, **names.window(key, title, array, at_row, at_column, arrival)}
            for key, (title, array, at_row, at_column) in shown.items()
        ],
        "cell": None if spelled is None else _cell(spelled, float(gradient[row, column])),
        "value": float(gradient[row, column]),
    }


def _cell(spelled: Spelled, engine: float) -> dict[str, Any]:
    """The largest terms, in their order, and what the others come to."""
    terms = list(spelled.terms)

    def product(term: tuple[str, float, float | None]) -> float:
        return term[1] * (1.0 if term[2] is None else term[2])

    some = [i for i, term in enumerate(terms) if product(term)] or list(range(len(terms)))
    largest = sorted(some, key=lambda i: -abs(product(terms[i])))[:MOST_TERMS]
    return {
        "formula": spelled.formula,
        "summed": spelled.summed,
        "terms": [
            {"label": terms[i][0], "a": terms[i][1], "b": terms[i][2], "product": product(terms[i])}
            for i in sorted(largest)
        ],
        "others": len(terms) - len(largest),
        "others_sum": sum(product(term) for i, term in enumerate(terms) if i not in largest),
        "factor": spelled.factor,
        "lines": [{"label": label, "value": value} for label, value in spelled.lines],
        "total": spelled.total,
        "engine": engine,
    }


def _groups(step: Walked) -> list[dict[str, Any]]:
    """Each call of a module that an operation belongs to: where its operations are in the walk, and what goes in and
    out."""
    inside: list[list[int]] = [[] for _ in step.calls]
    for i, operation in enumerate(step.operations):
        around = operation.call
        while around >= 0:
            inside[around].append(i)
            around = step.calls[around].parent
    groups = []
    for call, members, leaving in zip(step.calls, inside, step.leaving, strict=True):
        used = {a.parameter for i in members for a in step.operations[i].handed if a.parameter}
        groups.append(
            {
                "name": call.name,
                "kind": call.kind,
                "parent": call.parent,
                "first": members[0] if members else -1,
                "count": len(members),
                "norm": norm(step.operations[members[0]].dy) if members else 0.0,
                "leaving": leaving,
                "parameters": float(np.sqrt(sum(norm(step.grads[name]) ** 2 for name in used))) if used else None,
            }
        )
    return groups


def _handed(operation: Operation, arrival: Arrival) -> dict[str, Any]:
    return {
        "name": input_names(operation)[arrival.position],
        "operation": arrival.operation,
        "parameter": arrival.parameter,
        "position": arrival.position,
        "shape": list(arrival.shape),
        "norm": arrival.norm,
    }


def parts_of(dy: Any) -> list[Any]:
    """The gradients of the results of an operation: of one, or of several of which some have none."""
    return [part for part in dy if part is not None] if isinstance(dy, list) else [dy]


def function_name(operation: Operation) -> str:
    """As PyTorch calls the function: CrossEntropy -> cross_entropy."""
    name = type(operation.node).__name__
    known = {"Attention": "scaled_dot_product_attention", "Mm": "matmul", "MatMul": "matmul", "NllLoss": "nll_loss"}
    known |= {"LSTM": "lstm", "GRU": "gru", "RNN": "rnn", "RMSNorm": "rms_norm", "Contiguous": "contiguous"}
    return known.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def formula_of(operation: Operation) -> str:
    """What the engine's own docstring says of an operation and its derivative."""
    doc = inspect.cleandoc(type(operation.node).__doc__ or "")
    return re.sub(r" {3,}", "\n", doc.replace("     (", " ("))


def input_names(operation: Operation) -> list[str]:
    """What the engine calls the inputs of an operation: x, weight, bias; of several of one kind, x0, x1 ..."""
    names: list[str] = []
    for parameter in list(inspect.signature(type(operation.node).forward).parameters.values())[1:]:
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return [*names, *(f"{parameter.name[0]}{i}" for i in range(len(operation.node.edges) - len(names)))]
        names.append(parameter.name)
    return names


def code_of(operation: Operation) -> str:
    """The engine's code of an operation's backward."""
    return textwrap.dedent(inspect.getsource(type(operation.node).backward)).strip()


def kept_by(operation: Operation, parameters: dict[str, Any]) -> list[tuple[str, tuple[int, ...], int]]:
    """The arrays that an operation kept for its backward: name, shape, and bytes; a parameter costs none."""
    owned = {id(parameter._array): name for name, parameter in parameters.items()}
    found = []
    for name, value in vars(operation.node).items():
        if isinstance(value, np.ndarray):
            parameter = owned.get(id(value))
            found.append((parameter or name, value.shape, 0 if parameter else value.nbytes))
    return found
