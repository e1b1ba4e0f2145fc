"""From the approving click to the page that says Done, in a browser, over the embedded default as `make run`
starts it.

BENCH_CLICKS sets how many (30). A page says Done only after AWS was read again. The group is one that the
shipped rules let one person decide about, so that the click is the last.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.floor import figure
from tests.services import browser

CLICKS = int(os.environ.get("BENCH_CLICKS", "30"))
SOME_PEOPLE = """
    SELECT u.id, g.id, u.name, g.name FROM mirror_entity u
    JOIN mirror_entity g ON g.account_id = u.account_id AND g.kind = 'group' AND g.gone_at IS NULL AND g.name = 'billing-readers'
    WHERE u.kind = 'user' AND u.gone_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM mirror_edge e WHERE e.source_id = u.id AND e.kind = 'member' AND e.target_id = g.id AND e.valid_to IS NULL
    ) ORDER BY u.name LIMIT ?
"""  # noqa: E501

IS_DONE = (
    "() => [...document.querySelectorAll('main .badge')].some(badge => badge.textContent.trim() === 'Done')"
)


def run() -> list[dict[str, Any]]:
    """The figures."""
    if reason := browser.why_missing():
        print(f"skipped: clicks in a browser ({reason})", file=sys.stderr)
        return []
    # Chromium as people have it, where it is installed: how soon a page asks again is the browser's business
    # too.
    path = shutil.which("chromium")
    with _console() as (url, var), browser.running_browser(path=path) as chromium:
        asker, approver = _signed_in(chromium, url, "ines.duarte"), _signed_in(chromium, url, "hana.sato")
        with closing(sqlite3.connect(var / "gatehouse.sqlite3", timeout=20)) as database:
            rows = database.execute(SOME_PEOPLE, [CLICKS]).fetchall()
        if len(rows) < CLICKS:
            raise RuntimeError(f"only {len(rows)} people could be found")
        seconds = [_click(asker, approver, url, user=user, group=group) for user, group, *_ in rows]
    ordered = sorted(seconds)
    middle, late = statistics.median(ordered), ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
    name = f"click to applied, {CLICKS} changes in the embedded default"
    return [
        figure(f"{name}, median", middle, "s", limit=1.0),
        figure(f"{name}, p95", late, "s", limit=2.0),
        figure(f"{name}, slowest", ordered[-1], "s"),
    ]


@contextmanager
def _console() -> Iterator[tuple[str, Path]]:
    """(address, data folder) of a console of its own, when every account has been read."""
    with running_console() as started:
        yield started.url, started.var


@contextmanager
def running_console() -> Iterator[Any]:
    """The same with its processes."""
    from tests.journeys.conftest import start_console

    with tempfile.TemporaryDirectory(prefix="gatehouse-click-") as folder:
        started = start_console(Path(folder) / "var")
        try:
            started.wait_until_ready()
            started.wait_until_read()
            yield started
        finally:
            started.process.send_signal(signal.SIGTERM)
            try:
                started.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                started.process.kill()


def _signed_in(chromium: Any, url: str, user: str) -> Any:
    from console.demo.password import PASSWORD

    page = chromium.new_context(base_url=url).new_page()
    page.goto("/sign-in/")
    page.get_by_label("Email or user name").fill(user)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda address: "/sign-in/" not in address)
    return page


def _click(asker: Any, approver: Any, url: str, *, user: int, group: int) -> float:
    """Request, approve, and see it done; seconds from the click."""
    asker.goto(f"/changes/membership/?user={user}&group={group}&do=add")
    asker.get_by_label("Why is this needed?").fill("Measured")
    asker.get_by_role("button", name="Submit request").click()
    asker.wait_for_url(re.compile(r"/changes/[0-9a-f-]{36}/(request/)?$"))
    approver.goto(asker.url)
    button = approver.get_by_role("button", name="Approve")
    button.wait_for()
    began = time.monotonic()
    button.click()
    # A locator looks again after half a second only, which is as long as the change takes.
    approver.wait_for_function(IS_DONE, polling=20, timeout=30_000)
    return time.monotonic() - began


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<70} {row['value']:>9} {row['unit']}")
