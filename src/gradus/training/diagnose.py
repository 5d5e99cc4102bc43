"""Diagnostics of a training run: at each evaluation a line in diagnostics.jsonl on what the network looks like inside.

SERIES is the list of what is collected. A series is a function of the model and a batch that returns numbers for JSON,
by layer or parameter; it must leave the model, its gradients and the random generators as they were, and should cost no
more than a pass forward and one back. What can only be seen in training itself, how long the gradient was and how far
each step went, Diagnosis notes after every step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.backend import torch
from gradus.files import from_json, saving, to_json
from gradus.models import LanguageModel
from gradus.models.inside import gradients, layers
from gradus.training.run import RunFolder
from gradus.training.state import Report

DIAGNOSTICS = "diagnostics.jsonl"
BINS = 40

Ints = NDArray[np.int64]
Series = Callable[[LanguageModel, Ints, Ints], dict[str, Any]]


def activations(model: LanguageModel, idx: Ints, targets: Ints) -> dict[str, Any]:
    """Of each layer: mean, standard deviation, the saturated part, that of dead units, and a histogram of its
    outputs."""
    out = {}
    for name, layer in layers(model, idx, targets).items():
        values = layer.values
        counts, edges = np.histogram(values, bins=BINS)
        out[name] = {
            "mean": float(values.mean()),
            "std": float(values.std()),
            "saturated": layer.saturated,
            "dead": layer.dead,
            "histogram": {"low": float(edges[0]), "high": float(edges[-1]), "counts": counts.tolist()},
        }
    return out


def gradient_spread(model: LanguageModel, idx: Ints, targets: Ints) -> dict[str, Any]:
    """The standard deviation of the gradient at each layer's outputs and each weight, and how large the weights are."""
    at_layers, at_weights = gradients(model, idx, targets)
    weights = dict(model.named_parameters())
    return {
        "layers": {name: float(dy.std()) for name, dy in at_layers.items()},
        "weights": {
            name: {"std": float(dw.std()), "weight_std": _std(weights[name].detach().cpu().numpy())}
            for name, dw in at_weights.items()
        },
    }


SERIES: dict[str, Series] = {"activations": activations, "gradients": gradient_spread}


class Diagnosis:
    """A progress display, as `train` takes one, that collects SERIES after each evaluation, with

    - grad_norm: the median and the largest norm of the gradient, before clipping, in the steps since the line before,
      and the part of these steps that was clipped; after a resumption in between, in those of this process;
    - updates: for each matrix and embedding W, std(ΔW) / std(W) in the last step: about 1e-3 is healthy, much less
      learns slowly, much more forgets what was learned (Karpathy, makemore 3).

    Args:
        model: the one in training.
        rows: idx and targets, each (B, T), that it is looked at with; always the same, so that lines can be compared.
        run: where the lines go. Those after the run's checkpoint are removed: a resumed run makes them again.
        grad_clip: the norm to which a longer gradient is cut; 0 for none.
    """

    def __init__(
        self, model: LanguageModel, rows: tuple[Ints, Ints], run: RunFolder, *, grad_clip: float = 0.0
    ) -> None:
        self.model, self.rows, self.run, self.grad_clip = model, rows, run, grad_clip
        self.weights = {name: p for name, p in model.named_parameters() if p.requires_grad and p.dim() > 1}
        self.norms: list[float] = []
        self.before = {} if run.has_model else self._copies()  # of a resumed run, the weights are not loaded yet
        begun = run.state().get("step", 0) if run.has_model else 0
        kept = [line for line in read_diagnostics(run) if line["step"] <= begun]
        if kept or (run.path / DIAGNOSTICS).exists():
            run.write(DIAGNOSTICS, "".join(to_json(line) + "\n" for line in kept))

    def __call__(self, report: Report) -> None:
        if self.weights:
            self.norms.append(_norm(self.model) if report.grad_norm is None else report.grad_norm)
        if report.dev_loss is not None:
            line = {"step": report.step, "learning_rate": report.learning_rate, **self._of_the_steps()}
            line |= {name: series(self.model, *self.rows) for name, series in SERIES.items()}
            with saving(self.run.path), open(self.run.path / DIAGNOSTICS, "a", encoding="utf-8") as file:
                file.write(to_json(line) + "\n")
            self.norms.clear()
        self.before = self._copies()

    def _of_the_steps(self) -> dict[str, Any]:
        if not self.norms:
            return {}
        clipped = sum(norm > self.grad_clip for norm in self.norms) / len(self.norms) if self.grad_clip else 0.0
        return {
            "grad_norm": {"median": median(self.norms), "largest": max(self.norms), "clipped": clipped},
            "updates": {
                name: _std(after - self.before[name]) / _std(self.before[name])
                for name, after in self._copies().items()
                if name in self.before and _std(self.before[name]) > 0
            },
        }

    def _copies(self) -> dict[str, NDArray[Any]]:
        return {name: p.detach().cpu().numpy().copy() for name, p in self.weights.items()}


def read_diagnostics(run: RunFolder) -> list[dict[str, Any]]:
    """The lines of a run's diagnostics, in order; none for a run without. A line cut off by a crash is left out."""
    path, lines = run.path / DIAGNOSTICS, []
    if not path.exists():
        return []
    for text in path.read_bytes().splitlines():
        try:
            line = from_json(text)
            lines.append({**line, "step": int(line["step"])})
        except (ValueError, TypeError, KeyError):
            continue
    return lines


def _norm(model: LanguageModel) -> float:
    """The norm of the gradient that the last step left, which was not clipped."""
    squares = (float(torch.sum(p.grad.detach() ** 2)) for p in model.parameters() if p.grad is not None)
    return math.sqrt(sum(squares))


def _std(array: NDArray[Any]) -> float:
    return float(array.std())
