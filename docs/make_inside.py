"""Draws the pictures of inside.md: `python docs/make_inside.py` trains three small models with --diagnose, which takes
about a minute on two cores, and copies what they drew to docs/images/."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parent / "images"

RUNS = {
    "ngram": (["--order", "2"], ["counts"]),
    "mlp": (
        ["--n-layer", "4", "--norm", "none", "--init", "plain", "--steps", "500"],
        ["activations", "saturation", "saturated-over-time", "gradients"],
    ),
    "gpt": (
        ["--n-layer", "2", "--steps", "600"],
        ["text", "embedding", "attention-0", "attention-1", "updates", "gradient-norm", "weight-gradients"],
    ),
}


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for model, (settings, pictures) in RUNS.items():
            run = Path(folder) / model
            command = [sys.executable, "-m", "gradus", "train", "words", "--model", model, *settings]
            subprocess.run([*command, "-o", str(run), "--diagnose"], check=True)
            for picture in pictures:
                shutil.copy(run / "diagnostics" / f"{picture}.png", IMAGES / f"inside-{picture}.png")


if __name__ == "__main__":
    main()
