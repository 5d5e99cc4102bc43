"""The optimizers' rules with the numbers of one cell of one parameter put in, line by line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.backend import torch
from gradus.training.optimizer import MuonWithAdamW

Array = npt.NDArray[Any]

RULES: Mapping[str, tuple[str, str]] = {
    "adamw": (
        "AdamW",
        "Each cell moves by about the learning rate, whatever the gradient's scale: its running mean over the root of "
        "the running mean of its square. Weight decay shrinks the weight itself.",
    ),
    "adam": (
        "Adam",
        "Each cell moves by about the learning rate, whatever the gradient's scale: its running mean over the root of "
        "the running mean of its square.",
    ),
    "sgd": ("SGD", "The weight goes down the slope: minus the learning rate times the gradient."),
    "muon": (
        "Muon",
        "The matrix of running means is made orthogonal, so that all its directions move by the same amount, the rare "
        "ones too; then the weight moves by the learning rate times that.",
    ),
}


@dataclass(frozen=True)
class Cell:
    """A cell of a parameter in a step: the gradient that the optimizer was given, the parameter before and after, and
    the optimizer's state before."""

    parameter: str
    place: tuple[int, ...]
    grad: Array | None
    before: Array
    after: Array
    state: Mapping[str, Any]


def rule_of(optimizer: Any, tensor: Any) -> str:
    """Which of RULES moves a parameter; nothing for one that it does not have."""
    if isinstance(optimizer, MuonWithAdamW):
        for part in optimizer.parts:
            if any(p is tensor for group in part.param_groups for p in group["params"]):
                return "muon" if isinstance(part, torch.optim.Muon) else "adamw"
        return ""
    for group in optimizer.param_groups:
        if any(p is tensor for p in group["params"]):
            return type(optimizer).__name__.lower()
    return ""


def spelled_rule(cell: Cell, optimizer: Any, tensor: Any) -> dict[str, Any] | None:
    """What moved one cell: `lines` of (name, formula, value), and the weight before and after.

    Args:
        optimizer: after its step.
        tensor: the parameter in it.
    """
    rule = rule_of(optimizer, tensor)
    group = next((g for g in optimizer.param_groups if any(p is tensor for p in g["params"])), None)
    if cell.grad is None or group is None or not rule:
        return None
    state = optimizer.state[tensor]
    spell: Mapping[str, Callable[..., Lines]]
    spell = {"adamw": partial(_adam, decoupled=True), "adam": _adam, "sgd": _sgd, "muon": _muon}
    name, said = RULES[rule]
    return {
        "parameter": cell.parameter,
        "place": list(cell.place),
        "rule": name,
        "said": said,
        "lines": [{"name": n, "formula": f, "value": v} for n, f, v in spell[rule](cell, group, state)],
        "before": float(cell.before[cell.place]),
        "after": float(cell.after[cell.place]),
    }


Lines = list[tuple[str, str, float]]


def _at(array: Any, place: tuple[int, ...]) -> float:
    return float(np.asarray(array.numpy() if hasattr(array, "numpy") else array)[place])


def _before(cell: Cell, name: str) -> float:
    return _at(cell.state[name], cell.place) if cell.state.get(name) is not None else 0.0


def _adam(cell: Cell, group: Mapping[str, Any], state: Mapping[str, Any], *, decoupled: bool = False) -> Lines:
    assert cell.grad is not None
    (beta1, beta2), lr, decay, eps = group["betas"], float(group["lr"]), float(group["weight_decay"]), group["eps"]
    w, g, t = float(cell.before[cell.place]), float(cell.grad[cell.place]), float(np.asarray(state["step"]))
    lines: Lines = [("w", "the weight before", w), ("g", "its gradient, clipped", g)]
    if decay and not decoupled:
        g += decay * w
        lines.append(("g", f"g + weight decay {decay:g} · w", g))
    m0, v0 = _before(cell, "exp_avg"), _before(cell, "exp_avg_sq")
    m, v = beta1 * m0 + (1 - beta1) * g, beta2 * v0 + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    lines += [
        ("m before", "running mean of g", m0),
        ("v before", "running mean of g²", v0),
        ("m", f"β₁ m + (1 − β₁) g, β₁ = {beta1:g}", m),
        ("v", f"β₂ v + (1 − β₂) g², β₂ = {beta2:g}", v),
        ("m̂", f"m / (1 − β₁ᵗ), t = {t:g}", m_hat),
        ("v̂", "v / (1 − β₂ᵗ)", v_hat),
        ("m̂ / (√v̂ + ε)", "the direction: about −1 to 1", m_hat / (math.sqrt(v_hat) + eps)),
        ("step", f"−lr · that, lr = {lr:.4g}", -lr * m_hat / (math.sqrt(v_hat) + eps)),
    ]
    if decay and decoupled:
        lines.append(("decay", f"−lr · weight decay {decay:g} · w", -lr * decay * w))
    after = w + sum(value for name, _, value in lines if name in ("step", "decay"))
    return [*lines, ("w after", "w + step" + (" + decay" if decay and decoupled else ""), after)]


def _sgd(cell: Cell, group: Mapping[str, Any], state: Mapping[str, Any]) -> Lines:  # noqa: ARG001
    assert cell.grad is not None
    lr, momentum, decay = float(group["lr"]), float(group["momentum"]), float(group["weight_decay"])
    w, g = float(cell.before[cell.place]), float(cell.grad[cell.place])
    lines: Lines = [("w", "the weight before", w), ("g", "its gradient, clipped", g)]
    if decay:
        g += decay * w
        lines.append(("g", f"g + weight decay {decay:g} · w", g))
    if momentum:
        b0 = _before(cell, "momentum_buffer")
        g += momentum * b0
        lines += [("b before", "running sum of g", b0), ("b", f"{momentum:g} · b + g", g)]
    lines.append(("step", f"−lr · {'b' if momentum else 'g'}, lr = {lr:.4g}", -lr * g))
    return [*lines, ("w after", "w + step", w - lr * g)]


def _muon(cell: Cell, group: Mapping[str, Any], state: Mapping[str, Any]) -> Lines:
    assert cell.grad is not None
    lr, momentum, decay = float(group["lr"]), float(group["momentum"]), float(group["weight_decay"])
    w, g = float(cell.before[cell.place]), float(cell.grad[cell.place])
    rows, columns = cell.before.shape
    ratio = math.sqrt(max(1.0, rows / columns))
    b0, b = _before(cell, "momentum_buffer"), _at(state["momentum_buffer"], cell.place)
    shrink = 1 - lr * decay
    step = float(cell.after[cell.place]) - w * shrink
    return [
        ("w", "the weight before", w),
        ("g", "its gradient, clipped", g),
        ("b before", "running mean of g", b0),
        ("b", f"b + (1 − {momentum:g})(g − b)", b),
        ("u", f"g + {momentum:g} (b − g), looking one step ahead (Nesterov)", g + momentum * (b - g)),
        ("o", "this cell of the whole matrix u, made orthogonal", -step / (lr * ratio) if lr else 0.0),
        ("step", f"−lr · {ratio:.3g} · o, lr = {lr:.4g}", step),
        ("decay", f"−lr · weight decay {decay:g} · w", -lr * decay * w),
        ("w after", "w + step + decay", w * shrink + step),
    ]
