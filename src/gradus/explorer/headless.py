"""A browser that opens a page out of sight, so that a command can do what only the page knows."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Chromium and the browsers made of it, by the names that systems give them.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "msedge")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1280,900",
    "--remote-debugging-port=0",  # without it, it ends as soon as the page is loaded
)


def find_browser() -> str | None:
    """The path of a browser that can work out of sight, if there is one."""
    found = (shutil.which(program) for program in (*PROGRAMS, *APPLICATIONS))
    return next((path for path in found if path is not None), None)


@contextmanager
def opened_out_of_sight(program: str, address: str) -> Iterator[None]:
    """Within it, the browser shows the page, with a profile of its own that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="gradus-", ignore_cleanup_errors=True) as profile:
        own = [f"--user-data-dir={profile}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            own.append("--no-sandbox")  # which a browser cannot have when it is started by root
        command = [program, *ARGUMENTS, *own, address]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait()
