"""One contestant, alone in its process: it builds its work, says that it is ready, and from then on sleeps until a line
on standard input asks for steps.

    python -m gradus.bench.worker lectures:mlp --threads 2 [--compiled] [--warmup 2]

Every answer is a line of JSON on standard output; whatever else is printed goes to standard error. The backend is
chosen by GRADUS_BACKEND, as everywhere. The process ends when its standard input does.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from gradus.bench.resident import forget_peak, peak, resident

if TYPE_CHECKING:
    from gradus.bench.work import Step, Work


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends this process
    parser = argparse.ArgumentParser()
    parser.add_argument("work")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--warmup", type=int, default=0)
    asked = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        work, imported = build(asked.work, asked.threads, compiled=asked.compiled)
        for _ in range(asked.warmup):
            for step in work.steps.values():
                step()
    except Exception as error:
        _say({"error": f"{type(error).__name__}: {error}"}, answers)
        raise
    _say({"imported": imported}, answers)
    serve(work, sys.stdin, answers)


def build(name: str, threads: int, *, compiled: bool = False) -> tuple[Work, int]:
    """The work named "module:function", and the bytes resident after its imports."""
    module_name, function = name.split(":")
    module = importlib.import_module(f"gradus.bench.{module_name}")
    torch = getattr(module, "torch", None)  # products and Values need no tensors
    if torch is not None:
        torch.set_num_threads(threads)
    forget_peak()
    imported = resident()
    make = getattr(module, function)
    return make(torch.compile) if compiled and torch is not None else make(), imported


def serve(work: Work, orders: Iterable[str], answers: TextIO) -> None:
    """Answer each order, {"steps": how many, "each": whether to time every one by itself}."""
    for line in orders:
        _say(measure(work, **json.loads(line)), answers)


def measure(work: Work, steps: int, *, each: bool = False) -> dict[str, Any]:
    """Time the steps of every part of a work, after an untimed one.

    Returns:
        seconds: part -> of one step, as the mean of all, or if `each` is set of each.
        check: part -> the number to agree on, after the last step.
        cores: how many cores were at work, on average.
        peak: the most bytes that were resident since the imports.
    """
    seconds: dict[str, list[float]] = {}
    check = {}
    wall = busy = 0.0
    for part, step in work.steps.items():
        step()
        start, start_busy = time.perf_counter(), time.process_time()
        runs = [_timed(step, 1) for _ in range(steps)] if each else [_timed(step, steps)]
        wall, busy = wall + time.perf_counter() - start, busy + time.process_time() - start_busy
        seconds[part] = [taken for taken, _ in runs]
        check[part] = work.check(runs[-1][1])
    return {"seconds": seconds, "check": check, "cores": busy / wall, "peak": peak()}


def _timed(step: Step, steps: int) -> tuple[float, Any]:
    result = None
    start = time.perf_counter()
    for _ in range(steps):
        result = step()
    return (time.perf_counter() - start) / steps, result


def _say(answer: dict[str, Any], answers: TextIO) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
