"""A pytest plugin that is loaded before the settings: a data folder of its own, no AWS, the database that is
asked for.

`TEST_DATABASE=postgres` runs the tests on a throw-away PostgreSQL cluster instead of SQLite.
`REQUIRE_SERVICES=1` makes a skipped test a failure, so that CI cannot pass by leaving something out.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.services import postgres, table_sources

FOLDER = Path(tempfile.mkdtemp(prefix="gatehouse-test-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
# Whitenoise warns of a missing folder, and warnings are errors.
(FOLDER / "staticfiles").mkdir()

# Test processes inherit it from the one that has started them.
if "GATEHOUSE_TEST_TABLES" not in os.environ:
    key = table_sources.key(Path(__file__).resolve().parent.parent, str(postgres.binaries()))
    os.environ["GATEHOUSE_TEST_TABLES"] = f"{sys.prefix}/tables-of-tests/{key}"

for name in [n for n in os.environ if n.startswith("AWS_") or n in {"DATABASE_URL_FILE", "REDIS_URL"}]:
    del os.environ[name]
os.environ.update(
    GATEHOUSE_MODE="embedded",
    GATEHOUSE_VAR=str(FOLDER),
    GATEHOUSE_SECRET_KEY="only-for-tests-only-for-tests-only-for-tests-only-for-tests",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_CONFIG_FILE=str(FOLDER / "none"),
    AWS_SHARED_CREDENTIALS_FILE=str(FOLDER / "none"),
    REDIS_URL="redis://127.0.0.1:1/0",
    GATEHOUSE_JOURNAL_REFUSES_SECRETS="true",
    # Tests ask quicker than people; tests/console/web/test_pace.py sets a limit of its own.
    GATEHOUSE_PACE="0",
    # The stand-in has no throttle to be afraid of: a test that waits for a token tests nothing by it.
    GATEHOUSE_AWS_RATE="1000",
)
# Playwright's own loop runs in the thread that also queries the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

WANTED = os.environ.get("TEST_DATABASE", "sqlite")
REQUIRED = os.environ.get("REQUIRE_SERVICES") == "1"
MISSING: str = ""

if WANTED == "postgres" and "GATEHOUSE_TEST_CLUSTER" not in os.environ:
    MISSING = postgres.why_missing()
    if not MISSING:
        cluster = postgres.Cluster.start()
        atexit.register(cluster.stop)
        os.environ["GATEHOUSE_TEST_CLUSTER"] = cluster.url
if WANTED == "postgres" and not MISSING:
    # Few tests run a statement as often as a connection does that is kept.
    os.environ["DATABASE_URL"] = f"{os.environ['GATEHOUSE_TEST_CLUSTER']}&prepare_threshold=0"
else:
    os.environ["DATABASE_URL"] = f"sqlite:///{FOLDER / 'test.sqlite3'}"


def pytest_configure(config: pytest.Config) -> None:
    """Without the database that was asked for there is nothing to test."""
    config.addinivalue_line("markers", "journey: walks through the console in a real browser")
    config.addinivalue_line("markers", "sqlite_plan: reads a plan of SQLite; PostgreSQL scans small tables")
    config.addinivalue_line(
        "markers", "postgresql: about what SQLite doesn't have, such as several writers at a time"
    )
    config.addinivalue_line("markers", "on_postgresql: `make test` runs this file on PostgreSQL only")
    config.addinivalue_line("markers", "on_both: `make test` runs this file on each database")
    if MISSING:
        pytest.exit(f"skipped: PostgreSQL ({MISSING})", returncode=1 if REQUIRED else 0)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A plan of SQLite is none of PostgreSQL's business, and the reverse."""
    foreign = "sqlite_plan" if WANTED == "postgres" else "postgresql"
    others = [item for item in items if item.get_closest_marker(foreign)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Each test process of a run imports another part of the files first: in a fresh clone, what one has
    compiled need not be compiled by the others.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    for file in files_named(session.config)[number::count]:
        # What is wrong with a file is said when its tests are collected.
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(file.with_suffix("").parts))


