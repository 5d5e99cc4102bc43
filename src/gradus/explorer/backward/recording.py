"""Where each operation of a forward pass comes from: in which call of which module it was recorded, and on which line
of the model's code."""

from __future__ import annotations

import linecache
import sys
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from gradus import models
from gradus.models import LanguageModel

MODELS = str(Path(models.__file__).parent)


@dataclass(frozen=True)
class Call:
    """A call of a module: its name, its class, and the call around it (-1: none)."""

    name: str
    kind: str
    parent: int


@dataclass(frozen=True)
class Line:
    """A line of a model's code."""

    file: str
    line: int
    code: str


class Timeline:
    """What was the case when each node was recorded: values, each from a node's number on."""

    def __init__(self) -> None:
        self.times: list[int] = []  # 1, 2, 3 ...: nodes are numbered -1, -2, -3 ...
        self.values: list[Any] = []

    def mark(self, value: Any) -> None:
        from gradus.engine.autograd.node import numbers

        self.times.append(-next(numbers))
        self.values.append(value)

    def at(self, number: int) -> Any:
        place = bisect_left(self.times, -number) - 1
        return self.values[place] if place >= 0 else None


class Record:
    """The calls of modules, and for each node the innermost call and the line of code that recorded it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.open: list[int] = []
        self.modules, self.lines = Timeline(), Timeline()
        self.frames: list[tuple[str, int] | None] = [None]

    def enter(self, name: str, kind: str) -> None:
        self.calls.append(Call(name, kind, self.open[-1] if self.open else -1))
        self.open.append(len(self.calls) - 1)
        self.modules.mark(self.open[-1])

    def leave(self) -> None:
        self.open.pop()
        self.modules.mark(self.open[-1] if self.open else -1)

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        """Called at each call of a function: follow the lines of those in the files of models."""
        if event != "call" or not frame.f_code.co_filename.startswith(MODELS):
            return None
        self.frames.append(None)
        return self.follow

    def follow(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self.frames[-1] = (frame.f_code.co_filename, frame.f_lineno)
            self.lines.mark(self.frames[-1])
        elif event == "return":
            self.frames.pop()
            self.lines.mark(self.frames[-1])
        return self.follow

    def call_at(self, number: int) -> int:
        """The innermost call in which a node was recorded, -1 for none."""
        found = self.modules.at(number)
        return -1 if found is None else int(found)

    def line_at(self, number: int) -> Line | None:
        found = self.lines.at(number)
        if found is None:
            return None
        file, line = found
        return Line(f"models/{Path(file).name}", line, linecache.getline(file, line).strip())


@contextmanager
def recorded(model: LanguageModel) -> Iterator[Record]:
    """Within it, note which module and which line of a model's code is at work."""
    record, handles = Record(), []
    for name, module in model.named_modules():
        kind = type(module).__name__

        def enter(_: Any, args: Any, name: str = name or kind, kind: str = kind) -> None:  # noqa: ARG001
            record.enter(name, kind)

        def leave(_: Any, args: Any, output: Any) -> None:  # noqa: ARG001
            record.leave()

        handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    before = sys.gettrace()
    if before is None:  # a debugger keeps its own
        sys.settrace(record.trace)
    try:
        yield record
    finally:
        sys.settrace(before)
        for handle in handles:
            handle.remove()
