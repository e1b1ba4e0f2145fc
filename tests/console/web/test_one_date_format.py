"""Dates within sentences have one format, that of the pages: no text writes its own."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from console.web.moments import moment_text
from iam.moments import moment_words

ROOT = Path(__file__).parents[3]
OWN_FORMAT = re.compile(r"%Y-%m-%d %H:%M|(?<!T)%H:%M(:%S)?\}|\d+\]\} UTC")
TECHNICAL = {
    "iam/moments.py",
    "iam/policy/trust_conditions.py",
    "iam/mirror/queries/freshness.py",
    "iam/changes/restore/models.py",
    "console/web/models.py",
}
"""The format itself, the words of the policy engine, which uses nothing of the rest, the short form of a sync
of the past, and what a row is called in the shell.
"""


def test_no_sentence_formats_its_own_dates() -> None:
    files = [*ROOT.glob("iam/**/*.py"), *ROOT.glob("console/**/*.py")]
    own = {
        str(file.relative_to(ROOT)) for file in files if OWN_FORMAT.search(file.read_text(encoding="utf-8"))
    }
    assert own <= TECHNICAL


def test_sentences_and_pages_write_a_date_alike() -> None:
    moment = datetime(2026, 12, 5, 9, 6, tzinfo=UTC)
    assert moment_words(moment) == moment_text(moment) == "5 Dec 2026, 09:06 UTC"
