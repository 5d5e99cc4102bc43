"""Work on many pieces in several processes, its results in the order of the pieces."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar

from gradus.errors import UserError

T = TypeVar("T")
AHEAD = 2  # pieces that a process may be ahead of the one whose result is next


class Processes:
    """So many processes, which end with the `with` block, or with this process, however that ends.

    Args:
        number: 1 is none besides this one.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)

    def in_order(self, work: Callable[..., T], pieces: Iterable[tuple[Any, ...]]) -> Iterator[T]:
        """`work(*piece)` for each piece. Only a few results wait to be taken, whatever the number of pieces.

        Args:
            work: a function at the top of a module, or a `partial` of one.

        Raises:
            UserError: if a process ends before its work does; what `work` raises is raised here.
        """
        if self.number == 1:
            yield from (work(*piece) for piece in pieces)
            return
        if self.pool is None:
            context = multiprocessing.get_context("spawn")  # a fork would share the locks of this process's threads
            self.pool = ProcessPoolExecutor(self.number, mp_context=context, initializer=_follow_parent)
        waiting: deque[Future[T]] = deque()
        try:
            for piece in pieces:
                waiting.append(self.pool.submit(work, *piece))
                if len(waiting) > AHEAD * self.number:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise UserError(
                f"one of {self.number} processes was ended from outside, perhaps for want of memory; the same command "
                "goes on, with fewer --workers if need be"
            ) from error


def _follow_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it ends: a process of a pool would wait for work for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    Thread(target=follow, daemon=True).start()
