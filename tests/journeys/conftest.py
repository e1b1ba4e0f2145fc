"""The whole of Gatehouse as `make run` starts it, and a browser that walks through it."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from console.demo.broker import free_port
from console.demo.password import PASSWORD
from console.demo.supervisor import PREPARED, ProcessSupervisor, base_environment
from tests.journeys.axe import STILL
from tests.patience import PATIENCE_S
from tests.services.browser import TIMEOUT_MS

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 420
ONLY_FOR_TESTS = frozenset({"DATABASE_URL", "REDIS_URL", "GATEHOUSE_SECRET_KEY", "GATEHOUSE_AWS_RATE"})


@dataclass(slots=True)
class Running:
    """A running console: where it is, where its data lie, and its supervisor."""

    url: str
    var: Path
    process: subprocess.Popen[bytes]
    output: Path

    def text(self) -> str:
        """What the supervisor has printed."""
        return self.output.read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        """Wait for the line that prints the address."""
        deadline = time.monotonic() + READY_SECONDS
        while "Gatehouse is ready" not in self.text():
            assert self.process.poll() is None, f"the supervisor ended: {self.text()}"
            assert time.monotonic() < deadline, f"not ready in {READY_SECONDS} s: {self.text()}"
            time.sleep(0.2)

    def wait_until_read(self, *, accounts: int = 5) -> None:
        """Wait until the first reading of every account has ended, and whose their users are was worked
        out.
        """
        query = (
            "SELECT MIN((SELECT COUNT(DISTINCT account_id) FROM mirror_pull WHERE state = 'complete'), "
            "(SELECT COUNT(*) FROM linking_worked))"
        )
        self.wait_for(query, least=accounts)

    def database(self) -> closing[sqlite3.Connection]:
        """Its database, closed at the end of a `with`."""
        return closing(sqlite3.connect(self.var / "gatehouse.sqlite3", timeout=PATIENCE_S))

    def wait_for(self, query: str, *, least: int) -> None:
        """Wait until the number that a query finds in the database is so high."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with self.database() as database:
                if database.execute(query).fetchone()[0] >= least:
                    return
            assert time.monotonic() < deadline, f"not in {READY_SECONDS} s: {query}"
            time.sleep(0.3)

    def stop(self) -> None:
        """Stop it as Ctrl-C stops it; one that has ended has."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=TIMEOUT_MS / 1000)


def start_console(var: Path, **variables: str) -> Running:
    """Start the supervisor on free ports over the data folder, in this environment with some variables
    more.
    """
    port, output = free_port(), var.parent / f"{var.name}.out"
    environment = {k: v for k, v in os.environ.items() if k not in ONLY_FOR_TESTS}
    environment |= {"GATEHOUSE_BIND": f"127.0.0.1:{port}", "GATEHOUSE_VAR": str(var)} | variables
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "console.demo.supervisor"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    return Running(f"http://127.0.0.1:{port}", var, process, output)


@contextmanager
def running_web(var: Path, redis_url: str) -> Iterator[Running]:
    """The web server alone, for what looks at pages and sends forms: it is there in a sixth of the time.

    What it hands to workers stays in the queue, and nothing is migrated: the data folder is a prepared one.
    """
    port = free_port()
    environment = {k: v for k, v in base_environment(var).items() if k not in ONLY_FOR_TESTS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEHOUSE_BIND", f"127.0.0.1:{port}")
        web = ProcessSupervisor(var).web(environment | {"REDIS_URL": redis_url})
    (var / PREPARED).touch()
    web.start()
    assert web.process
    running = Running(f"http://127.0.0.1:{port}", var, web.process, web.log)
    try:
        assert web.wait_ready(seconds=READY_SECONDS), running.text()
        yield running
    finally:
        running.stop()


IS_QUIET = """
    SELECT (SELECT COUNT(*) FROM onboarding_run WHERE state = 'done') > 0
    AND (SELECT COUNT(*) FROM grants_grant WHERE state = 'active') > 1
    AND (SELECT COUNT(*) FROM audit_reviews_reviewcampaign) > 2
    AND NOT EXISTS (SELECT 1 FROM changes_change WHERE state NOT IN ('applied', 'failed', 'awaiting_approval'))
    AND NOT EXISTS (SELECT 1 FROM mirror_pull WHERE state IN ('queued', 'running'))
