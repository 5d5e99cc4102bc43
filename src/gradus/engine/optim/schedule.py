"""The base class of learning-rate schedules, which counts steps and sets the groups' rates."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from gradus.engine.optim.optimizer import Group, Optimizer
from gradus.engine.tensor import Tensor

Rates = list[Any]  # numbers, or tensors of one element where a group's `lr` is one

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed "
    "form is used instead of the new chainable form, where available. Please open an issue if you are unable to "
    "replicate your use case: https://github.com/pytorch/pytorch/issues/new/choose."
)


class LRScheduler:
    """Base class: counts the steps in `last_epoch` and asks `get_lr` for the groups' rates.

    Args:
        optimizer: whose `lr` is set; each group's rate at the start is noted under "initial_lr".
        last_epoch: steps already taken, when resuming; -1 starts.
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch "
                    ">= 0; load the optimizer's state first, or leave last_epoch at -1 for a fresh run"
                )
        self.base_lrs: Rates = [copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        _note_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    @property
    def _groups(self) -> list[Group]:
        return self.optimizer.param_groups

    def _rates(self) -> Rates:
        return [copied(group["lr"]) for group in self._groups]

    def _times(self, factor: float) -> Rates:
        return [group["lr"] * factor for group in self._groups]

    def get_lr(self) -> Rates:
        """The rates for the step `last_epoch`, one a group."""
        raise NotImplementedError

    def get_last_lr(self) -> Rates:
        """The rates last set, one a group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Set the next rates. `epoch` (old usage) jumps to a step."""
        if self._step_count == 1 and not hasattr(self.optimizer.step, "_notes"):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
                "Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. See more details at "
                "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate",
                UserWarning,
                stacklevel=2,
            )
        elif self._step_count == 1 and not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you "
                "should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  "
                "Failure to do this will result in PyTorch skipping the first value of the learning rate schedule. "
                "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.last_epoch += 1
            self._set(self.get_lr)
        else:
            self.last_epoch = epoch
            self._set(getattr(self, "_get_closed_form_lr", self.get_lr))

    def _set(self, get_lr: Callable[[], Rates]) -> None:
        self._get_lr_called_within_step = True
        try:
            rates = get_lr()
        finally:
            self._get_lr_called_within_step = False
        for group, rate in zip(self._groups, rates, strict=True):
            set_rate(group, rate)
        self._last_lr = self._rates()

    def _warn_outside_step(self) -> None:
        """Warn a caller of `get_lr` who wants the current rate: most schedules compute the next one from the last."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """All it knows but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave."""
        self.__dict__.update(state_dict)


def copied(value: Any) -> Any:
    """A tensor's copy; anything else is itself."""
    return value.clone() if isinstance(value, Tensor) else value


def set_rate(group: Group, rate: Any) -> None:
    """A group's new learning rate; where it is a tensor, that tensor's new value."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def one_each(name: str, optimizer: Optimizer, value: float | Sequence[float]) -> list[float]:
    """One value a group."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * groups  # type: ignore[list-item]
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {groups}."
        )
    return list(value)


def _note_steps(optimizer: Optimizer) -> None:
    """Have the optimizer note on itself that it took a step: a schedule that runs ahead of it skips a rate."""
    if hasattr(optimizer.step, "_notes"):
        return
    reference = weakref.ref(optimizer)
    step = type(optimizer).step

    @wraps(step)
    def noted(*args: Any, **kwargs: Any) -> Any:
        it = reference()
        assert it is not None
        it._opt_called = True  # type: ignore[attr-defined]
        return step(it, *args, **kwargs)

    noted._notes = True  # type: ignore[attr-defined]
    optimizer.step = noted  # type: ignore[method-assign]
