"""The pages of activity among 1 and then 5 million CloudTrail events in PostgreSQL: of one identity
(timeline, results, texts, deep pages), of an account, of all, and what the page of a change adds.

Milliseconds are CPU of this process and of the database's process together, each the median of several
requests. BENCH_ACTIVITY sets how many events there are in the end (5,000,000).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from tests.bench.floor import figure
from tests.services import postgres

if TYPE_CHECKING:
    from iam.activity.models import TrailEvent
    from tests.bench.activity_seed import Principals
    from tests.bench.lists import Site

EVENTS: Final = int(os.environ.get("BENCH_ACTIVITY", "5000000"))
ROUNDS: Final = 7
LIMIT_MS: Final = 100
"""Of the pages of one identity, an account and a change, at the end."""
TIMEOUT_S: Final = 1800 * max(1, EVENTS // 5_000_000)
Figures = list[dict[str, Any]]
Asked = dict[str, Callable[[], object]]


def run() -> Figures:
    """All figures, or none where PostgreSQL is missing."""
    if reason := postgres.why_missing():
        print(f"skipped: activity ({reason})", file=sys.stderr)
        return []
    cluster = postgres.Cluster.start()
    try:
        with tempfile.TemporaryDirectory(prefix="gatehouse-activity-") as folder:
            variables = {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "console.settings",
                "GATEHOUSE_MODE": "embedded",
                "GATEHOUSE_VAR": folder,
                # The session must outlast the making of events.
                "GATEHOUSE_IDLE_MINUTES": "1440",
                "DATABASE_URL": cluster.url,
                "REDIS_URL": "redis://127.0.0.1:1/0",
            }
            command = [sys.executable, "-m", "tests.bench.activity"]
            done = subprocess.run(
                command, env=variables, stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT_S
            )
            return list(json.loads(done.stdout.splitlines()[-1]))
    finally:
        cluster.stop()


def measure() -> Figures:
    """The figures, in a process with a database."""
    import django

    django.setup()
    from django.core.management import call_command

    from tests.bench.activity_seed import SLICES, seed_events, seed_principals
    from tests.bench.lists import Site

    call_command("migrate", verbosity=0)
    principals = seed_principals()
    seed_events(principals, EVENTS, slices=range(1))
    site = Site()
    few = _medians(site, principals)
    seed_events(principals, EVENTS, slices=range(1, SLICES))
    many = _medians(site, principals)
    figures = []
    for name, (milliseconds, statements, calls) in many.items():
        of_identity = f" of its {calls:,}" if calls else ""
        figures.append(
            figure(
                f"activity among {EVENTS:,} events: {name}{of_identity}, {statements} statements",
                milliseconds,
                "ms CPU",
                floor=f"among {EVENTS // SLICES:,}, {few[name][0]:.1f} ms",
                ratio=milliseconds / few[name][0],
                limit=None,
            )
        )
    slowest = max(many.values())[0]
    figures.append(figure("activity: the slowest of these pages", slowest, "ms CPU", limit=LIMIT_MS))
    return figures


def _medians(site: Site, principals: Principals) -> dict[str, tuple[float, int, int]]:
    """Milliseconds, statements and the calls of the identity, by name of the page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    medians = {}
    server = _DatabaseCpu()
    for name, (ask, calls) in _asked(site, principals).items():
        with CaptureQueriesContext(connection) as captured:
            ask()
            statements = len(captured)
        own, of_server = [], []
        for _ in range(ROUNDS):
            began, at_server = time.process_time(), server.seconds()
            ask()
            own.append(1000 * (time.process_time() - began))
            of_server.append(1000 * (server.seconds() - at_server))
        took = [sum(pair) for pair in zip(own, of_server, strict=True)]
        medians[name] = (median(took), statements, calls)
        parts = f"{median(own):.1f} + {median(of_server):.1f} ms, {statements} statements"
        print(f"{name}: {parts}", file=sys.stderr)
    return medians


