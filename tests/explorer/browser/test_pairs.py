"""The Forward tab of the transformer and of the encoder in a browser: the numbers on the page are those of the
functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gradus.explorer.forward.encoder import answer, encoder_attention_row
from gradus.explorer.forward.translation import beam, translation, translation_row
from tests.explorer.browser.conftest import PageOf
from tests.explorer.models import opened
from tests.explorer.test_encoder import SIZES, classifier
from tests.explorer.test_translation import translator

if TYPE_CHECKING:
    from playwright.sync_api import Page


def values(page: Page, selector: str) -> list[float]:
    return [float(element.get_attribute("data-value") or "nan") for element in page.locator(selector).all()]


def test_the_words_of_a_translation_have_their_probabilities(page_of: PageOf) -> None:
    run = translator()
    page = page_of(run, text="abc")
    page.locator(".word").first.wait_for()
    assert values(page, ".word") == translation(run, "abc")["log_p"].tolist()
    page.locator("#target").fill("cba")
    page.locator(".word", has_text="c").first.wait_for()
    page.wait_for_function("document.querySelectorAll('.word').length === 4")
    assert values(page, ".word") == translation(run, "abc", "cba")["log_p"].tolist()
    assert "target=cba" in page.url


@pytest.mark.parametrize("part", ["cross", "encoder", "decoder"])
def test_a_cell_of_attention_is_told_with_its_formula(page_of: PageOf, part: str) -> None:
    run = translator()
    page = page_of(
        run, text="abcd", target="cba", layer=0, head=1, **{"translation.part": part, "looks.row": 2, "looks.col": 1}
    )
    page.locator(".looks-weight").wait_for()
    expected = translation_row(run, "abcd", "cba", part, 0, 1, 2)
    assert values(page, ".looks-weight") == [float(expected["weights"][1])]
    assert values(page, ".looks-score") == [float(expected["scores"][1])]
    assert values(page, ".looks-readout") == [float(expected["weights"][1])]


def test_a_head_is_chosen_and_a_cell_locked_and_freed_by_the_keyboard(page_of: PageOf) -> None:
    run = translator()
    page = page_of(run, text="abcd", target="cba", layer=1)
    page.get_by_role("button", name="Head 0").focus()
    page.keyboard.press("Enter")
    page.locator(".looks-map").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.locator(".looks-weight").wait_for()
    assert "looks.row=1" in page.url
    assert "looks.col=1" in page.url
    expected = translation_row(run, "abcd", "cba", "cross", 1, 0, 1)
    assert values(page, ".looks-weight") == [float(expected["weights"][1])]
    page.keyboard.press("Escape")
    assert "looks.row" not in page.url


def test_the_tree_and_its_table_are_the_search(page_of: PageOf) -> None:
    run = translator()
    page = page_of(run, text="abc", **{"beam.beams": 3})
    page.locator(".beam-node").first.wait_for()
    expected = beam(run, "abc", beams=3)
    candidates = [c for step in expected["steps"] for c in step]
    assert values(page, ".beam-node") == [c["log_p"] for c in candidates]
    assert [node.get_attribute("data-fate") for node in page.locator(".beam-node").all()] == [
        c["fate"] for c in candidates
    ]
    wins = [int(node.get_attribute("data-node") or "") for node in page.locator(".beam-node.wins").all()]
    assert wins == expected["found"][0]["path"]
    assert values(page, ".beam-found td") == [
        float(found[name]) for found in expected["found"] for name in ("length", "log_p", "divisor", "score")
    ]


def test_a_label_and_what_spoke_for_it(page_of: PageOf) -> None:
    run = classifier()
    page = page_of(run, text="the cat sat", layer=0, head=1, **{"looks.row": 2, "looks.col": 3})
    page.locator(".evidence-token").first.wait_for()
    expected = answer(run, "the cat sat")
    assert values(page, ".answer") == [found["p"] for found in expected["answers"]]
    assert values(page, ".evidence-token") == expected["contributions"].tolist()
    assert values(page, ".evidence-total, .evidence-logit, .evidence-rest") == [
        expected["sum"], expected["logit"], expected["rest"],
    ]  # fmt: skip
    other = expected["answers"][2]["id"]
    page.locator(f'.answer[data-id="{other}"]').click()
    page.locator(f'.answer[data-id="{other}"][aria-pressed="true"]').wait_for()
    assert values(page, ".evidence-token") == answer(run, "the cat sat", choice=other)["contributions"].tolist()
    page.get_by_role("button", name="all along the way").click()
    page.locator(".evidence-start").wait_for()
    along = answer(run, "the cat sat", choice=other, method="path")
    assert values(page, ".evidence-token") == along["contributions"].tolist()
    assert values(page, ".evidence-total, .evidence-start, .evidence-logit, .evidence-rest") == [
        along["sum"], along["start"], along["logit"], along["rest"],
    ]  # fmt: skip
    page.locator(".looks-weight").wait_for()
    assert values(page, ".looks-weight") == [float(encoder_attention_row(run, "the cat sat", 0, 1, 2)["weights"][3])]


def test_what_a_mask_may_hide(page_of: PageOf) -> None:
    run = opened("encoder", **SIZES)
    text = "t[MASK]e c[MASK]t"
    page = page_of(run, text=text)
    page.locator(".answer").first.wait_for()
    assert values(page, ".answer") == [found["p"] for found in answer(run, text)["answers"]]
    page.get_by_role("group", name="Which [MASK]").get_by_role("button", name="2").click()
    page.wait_for_url("**evidence.place=6**")
    page.locator('[aria-label="Which [MASK]"] button[aria-pressed="true"]', has_text="2").wait_for()
    assert values(page, ".answer") == [found["p"] for found in answer(run, text, place=6)["answers"]]


def test_the_focus_stays_on_the_button_that_was_pressed(page_of: PageOf) -> None:
    page = page_of(translator(), text="abcd", target="cba")
    page.get_by_role("button", name="Head 1").focus()
    page.keyboard.press("Enter")
    page.locator('.looks-head[aria-pressed="true"]', has_text="head 1").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Head 1"


@pytest.mark.parametrize("width", [800, 390])
def test_nothing_is_wider_than_the_page(page_of: PageOf, width: int) -> None:
    page = page_of(translator(), width=width, text="abcdeabcde", layer=0)
    page.locator(".beam-node").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
