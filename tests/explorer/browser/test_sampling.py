"""The Sampling tab in a browser: the numbers that stand on the page are those of the function, and the text that is
stepped through is the one that `gradus sample` writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from gradus.cli import main
from gradus.explorer.sampling import sampling
from tests.explorer.browser.conftest import PageOf
from tests.explorer.models import opened, run

if TYPE_CHECKING:
    from playwright.sync_api import Page

RULE: dict[str, Any] = {"temperature": 0.8, "top_k": 9, "top_p": 0.9}


def value(page: Page, selector: str) -> float:
    return float(page.locator(selector).first.get_attribute("data-value") or "nan")


def step_to(page: Page, step: int) -> None:
    page.locator(f'.sampling-step[data-value="{step}"]').wait_for()


def test_ten_steps_write_what_gradus_sample_writes(page_of: PageOf, tmp_path: Path) -> None:
    made = run(tmp_path, steps=2)
    page = page_of(made.path, tab="sampling", text="the ", seed=3, **RULE)
    for step in range(10):
        step_to(page, step)
        page.get_by_role("button", name="the next token").click()
    step_to(page, 10)
    arguments = ["--prompt", "the ", "--seed", "3", "--temperature", "0.8", "--top-k", "9", "--top-p", "0.9"]
    written = CliRunner().invoke(main, ["sample", str(made.path), *arguments, "--length", "11"])
    assert written.exit_code == 0, written.output
    page.locator(".sampling-same summary").click()
    shown = page.locator(".sampling-printed").inner_text()
    assert shown == written.output.removesuffix("\n")
    assert page.locator(".sampling-command").inner_text().split("--", 1)[1] == (
        "prompt 'the ' --seed 3 --temperature 0.8 --top-k 9 --top-p 0.9"
    )
    page.keyboard.press("ArrowLeft")  # and back
    step_to(page, 9)
    assert page.locator(".sampling-printed").inner_text() == shown[:-1].removesuffix("\n")


def test_every_stage_and_the_race_show_the_functions_numbers(page_of: PageOf) -> None:
    gpt = opened()
    given = {"seed": 4, "sampling.min_p": 0.05, "sampling.penalty": 1.3, **RULE}
    page = page_of(gpt, tab="sampling", text="the cat", step=5, **given)
    step_to(page, 5)
    expected = sampling(gpt, "the cat", 5, seed=4, min_p=0.05, repetition_penalty=1.3, **RULE)
    for stage in expected["stages"]:
        card = f'.stage[data-stage="{stage["name"]}"]'
        assert value(page, f"{card} .stage-left") == stage["left"]
        for rank in range(8):
            row = page.locator(f'{card} .stage-row[data-rank="{rank}"]')
            assert float(row.get_attribute("data-value") or "") == float(stage["p"][rank])
            assert ("cut" in (row.get_attribute("class") or "").split()) == (not stage["kept"][rank])
            if stage["name"] == "logits":
                assert float(row.get_attribute("data-logit") or "") == float(expected["logits"][rank])
    racers = expected["draw"]["racers"]
    rows = page.locator(".race-table tbody tr")
    assert rows.count() == len(racers)
    for i, racer in enumerate(racers):
        shown = [float(cell.get_attribute("data-value") or "") for cell in rows.nth(i).locator("td").all()]
        assert shown == [racer["p"], racer["u"], racer["q"], racer["ratio"]]
    assert page.locator(".share.drawn").get_attribute("data-rank") == str(expected["draw"]["rank"])


def test_a_setting_changes_the_draw_and_stands_in_the_address(page_of: PageOf) -> None:
    gpt = opened()
    page = page_of(gpt, tab="sampling", text="the cat", step=2, seed=4)
    page.get_by_label("Temperature", exact=True).fill("0")
    page.keyboard.press("Enter")
    page.get_by_text("no random number is used").wait_for()
    expected = sampling(gpt, "the cat", 2, seed=4, temperature=0.0)
    assert "temperature=0" in page.url
    tokens = page.locator(".token.drawn").all_inner_texts()
    assert [token.replace("␣", " ") for token in tokens] == [token["piece"] for token in expected["written"]]
    page.get_by_role("spinbutton", name="Top-k").fill("0")
    page.keyboard.press("Enter")  # not valid: nothing changes
    assert "top_k" not in page.url


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_page(page_of: PageOf, width: int) -> None:
    page = page_of(opened(), width=width, tab="sampling", text="the cat sat on the mat", step=30, **RULE)
    step_to(page, 30)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_documents_are_stepped_through_one_after_the_other(page_of: PageOf) -> None:
    names = opened(text=". abcdefg")
    names.text_kind = "documents"
    page = page_of(names, tab="sampling", text="ab", step=40, seed=1)
    step_to(page, 40)
    expected = sampling(names, "ab", 40, seed=1)["texts"]
    page.locator(".sampling-same summary").click()
    assert (page.locator(".sampling-printed").text_content() or "").split("\n") == expected
    assert page.locator(".sampling-text").count() == len(expected)
