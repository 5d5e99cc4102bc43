"""`torch.__version__`: a string that compares as a version, with strings and with tuples such as (1, 10)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gradus.engine.compat.version import __version__ as _text

__all__ = ["TorchVersion"]


class TorchVersion(str):
    """TorchVersion("2.13.0") > "2.9" and > (2, 9), although "2.13.0" < "2.9" as strings."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        return _release(self) < _release(other)

    def __le__(self, other: object) -> bool:
        return _release(self) <= _release(other)

    def __gt__(self, other: object) -> bool:
        return _release(self) > _release(other)

    def __ge__(self, other: object) -> bool:
        return _release(self) >= _release(other)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str) and "+" in other:
            return str.__eq__(self, other)
        return "+" not in self and isinstance(other, (str, tuple, list)) and _release(self) == _release(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def _release(version: object) -> tuple[int, ...]:
    """The numbers of a release, without trailing zeros: (2, 13) for "2.13.0+cpu"."""
    if isinstance(version, str) or not isinstance(version, Iterable):
        parts = re.match(r"v?(\d+(?:\.\d+)*)", str(version))
        if parts is None:
            raise TypeError(f"{version!r} is no version")
        numbers = [int(part) for part in parts[1].split(".")]
    else:
        numbers = [int(part) for part in version]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


__version__ = TorchVersion(_text)
