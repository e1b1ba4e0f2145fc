"""Chromium of the system, driven by Playwright; never a browser that a package downloads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserType, expect, sync_playwright

TIMEOUT_MS = 120_000
"""Milliseconds that a test waits for a page at most: that a machine is busy is no fault of the page."""
expect.set_options(timeout=TIMEOUT_MS)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page lives for a second: to compile its scripts well takes longer than they run.
    "--js-flags=--no-opt --no-maglev --min-semi-space-size=64 --max-semi-space-size=64",
]

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The shell is the same engine without the windows around it: a page takes it two thirds of the time."""


def program() -> str | None:
    """The path of a system Chromium, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def why_missing() -> str:
    """Empty when a browser can be started, else the reason."""
    return "" if program() else "no Chromium found; install the package chromium-headless-shell or chromium"


@contextmanager
def running_browser(*, path: str | None = None) -> Iterator[Browser]:
    """A headless browser with an empty profile; another one than tests use where its path is given."""
    with sync_playwright() as playwright:
        browser = launched(playwright.chromium, path=path)
        try:
            yield browser
        finally:
            browser.close()


def launched(chromium: BrowserType, *, path: str | None = None, flags: tuple[str, ...] = ()) -> Browser:
    """A headless browser whose pages are all waited for as long as `TIMEOUT_MS` says."""
    browser = chromium.launch(executable_path=path or program(), args=[*FLAGS, *flags])
    browser.on("context", lambda context: context.set_default_timeout(TIMEOUT_MS))
    return browser
