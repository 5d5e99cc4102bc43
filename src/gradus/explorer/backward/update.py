"""What follows the gradients in a training step: clipping, the learning rate, the optimizer's own rule with its state,
how far each parameter moves, and how much that changes what the model says. All on a copy: the run stays as it is."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.backend import nn, torch
from gradus.explorer.backward.rule_steps import Cell, rule_of, spelled_rule
from gradus.explorer.backward.step import walked
from gradus.explorer.backward.walk import Walked, norm
from gradus.explorer.forward.context import softmax
from gradus.explorer.opened import Opened
from gradus.models import NOT_SCORED, Encoder, Transformer
from gradus.training import TrainConfig, progress_of, settings_of
from gradus.training.checkpoint import CARRIED, load_optimizer_state, unpack
from gradus.training.optimizer import build_optimizer, set_learning_rate
from gradus.training.run import OPTIMIZER
from gradus.training.settings import build
from gradus.training.state import Progress, spent

MOST_POSITIONS = 64  # whose probabilities are compared
TOP = 8  # tokens, of one position

Array = npt.NDArray[Any]


def backward_update(
    opened: Opened,
    text: str = "",
    target: str = "",
    source: str = "text",
    number: int = -1,
    learning_rate: float = 0.0,
    steps: int = 1,
    parameter: str = "",
    position: int = -1,
) -> dict[str, Any]:
    """The update of a training step, and what it does to the model's predictions.

    Args:
        text, target, source, number: what the step is taken on, as `batch_of` takes them.
        learning_rate: 0 for the run's own at this point of its schedule.
        steps: how many steps are taken in all, each on the same text, to see where they lead; what is told of
            gradients and parameters is of the first.
        parameter: of which one cell's update is spelled out; empty for the one with the largest gradient.
        position: of which scored position the probabilities are told, -1 for the last.

    Returns:
        `norm` of all gradients together, `clip` (the largest allowed, 0 for none), `factor` (what they were multiplied
        by); `learning_rate`, `peak`, `step`, `done` (the part of the budget that is spent), `said` (whose moments);
        `optimizer`; `parameters`: rule, shape, gradient (norm), size (norm), change (norm), ratio (std(ΔW) / std(W),
        None where W has no spread); `cell`: the rule with the numbers of one cell, the one that moves most;
        `losses`: before, and after each step; `predicted`: the change of the loss that the gradient foretells for the
        first step, Σ g ΔW; `positions`: the target, its probability before the first step and after the last; `top`: of
        one position.
    """
    step = walked(opened, text, target, source, number)
    config, progress, state = run_of(opened)
    model = copy.deepcopy(step.model)
    for name, tensor in model.named_parameters():
        tensor.grad = torch.from_numpy(np.array(step.grads[name])) if name in step.grads else None
    optimizer = build_optimizer(model, config)
    said = _load(optimizer, state, opened)
    lr = _set_rate(optimizer, config, progress, learning_rate)
    named = dict(model.named_parameters())
    chosen = parameter if parameter in step.grads else max(step.grads, key=lambda name: norm(step.grads[name]))

    total = _clip(model, config)
    before = {name: tensor.detach().numpy().copy() for name, tensor in named.items()}
    states = copy.deepcopy(dict(optimizer.state.get(named[chosen], {})))
    grad = named[chosen].grad
    clipped = None if grad is None else grad.numpy().copy()
    optimizer.step()
    after = {name: tensor.detach().numpy() for name, tensor in named.items()}

    predicted = sum(
        float(np.vdot(grad.astype(np.float64), after[name] - before[name])) for name, grad in step.grads.items()
    )
    table = [_parameter(name, step, before[name], after[name], optimizer, named[name]) for name in named]
    moved = np.abs(after[chosen] - before[chosen])
    place = tuple(int(i) for i in np.unravel_index(int(moved.argmax()), moved.shape))
    cell = Cell(chosen, place, clipped, before[chosen], after[chosen], states)
    rule = spelled_rule(cell, optimizer, named[chosen])
    loss, logits = _evaluate(model, step)
    losses = [step.loss, loss]
    for _ in range(steps - 1):
        _again(model, optimizer, step, config)
        loss, logits = _evaluate(model, step)
        losses.append(loss)
    return {
        "norm": total,
        "clip": config.grad_clip,
        "factor": min(1.0, config.grad_clip / (total + 1e-6)) if config.grad_clip else 1.0,
        "learning_rate": lr,
        "peak": config.learning_rate,
        "schedule": config.schedule,
        "step": progress.step + 1,
        "done": min(1.0, spent(progress, config)),
        "said": said,
        "optimizer": config.optimizer,
        "parameters": table,
        "cell": rule,
        "losses": losses,
        "predicted": predicted,
        **_probabilities(opened, step, step.logits, logits, position),
    }


def run_of(opened: Opened) -> tuple[TrainConfig, Progress, dict[str, Any]]:
    """A run's settings of training, how far it has come, and its optimizer's state; of a model in memory the
    defaults."""
    if opened.folder is None:
        return TrainConfig(steps=1000, schedule="constant", warmup=0.0), Progress(), {}
    own, values = settings_of(TrainConfig), opened.folder.settings()
    config = build(TrainConfig, {name: value for name, value in values.items() if name in own})
    progress = progress_of(opened.folder)
    if opened.moment not in (None, "last"):  # of which the weights were kept, and nothing else
        step = int(str(opened.moment))
        return config, replace(progress, step=step, seconds=progress.seconds * step / max(1, progress.step)), {}
    state: dict[str, Any] = {}
    if OPTIMIZER in opened.folder.state()["files"]:
        arrays, about = unpack(opened.folder.read(OPTIMIZER), opened.folder.path / OPTIMIZER)
        arrays = {name: array for name, array in arrays.items() if not name.startswith(CARRIED)}
        state = {"arrays": arrays, "numbers": about["numbers"]}
    return config, progress, state


def _load(optimizer: Any, state: dict[str, Any], opened: Opened) -> str:
    """Give the optimizer the run's state, if it fits; and whose it is, in words."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if not state:
        if opened.moment == "0":
            return "Nothing has been learned yet: its running means begin at 0."
        what = "Of this moment only the weights were kept" if opened.moment else "There is no optimizer's state"
        return f"{what}: its running means begin at 0, as in a first step."
    for name, array in state["arrays"].items():
        index = int(name.split(".")[0])
        if index >= len(parameters) or (array.ndim and array.shape != tuple(parameters[index].shape)):
            return "The run's optimizer had other parameters, those of LoRA: its running means begin at 0."
    load_optimizer_state(optimizer, state["arrays"], state["numbers"])
    progress = progress_of(opened.folder) if opened.folder is not None else Progress()
    said = f"The optimizer's state is that of the run after step {progress.step:,}"
    best = progress.best_step
    if opened.moment is None and best is not None and best != progress.step:
        said += f"; the weights are those of step {best:,}, which had the lowest dev loss"
    return said + "."


