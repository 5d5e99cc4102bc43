"""Reading losses from what a program printed."""

from __future__ import annotations

import re
from collections.abc import Callable

Run = Callable[..., str]  # run("folder/program.py", *arguments) gives what it printed


def losses(printed: str, pattern: str) -> list[float]:
    """The numbers that follow `pattern` in what a program printed, in their order."""
    return [float(number) for number in re.findall(rf"(?:{pattern})(\d+\.\d+)", printed)]
