"""Fine-tuning on the command line: `gradus train --init-from`, with frozen parts and LoRA, and `gradus merge`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import SMALL, gradus, refused, write_stream


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    result = gradus("train", write_stream(folder), *SMALL, "--steps", 30, "--out", folder / "run")
    assert result.exit_code == 0, result.output
    return folder / "run"


def test_a_run_of_lora_is_sampled_measured_and_merged(base: Path, tmp_path: Path) -> None:
    text = write_stream(tmp_path, 2000)
    lora, merged = tmp_path / "lora", tmp_path / "merged"
    result = gradus("train", text, "--from", base, "--lora-rank", 2, "--steps", 10, "-o", lora)
    assert result.exit_code == 0, result.output
    assert "gpt: sees 8 tokens; trains 256 of 1,208 parameters, 10 steps" in result.stdout
    assert gradus("merge", lora, "-o", merged).stdout == f"run      {merged}\ngenerate gradus sample {merged}\n"
    greedy = ("--temperature", 0, "--length", 30)
    assert gradus("sample", merged, *greedy).stdout == gradus("sample", lora, *greedy).stdout
    assert gradus("eval", merged).stdout == gradus("eval", lora).stdout
    assert (
        refused("merge", base) == f"{base} is a plain run: nothing was adapted by LoRA, and there is nothing to merge"
    )
    assert refused("train", "--resume", merged, "--steps", 20) == (
        f"{merged} is a merged run; train it further by gradus train CORPUS --init-from {merged}"
    )
    assert gradus("train", text, "--from", merged, "--steps", 1, "-o", tmp_path / "on").exit_code == 0
    assert gradus("train", "--resume", lora, "--steps", 15).exit_code == 0


def test_frozen_parts_are_counted_in_the_introduction(base: Path, tmp_path: Path) -> None:
    text = write_stream(tmp_path, 2000)
    result = gradus("train", text, "--from", base, "--freeze", "blocks", "--steps", 1, "-o", tmp_path / "run")
    assert "trains " in result.stdout
    assert "the model has no part 'head'" in refused("train", text, "--from", base, "--freeze", "head")
