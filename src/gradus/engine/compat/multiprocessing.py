"""`torch.multiprocessing`: Python's `multiprocessing`. A tensor that is sent to another process is copied there."""

from __future__ import annotations

from multiprocessing import *  # noqa: F403
from typing import Any

from gradus.engine.compat.absent import NotSupported, refuse

__getattr__ = refuse(__name__)


def get_all_sharing_strategies() -> set[str]:
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepted, without effect: tensors are not shared.

    Raises:
        AssertionError: if PyTorch has no such strategy.
    """
    assert new_strategy in get_all_sharing_strategies()


def spawn(
    fn: Any, args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False, **_: Any
) -> None:
    """Run `fn(0, *args)` in this process, if nprocs is 1.

    Raises:
        NotSupported: if nprocs is larger.
    """
    if nprocs != 1 or not join:
        raise NotSupported(
            f"gradus's engine trains in one process: torch.multiprocessing.spawn with {nprocs=}, {join=}"
        )
    fn(0, *args)
