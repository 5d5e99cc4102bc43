"""The page around the panels: it shows the run's tokens, keeps its state in the address, and works by the keyboard."""

from __future__ import annotations

from gradus.explorer.overview import about, tokens
from tests.explorer.browser.conftest import PageOf
from tests.explorer.models import opened


def test_the_page_shows_the_tokens_that_the_model_reads(page_of: PageOf) -> None:
    gpt = opened()
    page = page_of(gpt, text="the cat sat on the mat")
    shown = page.locator(".token").all_inner_texts()
    assert [piece.replace("␣", " ") for piece in shown] == tokens(gpt, "the cat sat on the mat")["pieces"]
    assert f"{about(gpt)['parameters']:,} parameters" in page.locator(".run-facts").inner_text()


def test_a_character_that_the_model_does_not_know_is_told_in_one_line(page_of: PageOf) -> None:
    gpt = opened()
    page = page_of(gpt, text="the cat")
    page.locator("#text").fill("the c%t")
    told = page.locator(".text-bar .error")
    told.wait_for()
    assert "'%'" in told.inner_text()
    page.locator("#text").fill("the mat")
    page.locator(".token", has_text="m").wait_for()
    assert not told.is_visible()
