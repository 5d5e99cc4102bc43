"""`torch.profiler`: how long a program's steps and named ranges take, by the wall clock.

It records steps (`profile.step()`) and the program's `record_function(name)` ranges; unlike PyTorch's, not each
operation and not the memory. Python's own `cProfile` shows the rest.
"""

from __future__ import annotations

import enum
import functools
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from gradus import files
from gradus.engine.compat.absent import refuse

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "tensorboard_trace_handler",
]


class ProfilerActivity(enum.Enum):
    """What to record; here always the CPU's time."""

    CPU = 0
    CUDA = 2
    XPU = 1
    MTIA = 3


class ProfilerAction(enum.Enum):
    """What to do in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


class Range(NamedTuple):
    """A named range of time: its start and duration, in microseconds."""

    name: str
    start: float
    duration: float


@dataclass(frozen=True)
class Average:
    """All ranges of one name."""

    key: str
    count: int
    cpu_time_total: float  # microseconds

    @property
    def cpu_time(self) -> float:
        """The average time of a range, in microseconds."""
        return self.cpu_time_total / self.count


class Averages(list[Average]):
    """The result of `key_averages`: one entry for each name."""

    def table(self, sort_by: str | None = None, row_limit: int = 100, **_: Any) -> str:
        """A table of the entries, the longest total time first."""
        rows = sorted(self, key=lambda a: -a.cpu_time_total)[: row_limit if row_limit >= 0 else None]
        width = max([len("Name"), *(len(a.key) for a in rows)])
        lines = [f"{'Name':<{width}}  {'CPU total':>12}  {'CPU time avg':>12}  {'# of Calls':>10}"]
        lines += [
            f"{a.key:<{width}}  {_time(a.cpu_time_total):>12}  {_time(a.cpu_time):>12}  {a.count:>10}" for a in rows
        ]
        return "\n".join(lines)


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """What to do in each step: skip some, then in cycles wait, warm up and record; `repeat` cycles, 0 means no end."""
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError(
            f"Invalid profiler schedule arguments: {wait=}, {warmup=}, {repeat=} and {skip_first=} must be at least 0, "
            f"{active=} at least 1"
        )
    cycle = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < skip_first:
            return ProfilerAction.NONE
        step += (wait if skip_first_wait else 0) - skip_first
        if repeat and step >= repeat * cycle:
            return ProfilerAction.NONE
        place = step % cycle
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == cycle - 1 else ProfilerAction.RECORD

    return action


class profile:
    """Records ranges between `start` and `stop`, or within a `with` block.

    Args:
        activities: accepted.
        schedule: which steps to record; without it, everything.
        on_trace_ready: called with the profile at the end of each cycle, or at the end.
    """

    _running: list[profile] = []  # noqa: RUF012 (shared on purpose: ranges go to whoever records)

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        **_: Any,
    ) -> None:
        self._schedule = schedule
        self.on_trace_ready = on_trace_ready
        self.step_num = 0
        self.current_action = ProfilerAction.NONE
        self._ranges: list[Range] = []
        self._step_began = 0.0

    def start(self) -> None:
        profile._running.append(self)
        self._go_to(ProfilerAction.RECORD if self._schedule is None else self._schedule(self.step_num))

    def stop(self) -> None:
        profile._running.remove(self)
        if self._recording:
            self._end_step()
            self._hand_over()
        self.current_action = ProfilerAction.NONE

    def step(self) -> None:
        """Mark the end of a step of the program."""
        if self._recording:
            self._end_step()
        if self.current_action is ProfilerAction.RECORD_AND_SAVE:
            self._hand_over()
        self.step_num += 1
        self._go_to(ProfilerAction.RECORD if self._schedule is None else self._schedule(self.step_num))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def events(self) -> list[Range]:
        """All ranges of the last cycle."""
        return self._ranges

    def key_averages(self, *_: Any, **__: Any) -> Averages:
        """The ranges of the last cycle, by name."""
        found: dict[str, Average] = {}
        for r in self._ranges:
            name = "ProfilerStep*" if r.name.startswith("ProfilerStep#") else r.name
            before = found.get(name, Average(name, 0, 0.0))
            found[name] = Average(name, before.count + 1, before.cpu_time_total + r.duration)
        return Averages(found.values())

    def export_chrome_trace(self, path: str) -> None:
        """Write the ranges as a file for chrome://tracing or Perfetto."""
        place = {"ph": "X", "cat": "user_annotation", "pid": os.getpid(), "tid": 0}
        events = [{**place, "name": r.name, "ts": r.start, "dur": r.duration} for r in self._ranges]
        files.write(path, files.to_json({"traceEvents": events}).encode())

    @property
    def _recording(self) -> bool:
        return self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)

    def _go_to(self, action: ProfilerAction) -> None:
        before, self.current_action = self._recording, action
        if self._recording and not before:
            self._ranges = []
        self._step_began = _now()

    def _end_step(self) -> None:
        if self._schedule is not None or self.step_num:
            self._ranges.append(Range(f"ProfilerStep#{self.step_num}", self._step_began, _now() - self._step_began))

    def _hand_over(self) -> None:
        self.current_action = ProfilerAction.NONE
        if self.on_trace_ready is not None:
            self.on_trace_ready(self)


class record_function:
    """Record a named range: a context manager, or a decorator of a function."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self._began = 0.0

    def __enter__(self) -> Self:
        self._began = _now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        found = Range(self.name, self._began, _now() - self._began)
        for running in profile._running:
            if running._recording:
                running._ranges.append(found)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return function(*args, **kwargs)

        return called


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False, **_: Any
) -> Callable[[profile], None]:
    """An `on_trace_ready` function that writes each cycle into a folder, as DIR/WORKER.NANOSECONDS.pt.trace.json."""

    def write(finished: profile) -> None:
        folder = Path(dir_name)
        folder.mkdir(parents=True, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        finished.export_chrome_trace(str(folder / f"{worker}.{time.time_ns()}.pt.trace.json"))

    return write


def _now() -> float:
    return time.perf_counter_ns() / 1000


def _time(microseconds: float) -> str:
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{microseconds / size:.3f}{unit}"
    return f"{microseconds:.3f}us"


__getattr__ = refuse(__name__)
