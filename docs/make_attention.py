"""Draws the picture of attention.md: `python docs/make_attention.py` trains a small Transformer to turn words round,
which takes about half a minute on two cores, and draws what it looked at."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).parent / "images" / "attention-reverse.svg"
SIZES = ["--n-layer", "2", "--n-embd", "64", "--steps", "300"]


def main() -> None:
    gradus = [sys.executable, "-m", "gradus"]
    with tempfile.TemporaryDirectory() as folder:
        run = str(Path(folder) / "run")
        subprocess.run([*gradus, "train", "reverse", "--model", "transformer", *SIZES, "-o", run], check=True)
        subprocess.run([*gradus, "sample", run, "--prompt", "gradus", "--attention", str(PICTURE)], check=True)


if __name__ == "__main__":
    main()
