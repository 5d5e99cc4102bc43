"""The version: the PyTorch release whose behaviour the engine follows, then gradus's after the plus sign."""

from __future__ import annotations

from gradus import __version__ as _gradus

__version__ = f"2.13.0+gradus.{_gradus}"
cuda = None
hip = None
debug = False
git_version = None
