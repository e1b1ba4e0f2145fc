"""`python -m tests.bench.changes.skewed SECONDS WORDS…`: Celery on a host whose clock is wrong by so many
seconds.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import time_machine


def main() -> None:
    """Turn the clock of this process, and of the processes of its pool, then be Celery."""
    ahead = timedelta(seconds=float(sys.argv.pop(1)))
    time_machine.travel(datetime.now(tz=UTC) + ahead, tick=True).start()
    from celery.__main__ import main as celery

    celery()


if __name__ == "__main__":
    main()
