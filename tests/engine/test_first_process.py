"""The process that compiles the loops computes, to the last bit, what later processes compute that load them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import hashlib
from tests.engine.test_training_curve import Training

training = Training()
for _ in range(3):
    training.step()
for parameter in training.model.parameters():
    print(hashlib.sha256(parameter.detach().numpy().tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_a_first_process_trains_to_the_same_bytes_as_a_second(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert "compiling loops" in first.stderr
    assert "compiling loops" not in second.stderr
    assert first.stdout == second.stdout != ""
