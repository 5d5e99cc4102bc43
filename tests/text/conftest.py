"""Where the downloaded files are, for the tests that need them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from gradus.text import BPETokenizer, load_tokenizer


@pytest.fixture
def data_folder() -> Path:
    folder = os.environ.get("GRADUS_DATA")
    if not folder:
        pytest.skip("GRADUS_DATA does not name a folder with names.txt and tinyshakespeare.txt")
    return Path(folder)


@pytest.fixture
def gpt2(data_folder: Path) -> BPETokenizer:
    """GPT-2's tokenizer, read once."""
    return _gpt2(data_folder)


@cache
def _gpt2(folder: Path) -> BPETokenizer:
    tokenizer = load_tokenizer(folder / "gpt2")
    assert isinstance(tokenizer, BPETokenizer)
    return tokenizer
