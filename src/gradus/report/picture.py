"""A picture on a page: a PNG and what it shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A PNG, with its caption."""

    name: str
    caption: str
    png: bytes
