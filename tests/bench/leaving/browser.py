"""From the approving click to the proved end of the access of one person in four accounts, in a browser, over
the embedded default as `make run` starts it.

The deny that stands in all accounts and the proof are each measured from the click of the last approver. A
page says that access has ended only after AWS was read again in every account.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.bench.click import _console, _signed_in
from tests.bench.floor import figure
from tests.services import browser

LIMIT: Final = 10.0
LEAVES: Final = "amara.diallo"
ACCOUNTS: Final = 4
TIMES: Final = """
    SELECT l.began_at, l.closed_at, l.proved_at, (SELECT COUNT(*) FROM leaving_seat s WHERE s.leaver_id = l.id)
    FROM leaving_leaver l ORDER BY l.proved_at DESC LIMIT 1
"""  # noqa: E501


def run() -> list[dict[str, Any]]:
    """The figures."""
    if reason := browser.why_missing():
        print(f"skipped: leaving in a browser ({reason})", file=sys.stderr)
        return []
    with _console() as (url, var), browser.running_browser() as chromium:
        asker = _signed_in(chromium, url, "ines.duarte")
        approvers = [_signed_in(chromium, url, name) for name in ("hana.sato", "jonas.berg")]
        asked, clicked, seen = _leave(asker, approvers)
        began, closed, proved, seats = _times(var)
    if seats != ACCOUNTS:
        raise RuntimeError(f"{LEAVES} has {seats} users, and not {ACCOUNTS}")
    name = f"one person leaves {ACCOUNTS} accounts in the embedded default"
    return [
        figure(f"{name}: submitted to the page of the request", asked, "s"),
        figure(f"{name}: click to the first call", (began - clicked).total_seconds(), "s"),
        figure(f"{name}: click to a deny in all", (closed - clicked).total_seconds(), "s"),
        figure(f"{name}: click to the proof", (proved - clicked).total_seconds(), "s", limit=LIMIT),
        figure(f"{name}: click to the page that says so", seen, "s", limit=LIMIT),
    ]


def _leave(asker: Any, approvers: list[Any]) -> tuple[float, datetime, float]:
    """(seconds until it was asked for, the moment of the last click, seconds until the page said that access
    has ended).
    """
    asker.goto(f"/leaving/new/?q={LEAVES}")
    asker.get_by_role("link", name=re.compile("^Offboard ")).click()
    asker.get_by_label("Reason").fill("Measured")
    began = time.monotonic()
    asker.get_by_role("button", name="Submit request").click()
    asker.wait_for_url(re.compile(r"/leaving/people/"))
    asked = time.monotonic() - began
    address = asker.get_by_role("link", name="View the request").get_attribute("href")
    clicked, moment = time.monotonic(), datetime.now(tz=UTC)
    for approver in approvers:
        approver.goto(address)
        button = approver.get_by_role("button", name="Approve")
        if button.count():
            clicked, moment = time.monotonic(), datetime.now(tz=UTC)
            button.first.click()
            approver.goto("about:blank")
    asker.locator("main .badge").get_by_text("Access removed", exact=True).wait_for(timeout=60_000)
    return asked, moment, time.monotonic() - clicked


def _times(var: Path) -> tuple[datetime, datetime, datetime, int]:
    with closing(sqlite3.connect(var / "gatehouse.sqlite3", timeout=20)) as database:
        began, closed, proved, seats = database.execute(TIMES).fetchone()
    moments = [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (began, closed, proved)]
    return moments[0], moments[1], moments[2], seats


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<90} {row['value']:>9} {row['unit']}")
