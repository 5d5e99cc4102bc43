"""The messages of an event file, encoded as protocol buffers: the few that TensorBoard needs for scalars, histograms,
texts and images. A field is its number and wire type, then its value; a message is its fields one after the other.

The numbers are those of TensorFlow's event.proto, summary.proto and tensor.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_STRING_TENSOR = 7  # DT_STRING


def event(wall_time: float, step: int = 0, *, summary: bytes = b"", file_version: str = "") -> bytes:
    """Event: a time (seconds since 1970), a training step, and a summary."""
    return (
        _double(1, wall_time)
        + (_varint(2, step) if step else b"")
        + (_text(3, file_version) if file_version else b"")
        + (_message(5, summary) if summary else b"")
    )


def scalar(tag: str, value: float) -> bytes:
    """Summary of one number."""
    return _message(1, _text(1, tag) + _float(2, value))


def text(tag: str, content: str) -> bytes:
    """Summary of one text, which TensorBoard shows as Markdown."""
    one = _message(2, _varint(1, 1))  # a dimension of size 1
    tensor = _varint(1, _STRING_TENSOR) + _message(2, one) + _text(8, content)
    plugin = _message(1, _text(1, "text"))
    return _message(1, _text(1, tag + "/text_summary") + _message(8, tensor) + _message(9, plugin))


def histogram(
    tag: str,
    least: float,
    greatest: float,
    count: float,
    total: float,
    total_of_squares: float,
    limits: Sequence[float],
    counts: Sequence[float],
) -> bytes:
    """Summary of many numbers: counts[i] of them lie in (limits[i-1], limits[i]]."""
    proto = b"".join(_double(i, x) for i, x in enumerate((least, greatest, count, total, total_of_squares), start=1))
    proto += _message(6, struct.pack(f"<{len(limits)}d", *limits)) + _message(
        7, struct.pack(f"<{len(counts)}d", *counts)
    )
    return _message(1, _text(1, tag) + _message(5, proto))


def image(tag: str, height: int, width: int, channels: int, png: bytes) -> bytes:
    """Summary of one picture."""
    proto = _varint(1, height) + _varint(2, width) + _varint(3, channels) + _message(4, png)
    return _message(1, _text(1, tag) + _message(4, proto))


def _varint(field: int, value: int) -> bytes:
    return _digits(field << 3 | _VARINT) + _digits(value % (1 << 64))


def _double(field: int, value: float) -> bytes:
    return _digits(field << 3 | _FIXED64) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _digits(field << 3 | _FIXED32) + struct.pack("<f", value)


def _message(field: int, content: bytes) -> bytes:
    return _digits(field << 3 | _BYTES) + _digits(len(content)) + content


def _text(field: int, content: str) -> bytes:
    return _message(field, content.encode())


def _digits(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