"""  # noqa: E501
"""Whether the samples of the organisation are given and nothing is in progress; one of them waits for
approval.
"""


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which every account is read and the samples are given: made once for all test
    processes, to be copied.
    """
    root = tmp_path_factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "prepared"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "var").exists():
            begun = folder / f"begun-{os.getpid()}"
            begun.mkdir()
            started = start_console(begun / "var")
            try:
                started.wait_until_ready()
                started.wait_until_read()
                started.wait_for(IS_QUIET, least=1)
            finally:
                started.stop()
            started.var.rename(folder / "var")
    return folder / "var"


@pytest.fixture(scope="package")
def console(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[Running]:
    """One console for all journeys of this process, which ends with them."""
    var = tmp_path_factory.mktemp("console") / "var"
    shutil.copytree(prepared, var)
    started = start_console(var)
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.stop()


def open_when(page: Page, address: str, *, says: str) -> None:
    """Ask for an address until one of its texts is as this pattern, and open it then: nothing is drawn
    meanwhile.
    """
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while True:
        main = page.request.get(address).text().partition("<main")[2]
        if any(re.fullmatch(says, text.strip()) for text in re.split("<[^>]*>", main)):
            break
        assert time.monotonic() < deadline, f"{says} is not on {address}"
        page.wait_for_timeout(500)
    page.goto(address)


def send(button: Locator) -> None:
    """Press a button, and wait until what it sends was answered: to open a page before that takes it back."""
    page = button.page
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        button.click()
    page.wait_for_load_state()


def clicks_on(page: Page) -> list[str]:
    """What is pressed on a page with the mouse from its next address on, each by its text."""
    clicks: list[str] = []
    page.expose_function("pressed", lambda text: clicks.append(text))
    page.add_init_script(
        "addEventListener('pointerdown', (event) => pressed(event.target.textContent.trim().slice(0, 40)), "
        "true)"
    )
    return clicks


SignIn = Callable[..., Page]
FRESH_SECONDS = 240
"""How long a sign-in is used again: the console asks for the password anew after minutes, and a journey may
take some.
"""


@dataclass(slots=True)
class Sessions:
    """Who has signed in lately at which console: (moment, cookies)."""

    kept: dict[tuple[str, str], tuple[float, list[Any]]] = field(default_factory=dict)

    def enter(self, page: Page, *, url: str, username: str) -> None:
        """By the session that a journey before has left, or else by the form."""
        moment, cookies = self.kept.get((url, username), (0.0, []))
        if cookies and time.monotonic() - moment < FRESH_SECONDS:
            page.context.add_cookies(cookies)
            if "/sign-in/" not in page.request.get("/").url:
                return
        page.goto("/sign-in/")
        page.get_by_label("Email or user name").fill(username)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: "/sign-in/" not in url)
        self.kept[url, username] = (time.monotonic(), page.context.cookies())


@pytest.fixture(scope="session")
def sessions() -> Sessions:
    """Sessions of the consoles of this process."""
    return Sessions()


@pytest.fixture
def sign_in(browser: Browser, console: Running, sessions: Sessions) -> Iterator[SignIn]:
    """Opens a page of a fresh browser profile, signed in as the user; violations of the CSP and script errors
    fail the test.

    Nothing on it moves, since each frame of what spins or fades is drawn by the processor.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(
        username: str, *, width: int = 1440, height: int = 900, scheme: str = "light", **options: object
    ) -> Page:
        context_options: dict[str, Any] = {"base_url": console.url, "color_scheme": scheme}
        context_options |= {"viewport": {"width": width, "height": height}} | options
        context = browser.new_context(**context_options)
        context.add_init_script(f"({STILL})()")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
        page.on("console", lambda m: problems.append(m.text) if "Content Security Policy" in m.text else None)
        sessions.enter(page, url=console.url, username=username)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []
