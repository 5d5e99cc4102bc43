"""An exported page is one file: it works from the disk, without a server, and shows what was on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gradus.explorer.export import MOST
from tests.cli.commands import gradus, refused
from tests.explorer.browser.conftest import PageOf, is_fault
from tests.explorer.models import opened, run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def exported(page: Page, folder: Path) -> Path:
    """The file that the page's button gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.parametrize("tab", ["forward", "sampling"])
@pytest.mark.parametrize("kind", ["gpt", "nplm"])
def test_an_exported_page_shows_from_a_file_what_was_on_the_screen(
    page_of: PageOf, browser: Browser, tmp_path: Path, kind: str, tab: str
) -> None:
    page = page_of(opened(kind), text="the cat", tab=tab, token=3)
    path = exported(page, tmp_path)
    assert path.stat().st_size < MOST
    page.wait_for_load_state("networkidle")
    alone = browser.new_page(viewport={"width": 1280, "height": 900})
    faults: list[str] = []
    alone.on("console", lambda said: faults.append(said.text) if is_fault(said) else None)
    alone.on("pageerror", lambda error: faults.append(str(error)))
    alone.on(
        "request", lambda asked: faults.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None
    )
    alone.goto(path.as_uri())
    alone.locator(".panel").first.wait_for()
    for shown in (alone, page):
        shown.evaluate("document.dispatchEvent(new Event('drawall'))")  # what is out of sight, too
    for _ in range(60):  # until both stand, on a busy machine too
        if numbers(alone) == numbers(page):
            break
        alone.wait_for_timeout(250)
    assert numbers(alone) == numbers(page)
    assert not faults
    alone.close()


def numbers(page: Page) -> list[str]:
    """Every number on the page that a test may read."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('#panels [data-value], .token')].map(e => e.dataset.value ?? e.textContent)"
    )
    return found


def test_the_command_writes_the_page_that_a_link_shows(browser: Browser, tmp_path: Path) -> None:
    run(tmp_path, "bigram", steps=1)
    out = tmp_path / "page.html"
    link = "http://127.0.0.1:1/#tab=forward&text=the+cat&seed=5"
    assert gradus("explore", tmp_path / "bigram", "--state", link, "--export", out).exit_code == 0
    page = browser.new_page()
    page.goto(out.as_uri())
    page.locator(".panel").first.wait_for()
    assert page.locator(".token").all_inner_texts() == [*"the␣cat"]
    page.close()


@pytest.mark.usefixtures("browser")
def test_an_export_that_cannot_be_is_refused_in_one_line(tmp_path: Path) -> None:
    run(tmp_path, "bigram", steps=1)
    command = ["explore", tmp_path / "bigram", "--export", tmp_path / "page.html", "--state"]
    assert "there is no run 'other'" in refused(*command, "run=other")
    assert refused("explore", "--export", "page.html") == "--export needs the RUN that it shows"
