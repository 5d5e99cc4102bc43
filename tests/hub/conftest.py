"""Where GPT-2's tokenizer is, for the tests that need it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def data_folder() -> Path:
    folder = os.environ.get("GRADUS_DATA")
    if not folder:
        pytest.skip("GRADUS_DATA does not name a folder with gpt2/encoder.json and gpt2/vocab.bpe")
    return Path(folder)
