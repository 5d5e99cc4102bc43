"""The command that damages runs and kills trainings, a part of it: `make damage` takes minutes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DAMAGE = Path(__file__).parent.parent.parent / "benchmarks" / "damage.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="os.fork")
def test_300_damages_and_100_kills_lose_nothing_and_pass_nothing_in_silence() -> None:
    done = subprocess.run([sys.executable, str(DAMAGE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("\n0 faults\n")