def _set_rate(optimizer: Any, config: TrainConfig, progress: Progress, wanted: float) -> float:
    """The learning rate of the step that comes next; of all groups in proportion, if another one is wanted."""
    done = (progress.step + 1) / config.steps if config.steps is not None else spent(progress, config)
    own = set_learning_rate(optimizer, config, min(1.0, done))
    if not wanted:
        return own
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * wanted / config.learning_rate
    return wanted


def _clip(model: Any, config: TrainConfig) -> float:
    """The norm of all gradients; they are scaled down where it is above the limit."""
    parameters = [p for p in model.parameters() if p.grad is not None]
    return float(nn.utils.clip_grad_norm_(parameters, config.grad_clip or float("inf")).item())


def _parameter(name: str, step: Walked, before: Array, after: Array, optimizer: Any, tensor: Any) -> dict[str, Any]:
    change = after.astype(np.float64) - before
    spread = float(before.std(dtype=np.float64))
    return {
        "name": name,
        "rule": rule_of(optimizer, tensor),
        "shape": list(before.shape),
        "gradient": norm(step.grads[name]) if name in step.grads else 0.0,
        "size": norm(before),
        "change": norm(change),
        "ratio": float(change.std()) / spread if spread > 0 else None,
    }


def _evaluate(model: Any, step: Walked) -> tuple[float, Array]:
    """The loss of the batch and its logits, in the mode that the step was taken in."""
    with torch.no_grad():
        logits, loss = model(torch.from_numpy(step.batch.x), torch.from_numpy(step.batch.y))
    model.state = None
    return float(loss.item()), logits.numpy()


def _again(model: Any, optimizer: Any, step: Walked, config: TrainConfig) -> None:
    """One more step on the same batch."""
    optimizer.zero_grad(set_to_none=True)
    with torch.enable_grad():
        _, loss = model(torch.from_numpy(step.batch.x), torch.from_numpy(step.batch.y))
        loss.backward()
    model.state = None
    _clip(model, config)
    optimizer.step()


def _probabilities(opened: Opened, step: Walked, before: Array, after: Array, position: int) -> dict[str, Any]:
    """What the model says at each scored position, before and after."""
    y = step.batch.y
    if isinstance(step.model, Transformer):
        y = y[:, 1:]
    targets = y.reshape(-1)
    if isinstance(step.model, Encoder) and y.ndim == 2 and before.ndim == 2:  # of the hidden positions only
        targets = targets[targets != NOT_SCORED]
    classes = before.shape[-1]
    p, q = (softmax(logits.reshape(-1, classes)[-len(targets) :]) for logits in (before, after))
    scored = np.flatnonzero(targets != NOT_SCORED)
    shown = scored[-MOST_POSITIONS:]
    chosen = int(scored[min(max(position, -len(scored)), len(scored) - 1)])
    labels = opened.labels

    def piece(id_: int) -> str:
        return labels[id_] if y.ndim == 1 and labels else opened.piece(id_)

    order = np.argsort(-np.maximum(p[chosen], q[chosen]), kind="stable")[:TOP].tolist()
    if int(targets[chosen]) not in order:
        order[-1] = int(targets[chosen])
    return {
        "positions": [
            {
                "position": int(np.searchsorted(scored, i)),
                "target": piece(int(targets[i])),
                "before": float(p[i, targets[i]]),
                "after": float(q[i, targets[i]]),
            }
            for i in shown
        ],
        "top": {
            "position": int(np.searchsorted(scored, chosen)),
            "target": piece(int(targets[chosen])),
            "tokens": [
                {
                    "piece": piece(t),
                    "before": float(p[chosen, t]),
                    "after": float(q[chosen, t]),
                    "target": t == int(targets[chosen]),
                }
                for t in order
            ],
        },
    }
