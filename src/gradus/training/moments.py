"""Moments of a training: snapshots of the weights in the run's folder, moments/STEP.safetensors, so that what a network
learns can be watched over time (`gradus explore`, tab Learning).

They are taken after 0, 1, 2, 4, 8, … steps, closest at the beginning, where the loss falls fastest; the last and the
best weights are in the checkpoint anyway. Matrices are kept in float16, which changes a loss by less than 1e-3 of it.
Which steps are kept follows from the step and the settings alone: a training that was stopped and resumed leaves the
same files as one that was not. Their sums are in `state.json`, so that a damaged one is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus import files
from gradus.errors import UserError
from gradus.files import saving
from gradus.models import LanguageModel
from gradus.training.checkpoint import Arrays, pack_model, unpack, weights
from gradus.training.config import TrainConfig
from gradus.training.folder import reading
from gradus.training.run import RunFolder

MOMENTS = "moments"  # the folder in the run's folder
SUFFIX = ".safetensors"
LEAST = 4  # fewer would not show how it came

# The steps that can be kept, at 4, 2, 1, … of them per doubling; each list's are among those of the one before.
MARKS = [sorted({0} | {round(2 ** (i / n)) for i in range(int(48 * n))}) for n in (4, 2, 1, 1 / 2, 1 / 4, 1 / 8)]
CANDIDATES = frozenset(MARKS[0])


def kept_steps(step: int, most: int) -> list[int]:
    """The steps of which there are moments after so many steps: 0, and as many as `most` allows at equal ratios.

    >>> kept_steps(100, 16)
    [0, 1, 2, 4, 8, 16, 32, 64]
    >>> kept_steps(20, 16)
    [0, 1, 2, 3, 4, 6, 8, 11, 16]
    """
    kept: list[int] = []
    for marks in MARKS:
        kept = [mark for mark in marks if mark <= step]
        if len(kept) <= most:
            break
    return kept[:most]


class Moments:
    """What a training keeps: `before` and `after` are called around each step.

    Args:
        run: where they go; None keeps none.

    Attributes:
        sums: the sha256 of those that there are, by step, for the checkpoint.
    """

    def __init__(self, config: TrainConfig, run: RunFolder | None) -> None:
        self.config, self.run = config, run
        self.sums: dict[str, str] = {}
        self._most = 0  # how many are kept; known when the size of one is
        self._before: Arrays = {}

    def begin(self, model: LanguageModel, step: int) -> None:
        """Start or go on at a step. What is in the folder after it is removed: it will be made again. What is damaged
        or missing is left out from now on."""
        self._most = self._allowed(model)
        if self.run is not None and self.run.writes:
            with saving(self.run.path):
                for path in (self.run.path / MOMENTS).glob("[.0-9]*"):
                    if not path.stem.isdecimal() or int(path.stem) > step:
                        path.unlink()
                self._leave_out_damaged()
        if not step:
            self._keep(model, 0, {})

    def before(self, model: LanguageModel, step: int) -> None:
        """Before a step, the number of which is given: what it changes is measured, if it is one to keep."""
        self._before = _matrices(model, weights(model)) if self._is_kept(step) else {}

    def after(self, model: LanguageModel, step: int, **about: float | None) -> None:
        """After a step: keep the weights, if it is one to keep, and remove moments that are too many now.

        Args:
            about: what is known of this step, such as its loss; None is left out.
        """
        if self._most and step in CANDIDATES:
            if self._is_kept(step):
                self._keep(model, step, {name: value for name, value in about.items() if value is not None})
            self._thin(step)

    def _is_kept(self, step: int) -> bool:
        return self._most > 0 and step in CANDIDATES and step in kept_steps(step, self._most)

    def _keep(self, model: LanguageModel, step: int, about: dict[str, Any]) -> None:
        """Write a moment. Of several processes each gives its part, and the leading one writes."""
        if self.run is None or not self._most:
            return
        arrays = weights(model)
        if self._before:
            about = {**about, "updates": _updates(self._before, arrays)}
        if not self.run.writes:
            return
        data = pack_model(self.config.model, model.config, _halved(arrays), step=step, **about)
        folder = self.run.path / MOMENTS
        with saving(self.run.path, self.run.still_whole):
            folder.mkdir(exist_ok=True)
            files.write(folder / f"{step}{SUFFIX}", data, durable=False)
            self.sums[str(step)] = files.sha256(data)

    def _thin(self, step: int) -> None:
        assert self.run is not None
        for old in {int(name) for name in self.sums} - set(kept_steps(step, self._most)):
            del self.sums[str(old)]
            (self.run.path / MOMENTS / f"{old}{SUFFIX}").unlink(missing_ok=True)

    def _leave_out_damaged(self) -> None:
        """Those that are not what the checkpoint says. The user is told, but not of one that is missing and would not
        have stayed: who stopped before the next checkpoint may have removed it already, as one too many."""
        assert self.run is not None
        stay = kept_steps(self.config.steps or max(CANDIDATES), self._most)
        for step, sum_ in list(self.sums.items()):
            path = self.run.path / MOMENTS / f"{step}{SUFFIX}"
            data = path.read_bytes() if path.exists() else None
            if data is None or files.sha256(data) != sum_:
                if data is not None or int(step) in stay:
                    what = "is missing" if data is None else "was changed or is damaged"
                    files.note(f"left out {path}, which {what}")
                path.unlink(missing_ok=True)
                del self.sums[step]

    def _allowed(self, model: LanguageModel) -> int:
        """How many moments are kept: as many as asked for and fit; none rather than fewer than LEAST."""
        if self.run is None or not self.config.moments:
            return 0
        size = sum(array.nbytes for array in _halved(weights(model)).values())
        most = min(self.config.moments, int(self.config.moments_mb * 1e6 / size))
        return most if most >= LEAST else 0


def moment_steps(run: RunFolder) -> list[int]:
    """The steps of which a run has moments, in order; those of a training that goes on included."""
    return sorted(int(path.stem) for path in (run.path / MOMENTS).glob(f"*{SUFFIX}") if path.stem.isdecimal())


def read_moment(run: RunFolder, step: int) -> tuple[Arrays, dict[str, Any]]:
    """The weights of a moment, in float32, and what its file says: model, config, step and what is known of the step:
    loss, grad_norm, learning_rate, and updates, std(ΔW) / std(W) of each matrix W in this step.

    Raises:
        UserError: if there is none of this step, or it is damaged, changed or of another run.
    """
    path = run.path / MOMENTS / f"{step}{SUFFIX}"
    try:
        with reading(path):
            data = path.read_bytes()
    except FileNotFoundError:
        steps = ", ".join(map(str, moment_steps(run)))
        there = f"there are those of {steps}" if steps else "it has none"
        raise UserError(f"{run.path} has no moment of step {step}; {there}") from None
    sums = run.state().get("moments", {})
    if str(step) in sums and files.sha256(data) != sums[str(step)]:
        raise UserError(
            f"{path} was changed, is damaged, or belongs to another run: its sha256 is not the one in state.json; "
            "remove it, and the other moments can still be seen"
        )
    arrays, about = unpack(data, path)
    return {name: _float32(array) for name, array in arrays.items()}, about


def _halved(arrays: Arrays) -> Arrays:
    """The matrices in float16, where their numbers fit; all else as it is, since it is small."""
    fits = float(np.finfo(np.float16).max)
    return {
        name: a.astype(np.float16) if a.ndim > 1 and a.dtype == np.float32 and _largest(a) <= fits else a
        for name, a in arrays.items()
    }


def _largest(array: Any) -> float:
    return float(np.abs(array).max(initial=0.0))


def _float32(array: Any) -> Any:
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _matrices(model: LanguageModel, arrays: Arrays) -> Arrays:
    trained = {name for name, p in model.named_parameters() if p.requires_grad and p.dim() > 1}
    return {name: array for name, array in arrays.items() if name in trained}


def _updates(before: Arrays, after: Arrays) -> dict[str, float]:
    """std(ΔW) / std(W) of each matrix that is not constant."""
    spreads = {name: float(W.std()) for name, W in before.items()}
    return {name: float((after[name] - W).std()) / spreads[name] for name, W in before.items() if spreads[name] > 0}
