"""Ctrl-C while training, and the signals by which a system ends a program: the first asks to stop after the step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# SIGTERM is what `kill`, a scheduler or a shutdown sends; SIGHUP, what a terminal sends that is closed.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Within it, the first signal only makes the function that it yields return True; a second does what it did before.

    A signal that is ignored, as SIGHUP is under nohup, stays ignored. Outside the main thread, where Python allows no
    signal handlers, the function always returns False."""
    asked = False
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in SIGNALS}
    caught = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]

    def restore() -> None:
        for number in caught:
            signal.signal(number, before[number])

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal asked
        asked = True
        restore()

    for number in caught:
        signal.signal(number, ask)
    try:
        yield lambda: asked
    finally:
        restore()
