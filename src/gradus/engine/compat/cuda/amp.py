"""`torch.cuda.amp`: the older names of `torch.amp`."""

from __future__ import annotations

from gradus.engine.compat import amp
from gradus.engine.compat.absent import refuse
from gradus.engine.compat.amp import GradScaler as GradScaler
from gradus.engine.dtypes import dtype, float16

__all__ = ["GradScaler", "autocast"]


class autocast(amp.autocast):
    """`torch.amp.autocast("cuda")`, of which nothing is warned: without a GPU it is off."""

    def __init__(self, enabled: bool = True, dtype: dtype = float16, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled=False, cache_enabled=cache_enabled)


__getattr__ = refuse(__name__)
