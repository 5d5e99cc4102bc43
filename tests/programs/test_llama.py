"""A Llama in bfloat16, its rotary embeddings in complex numbers, its weights in safetensors: the engine agrees with
PyTorch as far as bfloat16's 8 bits go, whichever of the two wrote the file.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import deserialize

SCRIPT = Path(__file__).parent / "scripts" / "llama" / "llama.py"
PYTORCH, ENGINE = [sys.executable, str(SCRIPT)], [sys.executable, "-m", "gradus", "run", str(SCRIPT)]


def run(command: list[str], where: Path) -> list[str]:
    done = subprocess.run(
        command, cwd=where, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with the weights as PyTorch wrote them, and one with the engine's."""
    theirs, ours = tmp_path_factory.mktemp("theirs"), tmp_path_factory.mktemp("ours")
    run([*PYTORCH, "write"], theirs)
    run([*ENGINE, "write"], ours)
    return theirs, ours


def test_both_write_the_same_weights(folders: tuple[Path, Path]) -> None:
    files = [(folder / "model.safetensors").read_bytes() for folder in folders]
    theirs, ours = (dict(deserialize(data)) for data in files)  # type: ignore[no-untyped-call]
    assert ours == theirs
    assert {tensor["dtype"] for tensor in ours.values()} == {"BF16"}


def test_reads_trains_and_writes_on_as_pytorch(folders: tuple[Path, Path]) -> None:
    theirs, ours = run(PYTORCH, folders[1]), run(ENGINE, folders[0])
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        name, *numbers = a.split()
        if name in ("logits", "gradient", "loss"):
            expected = np.array(b.split()[1:], float)
            within = 0.02 if name == "loss" else 0.04
            np.testing.assert_allclose(np.array(numbers, float), expected, atol=within * np.abs(expected).max())
        else:
            assert a == b