def files_named(config: pytest.Config) -> list[Path]:
    """The files of tests that are asked for, and not left out."""
    paths = [Path(argument.partition("::")[0]) for argument in config.args]
    files = {file for path in paths for file in ([path] if path.is_file() else path.rglob("test_*.py"))}
    ignored = {str(file) for file in config.option.ignore or ()}
    return sorted(file for file in files if str(file) not in ignored and not file.is_absolute())


JOURNEYS = "tests/journeys/"
OF_THEIR_OWN = ("test_every_page", "test_links", "test_production", "test_supervisor", "test_torture")
"""Journeys that start what they walk through, or take as long as many others together."""
SECOND_HALF = "test_i"
"""Journeys from this letter on share a second console, so that nobody waits for all of them."""
FIRST = (
    "journeys 1",
    "tests/journeys/test_production.py",
    "tests/production",
    "tests/journeys/test_torture.py",
    "journeys 2",
    "tests/journeys/test_every_page.py",
    "tests/journeys/test_links.py",
    "tests/journeys/test_without_redis.py",
    "tests/journeys/test_supervisor.py",
    "tests/iam/policy/index/test_changes.py",
    "tests/iam/policy/index/test_witness.py",
    "tests/iam/policy/index/test_proof_sharing.py",
    "tests/iam/policy/test_hostile_sizes.py",
    "tests/iam/mirror/pull/test_two_at_once.py",
    "tests/iam/changes/test_receipt_is_true.py",
    "tests/iam/people/offboarding/test_killed.py",
)
"""What takes longest is begun first, so that nobody waits for it at the end; what needs no prepared data runs
beside what makes them.
"""


def scope_of(nodeid: str) -> str:
    """What one test process runs in one go: a file, whose fixtures are made once; but journeys that share a
    console, and the tests of one installation, together.
    """
    file = nodeid.partition("::")[0]
    stem = Path(file).stem
    if file.startswith("tests/production/"):
        return "tests/production"
    if not file.startswith(JOURNEYS) or stem == "test_without_redis":
        return file
    if stem == "test_links":
        return nodeid
    if stem in OF_THEIR_OWN:
        return file
    return "journeys 2" if stem > SECOND_HALF else "journeys 1"


SCHEDULER: Final[pytest.StashKey[LongestFirst]] = pytest.StashKey()


class LongestFirst(LoadScopeScheduling):
    """Hands out files to test processes, what takes longest first.

    xdist marks groups in the ids of tests, which pytest 9.2 does not let it change any more. With
    `GATEHOUSE_TEST_SECONDS`, nothing is begun after them; see `tests.affected`.
    """

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        seconds = float(os.environ.get("GATEHOUSE_TEST_SECONDS", "0"))
        self._ends_at = time.monotonic() + seconds if seconds else None
        self.left_out: set[str] = set()
        config.stash[SCHEDULER] = self

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        if self._ends_at is not None and time.monotonic() > self._ends_at:
            self.left_out |= self.workqueue.keys()
            self.workqueue.clear()
            node.shutdown()
            return
        waiting = (scope for start in FIRST for scope in self.workqueue if scope.partition("::")[0] == start)
        first = next(waiting, None)
        if first is not None:
            self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How tests are handed out to processes."""
    return LongestFirst(config, log)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What was not begun is said."""
    scheduler = config.stash.get(SCHEDULER, None)
    if scheduler is not None and scheduler.left_out:
        count = len(scheduler.left_out)
        terminalreporter.write_line(f"The time was over: {count} files are left to `make test`.", yellow=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A skip is a failure where every service is required."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if REQUIRED and reporter is not None and reporter.stats.get("skipped") and exitstatus == 0:
        reporter.write_line("A test was skipped although REQUIRE_SERVICES=1.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
