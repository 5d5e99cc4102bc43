"""Keeping freed memory for the next step, instead of giving it back to the system and asking for it again.

A training step allocates the same arrays each time. By default the C library returns large ones to the system as soon
as they are freed, and the system has to clear every page before it lends it again: a fifth of a small GPT's step.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h


def keep() -> None:
    """Let the C library keep what is freed, up to 1 GiB; does nothing where the library is not glibc."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 1 << 25)  # the most that glibc accepts
        mallopt(_TRIM_THRESHOLD, 1 << 30)
        mallopt(_TOP_PAD, 1 << 26)
