"""Inside the models that read a window of tokens at once, NPLM and MLP: the embeddings of the context, the hidden
layers before and after normalisation and activation, and the sum that is the logit of a next token."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.explorer.forward.cell import quoted
from gradus.explorer.forward.context import context_of, pieces_of, softmax
from gradus.explorer.forward.formula import Line, explained, part, sum_of
from gradus.explorer.forward.passes import Floats, Pass, run
from gradus.explorer.forward.plane import points_of
from gradus.explorer.forward.stack import position_of
from gradus.explorer.opened import Opened
from gradus.models import MLP, NPLM
from gradus.models.inside import where_flat


@dataclass(frozen=True)
class Stage:
    """A linear layer with what follows it."""

    linear: nn.Linear
    norm: nn.Module | None = None
    activation: nn.Module | None = None


def stages(model: NPLM | MLP) -> list[Stage]:
    """The hidden layers and, last, the output layer."""
    if isinstance(model, NPLM):
        hidden = [] if model.hidden is None else [Stage(model.hidden, None, model.tanh)]
        return [*hidden, Stage(model.output)]
    found: list[Stage] = []
    for module in [*model.hidden, *model.output]:
        if isinstance(module, nn.Linear):
            found.append(Stage(module))
        elif type(module) in (nn.Tanh, nn.ReLU, nn.GELU):
            found[-1] = Stage(found[-1].linear, found[-1].norm, module)
        else:
            found[-1] = Stage(found[-1].linear, module)
    return found


def window(
    opened: Opened,
    text: str,
    token: int = -1,
    layer: int | None = None,
    unit: int | None = None,
    following: int | None = None,
) -> dict[str, Any]:
    """What an NPLM or MLP computes at one position of a text.

    Args:
        token: the position in the row; -1 is the last.
        layer, unit: the hidden unit that is explained; None takes the last layer, and there the unit that adds most
            to the logit, up or down.
        following: the next token whose logit is explained; None takes the most likely one.

    Returns:
        position; context, its ids, pieces, points (n, 2) in the plane and places in the row, negative before its
        beginning; layers, each with units, sums (H,), normed (H,) if there is a normalisation, values (H,) and flat
        (H,), where the activation is saturated; unit, the sum of one; logit, the sum of one logit.
    """
    model = opened.model
    if not isinstance(model, (NPLM, MLP)):
        raise UserError(f"{opened.name} reads no window through hidden layers; it is of the kind {opened.kind}")
    seen = run(opened, text)
    position = position_of(seen, token)
    ids = context_of(seen.ids, position, model.context)
    names = {id(module): name for name, module in model.named_modules()}
    found = [_Found.of(stage, seen, names, position) for stage in stages(model)]
    embedded = seen.output("wte").reshape(len(seen.ids), model.context, -1)[position]  # (n, E)
    p = softmax(seen.logits[position])
    chosen = int(p.argmax()) if following is None else following
    if not 0 <= chosen < len(p):
        raise UserError(f"the next token must be 0 to {len(p) - 1}, got {chosen}")
    logit = _logit(model, found, embedded, chosen)
    about: dict[str, Any] = {
        "position": position,
        "context": {
            "ids": ids,
            "pieces": pieces_of(opened, ids),
            "places": [position - model.context + 1 + i for i in range(model.context)],
            "points": points_of(opened)[0][ids],
            "embeddings": embedded,
        },
        "layers": [layer.told() for layer in found[:-1]],
        "logit": {**logit, "following": chosen, "piece": opened.piece(chosen), "p": float(p[chosen])},
        "unit": None,
    }
    if len(found) > 1:
        which = len(found) - 2 if layer is None or not 0 <= layer < len(found) - 1 else layer
        if unit is None or not 0 <= unit < len(found[which].sums):
            unit = int(np.abs(logit["from_hidden"]).argmax()) if which == len(found) - 2 else 0
        inputs = embedded if which == 0 else found[which - 1].values
        explained_unit = {"layer": which, "unit": unit, **_sum(found[which], inputs, unit)}
        about["unit"] = explained_unit | {"why": _why_unit(explained_unit, about["context"]["pieces"])}
    about["logit"]["why"] = _why_logit(about["logit"], about["context"]["pieces"])
    return about


def norm_line(norm: dict[str, Any], before: str, after: str) -> Line:
    """The line of a formula in which a normalisation shifts and scales a sum."""
    line: Line = [part(after, norm["value"], "normalised"), "=", "(", part(before, norm["sum"])]
    if norm["name"] != "RMSNorm":
        line += ["−", part("mean", norm["mean"], f"over {norm['over']}")]
    spread = part("spread", norm["spread"], f"the root of variance + ε, over {norm['over']}")
    line += [")", "/", spread, "×", part("gain", norm["gain"], "learned")]
    return line if norm["name"] == "RMSNorm" else [*line, "+", part("shift", norm["shift"], "learned")]


def _why_unit(unit: dict[str, Any], pieces: list[str]) -> dict[str, Any]:
    inside = "b" if "norm" in unit else "a"
    lines: list[Line] = [
        [part("unit", unit["value"], "its activation"), "=", part(f"{unit['activation']}({inside})", unit["value"])]
    ]
    if "norm" in unit:
        lines.append(norm_line(unit["norm"], "a", "b"))
    lines.append([part("a", unit["sum"], "before"), "=", part("Σ", float(unit["parts"].sum()), "from its inputs")])
    if unit["has_bias"]:
        lines[-1] += ["+", part("bias", unit["bias"])]
    labels = _places(pieces) if unit["of_embeddings"] else _units(len(unit["parts"]))
    caption = "What each token of the context adds" if unit["of_embeddings"] else "What the units below add most"
    says = "It weighs its inputs, adds them, and squeezes the sum."
    if unit["flat"]:
        says += " Here it is saturated: where its curve is flat, hardly any gradient passes."
    title = f"Unit {unit['unit']} of hidden layer {unit['layer']}"
    return explained(title, says, *lines, terms=sum_of(caption, labels, {"adds": unit["parts"]}, total="Σ"))


def _why_logit(logit: dict[str, Any], pieces: list[str]) -> dict[str, Any]:
    line: Line = [part("sum" if "norm" in logit else "logit", logit["sum"], "the score"), "="]
    if len(logit["from_hidden"]):
        line.append(part("Σ hidden", logit["hidden_sum"], "from the hidden units"))
    if "direct" in logit:
        line += [*(["+"] if len(line) > 2 else []), part("Σ direct", logit["direct_sum"], "straight from the tokens")]
    line += ["+", part("bias", logit["bias"], "what the token has anywhere")]
    lines = [line]
    if "norm" in logit:
        lines = [[part("logit", logit["logit"], "the score"), *norm_line(logit["norm"], "sum", "")[1:]], line]
    labels, adds = _units(len(logit["from_hidden"])), logit["from_hidden"]
    if "direct" in logit:
        labels, adds = [*labels, *(f"{p}, direct" for p in _places(pieces))], np.concatenate([adds, logit["direct"]])
    return explained(
        f"Logit of {quoted(logit['piece'])}",
        "The score of this token as the next one: what speaks for it, less what speaks against it.",
        *lines,
        terms=sum_of("What speaks for and against it most", labels, {"adds": adds}, total="Σ"),
    )


def _places(pieces: list[str]) -> list[str]:
    return [f"{i + 1}. {quoted(piece)}" for i, piece in enumerate(pieces)]


def _units(n: int) -> list[str]:
    return [f"unit {i}" for i in range(n)]


@dataclass(frozen=True)
class _Found:
    """A stage with what it computed of one window."""

    stage: Stage
    sums: Floats  # (H,) what the linear layer gives
    normed: Floats | None  # (H,)
    values: Floats  # (H,) the stage's output
    flat: NDArray[np.bool_] | None  # (H,) where the activation is saturated

    @classmethod
    def of(cls, stage: Stage, seen: Pass, names: Mapping[int, str], position: int) -> _Found:
        """What the pass has of a stage at one position."""
        given = [None if m is None else seen.output(names[id(m)])[position] for m in vars(stage).values()]
        sums, normed, values = given
        assert sums is not None
        before = sums if normed is None else normed
        if stage.activation is None or values is None:
            return cls(stage, sums, normed, before, None)
        x, y = torch.from_numpy(before), torch.from_numpy(values)
        return cls(stage, sums, normed, values, where_flat(type(stage.activation)(), x, y))

    def told(self) -> dict[str, Any]:
        assert self.flat is not None
        about = {
            "units": len(self.sums),
            "activation": type(self.stage.activation).__name__,
            "norm": None if self.stage.norm is None else type(self.stage.norm).__name__,
            "sums": self.sums,
            "values": self.values,
            "flat": self.flat,
            "saturated": int(self.flat.sum()),
        }
        return about if self.normed is None else about | {"normed": self.normed}


def _sum(found: _Found, inputs: Floats, unit: int) -> dict[str, Any]:
    """How one unit of a stage comes about from its inputs: (n, E), of which each row is summed, or (H,)."""
    linear = found.stage.linear
    weights = linear.weight[unit].detach().cpu().numpy()
    parts = weights.reshape(inputs.shape) * inputs
    about: dict[str, Any] = {
        "parts": parts.sum(axis=1) if parts.ndim == 2 else parts,
        "of_embeddings": parts.ndim == 2,
        "bias": 0.0 if linear.bias is None else float(linear.bias[unit].item()),
        "has_bias": linear.bias is not None,
        "sum": float(found.sums[unit]),
        "value": float(found.values[unit]),
    }
    if found.flat is not None:
        about |= {"flat": bool(found.flat[unit]), "activation": type(found.stage.activation).__name__}
    if found.stage.norm is not None and found.normed is not None:
        about["norm"] = {**normalised(found.stage.norm, found.sums, unit), "value": float(found.normed[unit])}
    return about


def normalised(norm: nn.Module, sums: Floats, unit: int) -> dict[str, Any]:
    """The numbers of (sum - mean) / sqrt(variance + eps) * gain + shift for one unit."""
    x, over = sums.astype(np.float64), "this example's units"
    if isinstance(norm, nn.BatchNorm1d):
        assert norm.running_mean is not None
        assert norm.running_var is not None
        mean, variance = float(norm.running_mean[unit].item()), float(norm.running_var[unit].item())
        over = "about the last hundred batches of training"
    elif isinstance(norm, nn.RMSNorm):
        mean, variance = 0.0, float((x**2).mean())
    else:
        groups = norm.num_groups if isinstance(norm, nn.GroupNorm) else 1
        own = x.reshape(groups, -1)[unit * groups // len(x)]
        mean, variance = float(own.mean()), float(own.var())
        over = over if groups == 1 else f"the {len(own)} units of its group"
    eps = float(torch.finfo(torch.float32).eps if norm.eps is None else norm.eps)
    gain: Any = norm.weight
    shift: Any = getattr(norm, "bias", None)
    return {
        "name": type(norm).__name__,
        "over": over,
        "mean": mean,
        "variance": variance,
        "eps": eps,
        "spread": math.sqrt(variance + eps),
        "gain": float(gain[unit].item()),
        "shift": 0.0 if shift is None else float(shift[unit].item()),
        "sum": float(sums[unit]),
    }


def _logit(model: NPLM | MLP, found: list[_Found], embedded: Floats, chosen: int) -> dict[str, Any]:
    """The sum that is one logit: a number from every hidden unit and, with direct connections, every context token."""
    output = found[-1]
    weights = output.stage.linear.weight[chosen].detach().cpu().numpy()
    hidden = found[-2].values if len(found) > 1 else np.zeros(0, dtype=np.float32)
    from_hidden = weights[: len(hidden)] * hidden
    bias = output.stage.linear.bias
    about: dict[str, Any] = {
        "from_hidden": from_hidden,
        "hidden_sum": float(from_hidden.sum(dtype=np.float64)),
        "bias": 0.0 if bias is None else float(bias[chosen].item()),
        "sum": float(output.sums[chosen]),
        "logit": float(output.values[chosen]),
    }
    if isinstance(model, NPLM) and model.direct:
        direct = (weights[len(hidden) :].reshape(embedded.shape) * embedded).sum(axis=1)
        about |= {"direct": direct, "direct_sum": float(direct.sum(dtype=np.float64))}
    if output.stage.norm is not None:
        about["norm"] = {**normalised(output.stage.norm, output.sums, chosen), "value": float(output.values[chosen])}
    return about
