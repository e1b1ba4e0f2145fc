"""Runs the tests in two passes, one on each database, and says which test runs on which: `python -m
tests.passes [WORKERS]`.

SQLite is the embedded default, on which all pages and all journeys run. What is SQL, locks and transactions
runs on PostgreSQL: alone, where the journeys walk over the same lines on SQLite, or on both. Without
PostgreSQL there is one pass, and SQLite has everything.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.services import postgres

ON_POSTGRESQL: Final = (
    "tests/mirror/pull",
    "tests/changes/approval",
    "tests/changes/drift",
    "tests/access/grants",
    "tests/access/rollout",
    "tests/people/rotation",
    "tests/people/leaving",
    "tests/people/moving",
    "tests/changes/test_lanes.py",
    "tests/changes/test_planning.py",
    "tests/changes/test_policy_version*.py",
    "tests/changes/test_receipt_is_true.py",
    "tests/changes/test_runner.py",
    "tests/changes/test_scope_lost.py",
    "tests/changes/test_slow_pull.py",
    "tests/changes/test_states.py",
    "tests/changes/test_text_search.py",
    "tests/changes/test_trouble.py",
    "tests/changes/test_undo*.py",
)
"""Folders and files of one pass: what they ask of a database, the journeys ask of SQLite."""
ON_BOTH: Final = (
    "tests/mirror/accounts",
    "tests/mirror/queries",
    "tests/mirror/snapshot",
    "tests/identities/lists",
    "tests/linking",
    "tests/people/links",
    "tests/sealed",
    "tests/journal",
    "tests/directory",
    "tests/changes/test_change_lists.py",
    "tests/changes/test_decisions.py",
    "tests/changes/test_lost_workers.py",
    "tests/changes/test_requests.py",
    "tests/access/attacks",
)
"""Queries that are written for both, and what tries to get past them."""
LOCKS: Final = ("test_two_at_once.py", "test_at_once.py")
"""Each database locks in its own way: on both, wherever they are."""


def main(workers: str = "2") -> int:
    """The exit code of the first pass that failed; the second runs whatever came of the first."""
    command = [sys.executable, "-m", "pytest", "-n", workers, "--dist", "loadscope"]
    if postgres.why_missing():
        return subprocess.call(command)
    first = subprocess.call([*command, *left_out()])
    second = subprocess.call([*command, *on_postgresql()], env=os.environ | {"TEST_DATABASE": "postgres"})
    return first or second


def left_out() -> list[str]:
    """What pytest is told, for all that does not run on SQLite."""
    alone = [one for pattern in ON_POSTGRESQL for one in _files(pattern)]
    return [f"--ignore={one}" for one in alone if one.name not in LOCKS]


def on_postgresql() -> list[str]:
    """What runs on PostgreSQL; pages in a browser run on SQLite."""
    found = [one for pattern in (*ON_POSTGRESQL, *ON_BOTH) for one in _files(pattern)]
    return [str(one) for one in found if "browser" not in one.name]


def _files(pattern: str) -> list[Path]:
    """The test files of a folder, or those that a pattern names."""
    return sorted(Path().glob(pattern if pattern.endswith(".py") else f"{pattern}/test_*.py"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
