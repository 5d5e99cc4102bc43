"""How a training went, or goes: its measurements line by line, the moments there are, and how far each step moved each
matrix. Of a run that is training now only what is new is read and sent; a line that is half written is not shown."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from gradus.errors import UserError
from gradus.explorer.opened import Opened
from gradus.explorer.view import Parameter, View
from gradus.files import from_json
from gradus.training import RunFolder
from gradus.training.diagnose import read_diagnostics
from gradus.training.moments import moment_steps, read_moment
from gradus.training.run import METRICS
from gradus.training.state import progress_of

QUIET = 120  # seconds without a new measurement, after which a training that is not done counts as stopped
CURVES = "step", "tokens", "seconds", "train_loss", "dev_loss", "learning_rate", "grad_norm", "tokens_per_second"


def curves(opened: Opened, since: int = 0) -> dict[str, Any]:
    """The measurements of a run, from a place in its file on.

    Args:
        since: the `until` of the answer before; 0 for all.

    Returns:
        until: how many bytes of metrics.jsonl these and the lines before them are: whole lines only.
        again: whether the file is no longer the one that `since` was for, so that these are all of its lines.
        step, tokens, seconds, train_loss, dev_loss, learning_rate, grad_norm, tokens_per_second: (n,) of the new
            lines; None where a line does not have it.
        damaged: how many of the new lines could not be read.
        moments: the steps of which there are moments; last, best: the steps of the last and the best weights.
        state: "training", "stopped" before its end, or "done".
    """
    run = folder_of(opened)
    lines, until, again, damaged = _new_lines(run.path / METRICS, since)
    progress = progress_of(run)
    return {
        "until": until,
        "again": again,
        **{name: [line.get(name) for line in lines] for name in CURVES},
        "damaged": damaged,
        "moments": moment_steps(run),
        "last": progress.step,
        "best": progress.best_step,
        "state": _state(run),
    }


def rates(opened: Opened) -> dict[str, Any]:
    """How far single steps moved each matrix beside how large it is, std(ΔW) / std(W).

    They were measured at the steps of the moments, and at each evaluation where the run was trained with --diagnose.

    Returns:
        step: (n,) of the steps that were measured, in order.
        names: of the matrices; ratios: for each (n,), None where it was not measured.
        grad_norm: (n,) of each step, or the median since the evaluation before.
        clip: the norm to which longer gradients were cut; 0 for none.
    """
    run = folder_of(opened)
    measured: dict[int, dict[str, Any]] = {}
    norms: dict[int, float | None] = {}
    for step in moment_steps(run):
        try:
            about = read_moment(run, step)[1]
        except UserError:  # it is named where it is asked for
            continue
        if "updates" in about:
            measured[step], norms[step] = about["updates"], about.get("grad_norm")
    for line in read_diagnostics(run):
        if isinstance(line.get("updates"), dict):
            measured[line["step"]], norms[line["step"]] = line["updates"], line["grad_norm"].get("median")
    steps = sorted(measured)
    names = list(dict.fromkeys(name for step in steps for name in measured[step]))
    return {
        "step": steps,
        "names": names,
        "ratios": [[_number(measured[step].get(name)) for step in steps] for name in names],
        "grad_norm": [_number(norms[step]) for step in steps],
        "clip": float(str(run.settings().get("grad_clip", 0.0))),
    }


def folder_of(opened: Opened) -> RunFolder:
    """The folder of a run. UserError for a model in memory, which was not trained here."""
    if opened.folder is None:
        raise UserError(f"{opened.name} is a model in memory: nothing is known of how it learned")
    return opened.folder


def _new_lines(path: Path, since: int) -> tuple[list[dict[str, Any]], int, bool, int]:
    """The whole lines of a file after so many bytes, where they end, whether it was begun anew, and how many are
    damaged."""
    try:
        with open(path, "rb") as file:
            again = since > 0 and not _is_line_end(file, since)
            start = 0 if again else since
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return [], 0, since > 0, 0
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    whole = data[: data.rfind(b"\n") + 1]
    lines, damaged = [], 0
    for text in whole.splitlines():
        try:
            line = from_json(text)
            lines.append(
                {**{name: _number(v) if name in CURVES else v for name, v in line.items()}, "step": int(line["step"])}
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            damaged += 1
    return lines, start + len(whole), again, damaged


def _is_line_end(file: Any, place: int) -> bool:
    file.seek(place - 1)
    return bool(file.read(1) == b"\n")


def _number(value: Any) -> Any:
    """A number that JSON lacks, from its spelling."""
    return float(value) if value in ("inf", "-inf", "nan") else value


def _state(run: RunFolder) -> str:
    if run.state().get("reported"):
        return "done"
    newest = max((path.stat().st_mtime for path in run.path.iterdir() if path.exists()), default=0.0)
    return "training" if time.time() - newest < QUIET else "stopped"


VIEWS = {
    "learning/curves": View(curves, {"since": Parameter(int, 0, 0)}),
    "learning/rates": View(rates),
}
