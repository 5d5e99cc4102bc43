"""The maps and curves in the problem of an exercise are what its stub and its solution give."""

from __future__ import annotations

from types import ModuleType

from gradus import engine as torch
from gradus.learn.exercise import find
from gradus.learn.message import BARS
from gradus.learn.modules import install, module_from_text
from gradus.models import build_model


def stub_and_solution(name: str) -> list[ModuleType]:
    exercise = find(name)
    install({})
    return [module_from_text(name, text, name) for text in (exercise.stub, exercise.solution)]


def row(weights: list[float]) -> str:
    return "  ".join(f"{w:.2f}" if w else ".   " for w in weights) + f" = {sum(weights):.2f}"


def test_the_maps_of_attention_are_those_of_the_bug_and_of_the_solution() -> None:
    x, one = torch.randn((4, 2), generator=torch.Generator().manual_seed(2)) * 1.5, torch.eye(2)
    theirs, without = (m.head(x, one, one, one)[1].tolist() for m in stub_and_solution("wrong_map"))
    for left, right in zip(theirs, without, strict=True):
        assert f"    {row(left)}   {row(right)}\n" in find("wrong_map").stub


def losses_of_a_gpt(pieces: ModuleType, data: torch.Tensor, vocab_size: int) -> list[float]:
    torch.manual_seed(1)
    model = build_model("gpt", vocab_size=vocab_size, block_size=8, n_layer=1, n_head=1, n_embd=32)
    optimizer, draw = torch.optim.AdamW(model.parameters(), lr=0.01), torch.Generator().manual_seed(1)
    losses = []
    for _ in range(120):
        starts = torch.randint(1, len(data) - 9, (16,), generator=draw)
        loss = pieces.loss_of(lambda idx: model(idx)[0], *pieces.pieces(data, starts, 8))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_the_curves_that_are_too_good_are_those_of_the_bug_and_of_the_solution() -> None:
    text = module_from_text("checks", find("gpt").checks, "checks")
    curves = [losses_of_a_gpt(m, text.DATA, len(text.SYMBOLS)) for m in stub_and_solution("shifted")]
    highest = max(map(max, curves))
    drawn = [line.split()[-1] for line in find("shifted").stub.splitlines() if set(line) & set(BARS)]
    for bars, curve in zip(drawn, curves, strict=True):
        heights = [loss / highest * (len(BARS) - 1) for loss in curve[::3]]
        assert all(
            abs(BARS.index(bar) + 0.5 - h) < 0.7 for bar, h in zip(bars, heights, strict=True)
        )  # of its rounding
