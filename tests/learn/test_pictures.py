"""The maps and curves in the problem of an exercise are what its stub and its solution give."""

from __future__ import annotations

from gradus import engine as torch
from gradus.learn.exercise import find
from gradus.learn.modules import install, module_from_text


def row(weights: list[float]) -> str:
    return "  ".join(f"{w:.2f}" if w else ".   " for w in weights) + f" = {sum(weights):.2f}"


def test_the_maps_of_attention_are_those_of_the_bug_and_of_the_solution() -> None:
    exercise = find("wrong_map")
    x, one = torch.randn((4, 2), generator=torch.Generator().manual_seed(2)) * 1.5, torch.eye(2)
    install({})
    theirs, without = (
        module_from_text("head", text, "head").head(x, one, one, one)[1].tolist()
        for text in (exercise.stub, exercise.solution)
    )
    for left, right in zip(theirs, without, strict=True):
        assert f"    {row(left)}   {row(right)}\n" in exercise.stub
