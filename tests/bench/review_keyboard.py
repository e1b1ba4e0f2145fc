"""An access review of 1,000 rows, decided by keyboard in a browser over the embedded default: processor time
of the web server for each decision, and that none is lost or made twice. Then two reviewers decide about the
same rows at once.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tests.bench.click import _signed_in, running_console
from tests.bench.floor import figure
from tests.services import browser

ROWS: Final = int(os.environ.get("BENCH_ROWS", "1000"))
AT_ONCE: Final = 50
LIMIT: Final = 50
TICK: Final = os.sysconf("SC_CLK_TCK")


def run() -> list[dict[str, Any]]:
    """The figures."""
    if reason := browser.why_missing():
        print(f"skipped: a review by keyboard ({reason})", file=sys.stderr)
        return []
    with running_console() as console, browser.running_browser() as chromium:
        pages = [_signed_in(chromium, console.url, name) for name in ("hana.sato", "ines.duarte")]
        return _by_keyboard(console, pages[0]) + _at_once(console, pages)


def _by_keyboard(console: Any, page: Any) -> list[dict[str, Any]]:
    from tests.journeys.review_keys import KeyboardReviewer
    from tests.journeys.review_seed import seed

    review = seed(console.var, ROWS)
    server = _web_servers(console.process.pid)
    reviewer = KeyboardReviewer(page)
    before = _seconds(server)
    reviewer.decide_all(f"/reviews/{review}/")
    spent = _seconds(server) - before
    rows = _rows(console.var, review)
    entries = _entries(console.var, rows)
    lost = sum(rows[number] != decision for number, decision in reviewer.decided.items())
    name = f"review of {ROWS:,} rows by keyboard"
    return [
        figure(f"{name}: rows decided, of {len(rows):,}", len(reviewer.decided), ""),
        figure(
            f"{name}: decisions lost or other than the key",
            lost + len(rows) - len(reviewer.decided),
            "",
            limit=0,
        ),
        figure(f"{name}: decisions and undos made twice", entries - reviewer.sent, "", limit=0),
        figure(f"{name}: pages", reviewer.pages, ""),
        figure(
            f"{name}: server, with its pages, for each decision",
            1000 * spent / reviewer.sent,
            "ms CPU",
            limit=LIMIT,
        ),
    ]


def _at_once(console: Any, pages: list[Any]) -> list[dict[str, Any]]:
    from tests.journeys.review_keys import decide_at_once
    from tests.journeys.review_seed import seed

    review = seed(console.var, AT_ONCE)
    told = decide_at_once(pages, f"/reviews/{review}/")
    rows = _rows(console.var, review)
    undecided = sum(not decision for decision in rows.values())
    name = f"two reviewers of the same {AT_ONCE} rows"
    return [
        figure(f"{name}: conflicts told, of {told.conflicts_due}", told.conflicts, ""),
        figure(f"{name}: decisions lost", undecided + told.conflicts_due - told.conflicts, "", limit=0),
        figure(f"{name}: decisions made twice", _entries(console.var, rows) - len(rows), "", limit=0),
    ]


def _web_servers(pid: int) -> set[int]:
    from tests.journeys.processes import command_line, descendants

    return {each for each in descendants(pid) if b"granian" in command_line(each)}


def _seconds(pids: set[int]) -> float:
    """Of processor time so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


def _rows(var: Path, review: str) -> dict[str, str]:
    """The decisions by number of the row."""
    key = review.replace("-", "")
    statement = "SELECT id, decision FROM audit_reviews_reviewitem WHERE campaign_id = ?"
    with closing(sqlite3.connect(var / "gatehouse.sqlite3", timeout=20)) as database:
        return {str(number): decision for number, decision in database.execute(statement, [key])}


def _entries(var: Path, rows: dict[str, str]) -> int:
    """How many decisions and undos about them the journal has."""
    statement = (
        "SELECT json_extract(data_json, '$.row') FROM journal_entry "
        "WHERE kind IN ('review.decide', 'review.undo')"
    )
    with closing(sqlite3.connect(var / "gatehouse.sqlite3", timeout=20)) as database:
        return sum(str(number) in rows for (number,) in database.execute(statement))


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<90} {row['value']:>9} {row['unit']}")
