"""The checksum of TensorBoard's records: CRC-32C (Castagnoli, 1993), masked, because the CRC of data that contains CRCs
is problematic.
"""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, its bits in reverse
_MASK = 0xA282EAD8


def crc32c(data: bytes) -> int:
    """The CRC-32C of data; of b"123456789" it is 0xE3069283."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """The checksum as TFRecord files store it: rotated right by 15 bits, plus a constant."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = [_entry(byte) for byte in range(256)]
