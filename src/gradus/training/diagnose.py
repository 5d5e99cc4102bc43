"""Diagnostics of a training run: at each evaluation a line in diagnostics.jsonl on what the network looks like inside.

SERIES is the list of what is collected. A series is a function of the model and a batch that returns numbers for JSON,
by layer or parameter; it is called right after an evaluation, when the gradients of the last step are still there, must
leave the model and the random generators as they were, and should cost no more than one forward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.files import from_json, to_json
from gradus.models import LanguageModel
from gradus.models.inside import layers
from gradus.training.folder import saving
from gradus.training.run import Run
from gradus.training.state import Report

DIAGNOSTICS = "diagnostics.jsonl"
BINS = 40

Ints = NDArray[np.int64]
Series = Callable[[LanguageModel, Ints], dict[str, Any]]


def activations(model: LanguageModel, idx: Ints) -> dict[str, Any]:
    """Of each layer: mean, standard deviation, the saturated part, and a histogram of its outputs."""
    out = {}
    for name, layer in layers(model, idx).items():
        values = layer.values
        counts, edges = np.histogram(values, bins=BINS)
        out[name] = {
            "mean": float(values.mean()),
            "std": float(values.std()),
            "saturated": layer.saturated,
            "histogram": {"low": float(edges[0]), "high": float(edges[-1]), "counts": counts.tolist()},
        }
    return out


SERIES: dict[str, Series] = {"activations": activations}


class Diagnosis:
    """A progress display, as `train` takes one, that collects SERIES after each evaluation.

    Args:
        model: the one in training.
        idx: (B, T), the rows that it is looked at with; always the same, so that the lines can be compared.
        run: where the lines go. Those after the run's checkpoint are removed: a resumed run makes them again.
    """

    def __init__(self, model: LanguageModel, idx: Ints, run: Run) -> None:
        self.model, self.idx, self.run = model, idx, run
        begun = run.state().get("step", 0) if run.has_model else 0
        kept = [line for line in read_diagnostics(run) if line["step"] <= begun]
        if kept or (run.path / DIAGNOSTICS).exists():
            run.write(DIAGNOSTICS, "".join(to_json(line) + "\n" for line in kept))

    def __call__(self, report: Report) -> None:
        if report.dev_loss is None:
            return
        line = {"step": report.step, **{name: series(self.model, self.idx) for name, series in SERIES.items()}}
        with saving(self.run.path), open(self.run.path / DIAGNOSTICS, "a", encoding="utf-8") as file:
            file.write(to_json(line) + "\n")


def read_diagnostics(run: Run) -> list[dict[str, Any]]:
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
