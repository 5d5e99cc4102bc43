"""The address holds all of the state: the same link opens the same picture. And the keyboard alone does everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gradus.explorer.runs import Runs
from tests.explorer.browser.conftest import PageOf, served
from tests.explorer.models import opened, run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.mark.parametrize(
    "state",
    [
        {"tab": "forward", "token": 4, "layer": 1, "head": 1},
        {"tab": "sampling", "seed": 7, "temperature": 0.7, "top_k": 5},
        {"tab": "backward", "expr": "a=2; b=a*a; c=b+a", "step": 2},
    ],
    ids=lambda state: state["tab"],
)
def test_the_same_link_opens_the_same_picture(page_of: PageOf, browser: Browser, state: dict[str, object]) -> None:
    page = page_of(opened(), text="the cat sat", **state)
    first = picture(page)
    again = browser.new_page(viewport={"width": 1280, "height": 900})
    again.goto(page.url)
    again.wait_for_load_state("networkidle")
    assert picture(again) == first
    for key, value in state.items():
        assert f"{key}={value}" in again.url.replace("+", " ") or key == "expr"
    again.close()


def picture(page: Page) -> bytes:
    page.mouse.move(0, 0)
    return page.screenshot(full_page=True, animations="disabled", caret="hide")


@pytest.fixture
def start(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page of two runs, as the command opens it."""
    runs = [run(tmp_path / name).path for name in ("one", "two")]
    with served(Runs(lambda: runs)) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.locator(".runs button").first.wait_for()
        yield page
        page.close()


def tab_to(page: Page, place: str) -> None:
    """Press the tab key until what has the focus lies in a place."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("place => document.activeElement.closest(place) !== null", place):
            return
    raise AssertionError(f"the tab key does not lead to {place}")


def state_of(page: Page, key: str) -> str | None:
    found: str | None = page.evaluate("key => new URLSearchParams(location.hash.slice(1)).get(key)", key)
    return found


def test_the_keyboard_alone_leads_to_a_locked_head_and_back(start: Page) -> None:
    page = start
    tab_to(page, ".runs button")
    page.keyboard.press("Enter")
    page.locator("#text").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("the cat")
    page.keyboard.press("Escape")
    page.locator(".token").nth(6).wait_for()

    tab_to(page, ".token")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert state_of(page, "token") == "1"
    page.keyboard.press("]")
    page.keyboard.press("]")
    page.keyboard.press("ArrowUp")
    assert (state_of(page, "head"), state_of(page, "layer")) == ("1", "0")
    page.keyboard.press("Escape")
    assert [state_of(page, key) for key in ("token", "layer", "head")] == [None] * 3

    page.keyboard.press("2")
    assert state_of(page, "tab") == "sampling"
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    tab_to(page, ".brand")
    page.keyboard.press("Enter")
    page.locator(".runs button").first.wait_for()


def test_everything_that_can_be_clicked_has_a_name_and_can_be_reached(page_of: PageOf) -> None:
    for tab in ("forward", "sampling", "backward", "learning"):
        page = page_of(opened(), text="the cat sat", tab=tab)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, a[href], input, select, textarea, [role=button]")]
                .filter(e => e.offsetParent !== null || e instanceof SVGElement)
                .filter(e => !(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.textContent.trim()
                    || e.title || (e.labels && e.labels.length)))
                .map(e => e.outerHTML.slice(0, 200))"""
        )
        assert nameless == []
        lost = page.evaluate(
            "() => [...document.querySelectorAll('[role=button]')].filter(e => !e.hasAttribute('tabindex')).length"
        )
        assert lost == 0


@pytest.mark.parametrize("tab", ["forward", "sampling", "backward", "learning"])
def test_the_page_fits_a_phone(page_of: PageOf, tab: str) -> None:
    page = page_of(opened(), text="the cat sat", tab=tab, width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
