"""`torch.backends.cudnn`: settings of NVIDIA's library, without effect."""

from __future__ import annotations

from gradus.engine.compat.absent import refuse

allow_tf32 = True
benchmark = False
deterministic = False
enabled = True


def is_available() -> bool:
    return False


def version() -> None:
    """None: the library is not available."""
    return


__getattr__ = refuse(__name__)