class _DatabaseCpu:
    """The CPU time of the server's process for this connection, which plans and runs all by itself."""

    def __init__(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            # Other processes of the server would not be counted.
            cursor.execute("SET max_parallel_workers_per_gather = 0")
            cursor.execute("SELECT pg_backend_pid()")
            self._path = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")

    def seconds(self) -> float:
        """So far."""
        return int(self._path.read_text(encoding="ascii").split()[0]) / 1e9


def _asked(site: Site, principals: Principals) -> dict[str, tuple[Callable[[], object], int]]:
    """What is asked, by name, with the number of calls of the identity."""
    asked: dict[str, tuple[Callable[[], object], int]] = {}
    identities = {
        "the busiest role": (principals.busiest, "roles"),
        "a busy user": (principals.busy_user, "people"),
        "a user under two IDs": (principals.twofold, "people"),
        "a usual user": (principals.usual_user, "people"),
    }
    for name, (entity, folder) in identities.items():
        events = list(_events_of(entity))
        for page, query in _identity_queries(events).items():
            path = f"/{folder}/{entity.pk}/activity/{query}"
            asked[f"{name}, {page}"] = (lambda path=path: site.get(path), len(events))  # type: ignore[misc]
    for page, query in _account_queries(principals).items():
        path = f"/activity/{query}"
        asked[page] = (lambda path=path: site.get(path), 0)  # type: ignore[misc]
    asked["records of the calls of a change"] = (_change_records(principals), 0)
    asked["calls behind the differences of a page"] = (_differences(principals), 0)
    return asked


def _events_of(entity: Any) -> Any:
    """When and with which ID an identity called, newest first."""
    from iam.activity.models import TrailEvent
    from iam.activity.queries import callers_of

    rows = TrailEvent.objects.filter(caller__in=callers_of(entity))
    return rows.order_by("-at", "-event_id").values_list("at", "event_id")


def _identity_queries(events: list[Any]) -> dict[str, str]:
    from console.web.page_cursors import word_of
    from iam.keyset import KeysetPlace

    places = (len(events) // 2, max(len(events) - 30, 0))
    middle, end = (word_of(KeysetPlace(*events[place])) for place in places)
    queries = {
        "first page": "",
        "page in the middle": f"?after={middle}",
        "last page": f"?after={end}",
        "last 7 days": "?days=7",
        "one action": "?q=service-9:Action1",
        "text that is nowhere": "?q=nowhere-at-all",
        "text of a resource": "?q=bucket-77",
    }
    for result in ("denied", "failed", "changes", "no-mfa"):
        queries[result] = f"?result={result}"
        queries[f"{result}, in the middle"] = f"?result={result}&after={middle}"
    return queries


def _account_queries(principals: Principals) -> dict[str, str]:
    from console.web.page_cursors import word_of
    from iam.activity.models import TrailEvent
    from iam.activity.queries import NEWEST

    account = principals.busiest.account.account_id
    rows = TrailEvent.objects.filter(account_id=account, at__gte=_middle())
    middle = word_of(NEWEST.position_of(rows.order_by("at")[0]))
    return {
        "all accounts": "",
        "all accounts, denied": "?result=denied",
        "all accounts, by name": "?who=tomas",
        "an account": f"?account={account}",
        "an account, in the middle": f"?account={account}&after={middle}",
        "an account, denied": f"?account={account}&result=denied",
        "an account, failed": f"?account={account}&result=failed",
        "an account, changes": f"?account={account}&result=changes",
        "an account, no MFA": f"?account={account}&result=no-mfa",
        "an account, one action": f"?account={account}&q=iam:Action1",
        "an account, by name": f"?account={account}&who=deploy",
    }


def _middle() -> Any:
    from tests.bench.activity_seed import DAYS, START

    return START + timedelta(days=DAYS / 2)


def _change_records(principals: Principals) -> Callable[[], object]:
    """What CloudTrail recorded of the three calls of a change, which lie in the middle."""
    from iam.activity.call_records import AnsweredCall, RecordState, records_of_calls
    from iam.activity.models import TrailEvent

    number = principals.busiest.account.account_id
    rows: list[TrailEvent] = list(
        TrailEvent.objects.filter(account_id=number, at__gte=_middle()).order_by("at")[:3]
    )
    calls = [AnsweredCall(str(event.event_id), event.at) for event in rows]

    def ask() -> None:
        records = records_of_calls(number, calls)
        assert [record.state for record in records.values()] == [RecordState.RECORDED] * 3

    return ask


def _differences(principals: Principals) -> Callable[[], object]:
    """The calls between two readings, for fifty lines of drift."""
    from iam.activity.made_changes import DifferenceWindow, calls_within

    number = principals.busiest.account.account_id
    until = _middle()
    window = DifferenceWindow(("user", "maya"), frozenset(), until - timedelta(minutes=10), until)
    return lambda: calls_within([(number, window)] * 50)


if __name__ == "__main__":
    print(json.dumps(measure()))
