"""The page in a real browser. Tests are skipped, saying why, where there is none."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from gradus.explorer import VIEWS, Opened, View
from gradus.explorer.runs import Runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

PROGRAMS = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

REFUSED = "responded with a status of 4"  # what the page itself tells the reader

PageOf = Callable[..., "Page"]


@contextmanager
def served(runs: Runs, views: Mapping[str, View] = VIEWS) -> Iterator[str]:
    """A server of these runs, in a thread; gives its address."""
    from gradus.explorer.serve import bound, server_at

    place = bound(None)
    server, address = server_at(place, runs, views)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
    thread.start()
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join()
        server.page.first_model.stop()
        place.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    pytest.importorskip("playwright", reason="the browser is driven by Playwright, which the dev extra brings")
    pytest.importorskip("uvicorn", reason="the page is served by uvicorn, which the web extra brings")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def page_of(browser: Browser) -> Iterator[PageOf]:
    """page_of(run, text="ab", layer=1, ...): the page of a run, an `Opened` or a run's folder, in the state that is
    given, when it has come to rest. `width`, `height` and `dark` are the browser's.

    What the browser says of errors on the page, at the end of a test, fails it: what it has written to the console, and
    requests to anywhere else.
    """
    with ExitStack() as ends:
        faults: list[str] = []

        def open_page(
            run: Opened | str | Path, *, width: int = 1280, height: int = 900, dark: bool = False, **state: Any
        ) -> Page:
            runs = Runs(lambda: [run] if not isinstance(run, Opened) else [])
            id_ = runs.add(run) if isinstance(run, Opened) else runs.listed()[0]["id"]
            address = ends.enter_context(served(runs))
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
            )
            ends.callback(page.close)
            page.set_default_timeout(10_000)
            page.on("pageerror", lambda error: faults.append(f"{error}"))
            page.on("console", lambda said: faults.append(said.text) if is_fault(said) else None)
            page.on("request", lambda asked: faults.append(asked.url) if not own(asked.url, address) else None)
            page.goto(f"{address}#{urlencode({'run': id_, **state})}")
            page.wait_for_load_state("networkidle")
            return page

        yield open_page
    assert not faults, "\n".join(faults)


def is_fault(said: ConsoleMessage) -> bool:
    return said.type == "error" and REFUSED not in said.text


def own(url: str, address: str) -> bool:
    """Whether a request stays at the page's address."""
    return url.startswith((address, "data:", "blob:"))
