"""A host whose clock is wrong dates nothing in the journal: the database does."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.production import Installation, done

# A process of a host whose clock is two hours ahead: it writes one entry, many at once, and a block.
AHEAD = """
import django; django.setup()
import time_machine
from datetime import UTC, datetime, timedelta
from iam.journal.chain import chain_pending
from iam.journal.services import entry, record, record_all
with time_machine.travel(datetime.now(tz=UTC) + timedelta(hours=2)):
    record(kind="skew.alone", actor=None)
    record_all([entry(kind="skew.many", actor=None) for _ in range(3)])
    print(chain_pending())
"""
# A worker that starts on such a host.
WORKER = """
import django; django.setup()
import time_machine
from datetime import UTC, datetime, timedelta
from console.celery import refuse_unprotected
with time_machine.travel(datetime.now(tz=UTC) + timedelta(seconds=%d)):
    refuse_unprotected()
"""


def test_a_clock_that_is_ahead_dates_neither_entries_nor_blocks(installed: Installation) -> None:
    ended = done(
        installed.start_any([sys.executable, "-c", AHEAD], DJANGO_SETTINGS_MODULE="console.settings")
    )
    assert ended.returncode == 0, ended.stderr
    rows = installed.rows("SELECT at FROM journal_entry WHERE kind LIKE 'skew.%'")
    blocks = installed.rows("SELECT made_at FROM journal_block ORDER BY sequence DESC LIMIT 1")
    assert len(rows) == 4
    latest = datetime.now(tz=UTC) + timedelta(minutes=1)
    assert [at for (at,) in [*rows, *blocks] if at > latest] == []
    checked = done(installed.start_any([sys.executable, "manage.py", "verify_journal"]))
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("seconds", "says"), [(1200, "1200 seconds ahead of"), (-1200, "1200 seconds behind"), (5, "")]
)
def test_a_worker_with_a_wrong_clock_does_not_start(installed: Installation, seconds: int, says: str) -> None:
    """It would take over changes that others are carrying out, and its syncs would pass for newer than
    theirs.
    """
    words = [sys.executable, "-c", WORKER % seconds]
    ended = done(installed.start_any(words, DJANGO_SETTINGS_MODULE="console.settings"))
    assert (ended.returncode == 0) == (not says), ended.stderr
    assert says in ended.stderr
