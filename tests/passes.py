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
    "tests/iam/mirror/pull",
    "tests/iam/changes/approval",
    "tests/iam/changes/drift",
    "tests/iam/access/grants",
    "tests/iam/access/rollout",
    "tests/iam/people/rotation",
    "tests/iam/people/leaving",
    "tests/iam/people/moving",
    "tests/iam/changes/test_lanes.py",
    "tests/iam/changes/test_planning.py",
    "tests/iam/changes/test_policy_version*.py",
    "tests/iam/changes/test_receipt_is_true.py",
    "tests/iam/changes/test_runner.py",
    "tests/iam/changes/test_scope_lost.py",
    "tests/iam/changes/test_slow_pull.py",
    "tests/iam/changes/test_states.py",
    "tests/iam/changes/test_text_search.py",
    "tests/iam/changes/test_trouble.py",
    "tests/iam/changes/test_undo*.py",
    "tests/console/changes/test_undo_set.py",
)
"""Folders and files of one pass: what they ask of a database, the journeys ask of SQLite."""
ON_BOTH: Final = (
    "tests/iam/mirror/accounts",
    "tests/iam/mirror/queries",
    "tests/iam/mirror/snapshot",
    "tests/console/identities/lists",
    "tests/iam/linking",
    "tests/console/linking",
    "tests/iam/people/links",
    "tests/iam/sealed",
    "tests/iam/journal",
    "tests/iam/directory",
    "tests/console/changes/test_change_lists.py",
    "tests/iam/changes/test_decisions.py",
    "tests/iam/changes/test_lost_workers.py",
    "tests/iam/changes/test_requests.py",
    "tests/attacks",
)
"""Queries that are written for both, and what tries to get past them."""
LOCKS: Final = ("test_two_at_once.py", "test_at_once.py")
"""Each database locks in its own way: on both, wherever they are."""


def main(workers: str = "3") -> int:
    """The exit code of the first pass that failed; the second runs whatever came of the first."""
    command = [sys.executable, "-m", "pytest", "-n", workers, "--dist", "loadscope"]
    if postgres.why_missing():
        return subprocess.call(command)
    first = subprocess.call([*command, *left_out()])
    second = subprocess.call([*command, *on_postgresql()], env=os.environ | {"TEST_DATABASE": "postgres"})
    return first or second


def left_out() -> list[str]:
    """What pytest is told, for all that does not run on SQLite."""
    alone = [path for pattern in ON_POSTGRESQL for path in _files(pattern)]
    return [f"--ignore={path}" for path in alone if path.name not in LOCKS]


def on_postgresql() -> list[str]:
    """What runs on PostgreSQL; pages in a browser run on SQLite."""
    paths = [path for pattern in (*ON_POSTGRESQL, *ON_BOTH) for path in _files(pattern)]
    return [str(path) for path in paths if "browser" not in path.name]


def _files(pattern: str) -> list[Path]:
    """The test files of a folder, or those that a pattern names."""
    return sorted(Path().glob(pattern if pattern.endswith(".py") else f"{pattern}/test_*.py"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
