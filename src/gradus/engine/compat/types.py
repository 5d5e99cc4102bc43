"""`torch.types`: names for annotations."""

from __future__ import annotations

import os
from typing import IO, Any, TypeAlias

from gradus.engine.dtypes import device

Number: TypeAlias = int | float | bool
Device: TypeAlias = device | str | int | None
FileLike: TypeAlias = str | os.PathLike[str] | IO[bytes]
BoolLikeType: TypeAlias = bool
IntLikeType: TypeAlias = int
FloatLikeType: TypeAlias = float
Storage: TypeAlias = Any
