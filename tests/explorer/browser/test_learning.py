"""The Learning tab in a browser: what it shows of a run over time is what the functions give."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gradus.explorer import open_run
from gradus.explorer.learning.compare import compare
from gradus.explorer.learning.lines import lines
from gradus.explorer.learning.moment import inside, like
from gradus.explorer.learning.motion import embeddings, said
from gradus.training import RunFolder
from tests.explorer.browser.conftest import PageOf
from tests.explorer.models import run

TEXT = "the cat sat"
PATIENCE = 40_000  # milliseconds: each moment of a training is a pass of its own


@pytest.fixture(scope="module")
def gpt(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run(tmp_path_factory.mktemp("runs"), "gpt", steps=40, learning_rate=0.01, moments=8)


def test_a_moment_s_numbers_on_the_page_are_those_of_its_weights(page_of: PageOf, gpt: RunFolder) -> None:
    page = page_of(gpt.path, tab="learning", text=TEXT, moment="8")
    page.set_default_timeout(PATIENCE)
    at_8 = open_run(gpt.path, "8")
    page.locator("#panel-learning .lr-reading li").first.wait_for()
    assert float(page.locator("#moment-loss").get_attribute("data-value") or "") == like(at_8)["loss"]
    shown = {
        bar.get_attribute("data-name"): float(bar.get_attribute("data-value") or "")
        for bar in page.locator(".distances li").all()
    }
    assert shown == like(at_8)["distance"]
    levels = [float(line.get_attribute("data-value") or "") for line in page.locator("#panel-learning .level").all()]
    told = lines(open_run(gpt.path))
    assert levels == [told[name] for name in ("uniform", "unigram", "bigram", "trigram")]

    over_time = said(open_run(gpt.path), TEXT)
    at = over_time["step"].index(8)
    bars = page.locator("#panel-learning-says .surprise")
    values = [float(bar.get_attribute("data-value") or "") for bar in bars.all()]
    np.testing.assert_array_equal(values, over_time["surprise"][at])

    points = embeddings(open_run(gpt.path))["points"][at]
    page.wait_for_function(
        "x => Number(document.querySelector('.plane-token')?.dataset.x) === x", arg=float(points[0, 0])
    )
    drawn = [
        [float(token.get_attribute(name) or "") for name in ("data-x", "data-y")]
        for token in page.locator(".plane-token").all()
    ]
    np.testing.assert_array_equal(drawn, points)
    spread = page.locator("#panel-learning-inside .lr-small span")
    assert float(spread.first.get_attribute("data-value") or "") == inside(at_8)["std"][0]


def test_the_slider_moves_by_the_keyboard_and_the_forward_tab_shows_the_same_moment(
    page_of: PageOf, gpt: RunFolder
) -> None:
    page = page_of(gpt.path, tab="learning", text=TEXT)
    page.set_default_timeout(PATIENCE)
    slider = page.locator("input.moments")
    slider.focus()
    slider.press("Home")
    assert "moment=0" in page.url
    slider.press("ArrowRight")
    assert "moment=1" in page.url
    assert slider.get_attribute("aria-valuetext") == "after step 1"
    assert "after step 1" in page.locator(".moment-chip").inner_text()
    page.locator("#tab-forward").click()
    assert "after step 1" in page.locator(".moment-chip").inner_text()
    page.locator(".moment-chip button").click()
    assert "moment=" not in page.url


def test_two_moments_side_by_side(page_of: PageOf, gpt: RunFolder) -> None:
    page = page_of(gpt.path, tab="learning", text=TEXT, moment="1")
    page.set_default_timeout(PATIENCE)
    page.locator("#run2").select_option(index=1)
    page.locator("#moment2 option[value='32']").wait_for(state="attached")
    page.locator("#moment2").select_option("32")
    told = compare(open_run(gpt.path, "1"), open_run(gpt.path, "32"), TEXT)
    page.wait_for_function(
        "x => Number(document.querySelector('#second-mean')?.dataset.value) === x", arg=told["second_mean"]
    )
    differences = [float(bar.get_attribute("data-value") or "") for bar in page.locator(".both .surprise").all()]
    np.testing.assert_array_equal(differences, told["difference"])


def test_a_run_that_trains_is_followed(page_of: PageOf, gpt: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(gpt.path, tmp_path / "live")
    live = RunFolder(tmp_path / "live")
    live.log({"step": 41, "train_loss": 1.25})
    page = page_of(live.path, tab="learning", text=TEXT)
    page.set_default_timeout(PATIENCE)
    assert "training now" in page.locator("#panel-learning").inner_text()
    with open(live.path / "metrics.jsonl", "a") as file:
        file.write('{"step": 42, "train_loss": 1.125}\n{"step": 43, "tr')
    page.locator("#panel-learning [data-last-step='42']").wait_for()
