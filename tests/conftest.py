"""Fixtures that every test may use: real services, each started once, and skipped aloud where missing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import current_thread
from typing import Any

import pytest
import time_machine
from django.core.management.commands import flush
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import override_settings
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker

from iam.audit.reviews import triggers as review_triggers
from iam.aws import client_pool
from iam.journal import clock, triggers
from iam.linking import generation
from tests.services import browser as chromium
from tests.services import redis, tables

# That a machine is busy says nothing about a property; and a gate tries the same examples each time.
settings.register_profile(
    "gatehouse", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gatehouse")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis server of this test process."""
    if reason := redis.why_missing():
        pytest.skip(f"Redis ({reason})")
    with redis.running_server() as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    if reason := chromium.why_missing():
        pytest.skip(f"a browser ({reason})")
    with chromium.running_browser() as started:
        yield started


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """The tables are made once for all test processes."""
    with tables.made_once():
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database of this test process; a request that a closed browser left under way must not keep it from
    going.
    """
    yield
    if connection.vendor == "postgresql":
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f"{others} AND pid <> pg_backend_pid()")


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Passwords are slow to hash by design; what is tested is not how slow."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_unlisted() -> Iterator[None]:
    """Each test client starts its middleware anew, and WhiteNoise would list every static file each time."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def _few_collections() -> Iterator[None]:
    """What was imported stays: the garbage collector need not go through it again and again."""
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 20)
    yield
    gc.set_threshold(*before)


@pytest.fixture(scope="session", autouse=True)
def _reads_beside_have_no_database() -> Iterator[None]:
    """What `iam.aws.parallel_reads` runs in other threads is to touch AWS alone: a connection of such a
    thread would never be closed.
    """
    connect = BaseDatabaseWrapper.connect

    def refuse(self: BaseDatabaseWrapper) -> None:
        assert not current_thread().name.startswith("aws"), "a read beside asks the database"
        connect(self)

    BaseDatabaseWrapper.connect = refuse
    yield
    BaseDatabaseWrapper.connect = connect


@pytest.fixture(scope="session", autouse=True)
def _flush_may_empty_the_journal() -> Iterator[None]:
    """A test that commits is followed by a flush, which the triggers of the journal and of reviews rightly
    refuse: lift them for it alone.

    Only tables that hold something are emptied: few of the hundred, each of which costs PostgreSQL as much as
    a test.
    """

    def handle(self: flush.Command, **options: Any) -> None:
        connection = connections[options["database"]]
        triggers.drop(connection)
        review_triggers.drop(connection)
        tables.empty(connection)
        review_triggers.create(connection)
        triggers.create(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush.Command, "handle", handle)
        yield


@pytest.fixture(autouse=True)
def _the_journal_follows_the_clock_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests turn the clock of their process; PostgreSQL would date entries by its own (see
    tests/production/test_clocks.py).
    """
    monkeypatch.setattr(clock, "ON_DATABASE", frozenset())


@pytest.fixture(autouse=True)
def _no_minute_begins_within_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept for a minute would be counted anew by whichever statement comes after its end: a test that
    compares two numbers of statements would fail once in a thousand runs.
    """
    monkeypatch.setattr(generation, "LASTS", 10**6)


@pytest.fixture
def standing_clock() -> Iterator[None]:
    """No time passes: what is kept for seconds stays, and no session is noted again. For tests that count the
    statements of a page that was opened before.
    """
    with time_machine.travel(datetime.now(tz=UTC), tick=False):
        yield


@pytest.fixture(autouse=True)
def _no_index_of_another_test() -> Iterator[None]:
    """A process keeps its index, and a database that was rolled back hands out the same numbers again."""
    from iam.access import administrators, escalation_graph, escalation_groups, service_usage, usual_values
    from iam.access.escalation_calculation import findings
    from iam.mirror import snapshot
    from iam.mirror.queries import figures, overview

    yield
    for kept in (
        snapshot,
        administrators,
        usual_values,
        overview,
        figures,
        escalation_graph,
        escalation_groups,
        findings,
        service_usage,
    ):
        kept.forget()


@pytest.fixture(autouse=True)
def _no_worker_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no worker that would calculate escalation; see `prompt_worker`."""

    from iam.access.escalation_calculation import stored_calculation

    monkeypatch.setattr(stored_calculation, "nudge", lambda: None)


@pytest.fixture
def prompt_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker so quick that whatever a page reads of escalation is calculated just before, from the mirror
    as it is.
    """
    from iam.access.escalation_calculation import calculation, stored_calculation
    from iam.access.escalation_calculation.models import EscalationCalculation

    kept_at = stored_calculation.kept_at

    def up_to_date(at: datetime | None) -> stored_calculation.StoredCalculation | None:
        known = EscalationCalculation.objects.filter(moment="").values_list("inputs", flat=True).first()
        if known != calculation._inputs(None):
            calculation.calculate_due(is_forced=True)
        return kept_at(at)

    monkeypatch.setattr(stored_calculation, "kept_at", up_to_date)
    monkeypatch.setattr(stored_calculation, "nudge", calculation.calculate_due)


@pytest.fixture(autouse=True)
def _no_way_of_another_test() -> Iterator[None]:
    """A process keeps ways to AWS and what it works by, and what stands in for AWS is another in the next
    test.
    """
    from iam.changes.services import own_resources

    yield
    client_pool.forget()
    own_resources.forget()


@pytest.fixture(autouse=True)
def _small_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tests have one person who requests, and one or two who approve: there the rule that somebody could
    approve is not what is tested.

    Where the directory has more people, the rule holds as it does for users;
    tests/iam/changes/approval/test_possible_approvers.py is about the rule.
    """
    from iam.changes.approval import possible_approvers, stages
    from iam.directory.models import RoleAssignment

    check_before = stages.check_before

    def is_small() -> bool:
        deciding = RoleAssignment.objects.filter(role__in=["approver", "administrator"])
        return deciding.values("person").distinct().count() <= 3

    def check(requirement: Any, progress: Any, *, parts: Any) -> None:
        if not is_small():
            possible_approvers.require_still_possible(requirement, progress, parts=parts)

    def check_earlier(operations: Any, **facts: Any) -> None:
        if not is_small():
            check_before(operations, **facts)

    monkeypatch.setattr(stages, "require_still_possible", check)
    monkeypatch.setattr(stages, "check_before", check_earlier)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A name that holds the moment of its collection is another in each test process: xdist would refuse to
    start.
    """
    today = datetime.now(tz=UTC).strftime("%Y-%m-%d")
    if moving := [item.nodeid for item in items if today in item.nodeid]:
        raise pytest.UsageError(
            f"Give these cases names without today's date (pytest.param(..., id=...)): {moving}"
        )
