"""Measures a page of a list of 100,000 users, on SQLite and on PostgreSQL, against the bare queries of its rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from tests.services import postgres

ACCOUNTS, USERS = 20, 5_000
"""AWS allows 5,000 users in an account."""
ROUNDS = 40
LIMITS = {"ratio": 3, "ms": 25, "queries": 12, "kb": 60, "depth": 1.5}

Figures = list[dict[str, Any]]


def run() -> Figures:
    """Both databases, each in a process of its own, since settings are read once."""
    figures: Figures = []
    with tempfile.TemporaryDirectory() as folder:
        figures += _in_process("SQLite", f"sqlite:///{folder}/lists.sqlite3", folder)
        if reason := postgres.why_missing():
            print(f"skipped: lists on PostgreSQL ({reason})", file=sys.stderr)
            return figures
        cluster = postgres.Cluster.start()
        try:
            figures += _in_process("PostgreSQL", cluster.url, folder)
        finally:
            cluster.stop()
    return figures


def _in_process(database: str, url: str, folder: str) -> Figures:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "GATEHOUSE_MODE": "embedded",
        "GATEHOUSE_VAR": folder,
        "DATABASE_URL": url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.lists", database],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout.splitlines()[-1]))


def _milliseconds(action: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """The best of some rounds, since whatever else the machine does only adds."""
    for _ in range(3):
        action()
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        took.append((time.perf_counter() - began) * 1000)
    return min(took)


def measure(database: str) -> Figures:
    """The figures of the configured database."""
    import django

    django.setup()
    from django.core.cache import cache
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    call_command("migrate", verbosity=0)
    from iam.mirror.queries.lists.core import Lens, Wanted, list_page
    from iam.mirror.queries.lists.people import PEOPLE
    from tests.bench.list_rows import seed_account

    for number in range(ACCOUNTS):
        seed_account(f"{number:012d}", name=f"account-{number}", first=(number + 1) * 1_000_000, users=USERS)
    client, viewer = _signed_in()
    lens = Lens(viewer)
    count = ACCOUNTS * USERS

    def get(address: str) -> bytes:
        answer = client.get(address)
        assert answer.status_code == 200, answer.status_code
        return bytes(answer.content)

    def queries_of(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            get(address)
            return len(captured)

    began = time.perf_counter()
    html = get("/people/")
    cold = (time.perf_counter() - began) * 1000
    warm = queries_of("/people/")
    cache.clear()
    uncounted = queries_of("/people/")
    filtered = queries_of("/people/?group=team-000&account=000000000000&q=maya")
    floor = _milliseconds(_bare(lambda: list_page(PEOPLE, lens, Wanted())))
    by_orm = _milliseconds(lambda: json.dumps(list_page(PEOPLE, lens, Wanted()).rows, default=str))
    page = _milliseconds(lambda: get("/people/"))
    partial = _milliseconds(lambda: client.get("/people/", HTTP_HX_REQUEST="true"))
    deep = {sort: _deep_address(sort, lens) for sort in PEOPLE.sorts}
    figures: Figures = [
        _figure(
            f"{database}: a page of {count:,} users", page, "ms", "bare statements and JSON", floor, "ratio"
        ),
        _figure(f"{database}: the same, against Django", page, "ms", "its rows by the ORM and JSON", by_orm),
        _figure(f"{database}: the same, limit of time", page, "ms", limit=LIMITS["ms"]),
        _figure(
            f"{database}: its table alone, as htmx asks for it",
            partial,
            "ms",
            "bare statements and JSON",
            floor,
        ),
        _figure(f"{database}: the first view, before anything is counted", cold, "ms"),
        _figure(f"{database}: queries of a page", warm, "queries", limit=LIMITS["queries"]),
        _figure(
            f"{database}: queries of a page before anything is counted",
            uncounted,
            "queries",
            limit=LIMITS["queries"],
        ),
        _figure(f"{database}: queries of a filtered page", filtered, "queries", limit=LIMITS["queries"]),
        _figure(f"{database}: HTML of a page", len(html) / 1024, "KB", limit=LIMITS["kb"]),
    ]
    for sort, address in deep.items():
        shallow = _milliseconds(lambda sort=sort: get(f"/people/?sort={sort}"), rounds=15)  # type: ignore[misc]
        far = _milliseconds(lambda address=address: get(address), rounds=15)  # type: ignore[misc]
        figures.append(_figure(f"{database}: page 1,000 by {sort}", far, "ms", "page 1", shallow, "depth"))
    return figures


def _figure(
    name: str,
    value: float,
    unit: str,
    floor: str = "",
    of: float = 0,
    key: str = "",
    limit: float | None = None,
) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "floor": f"{floor}, {of:.2f} {unit}" if floor else None,
        "ratio": round(value / of, 2) if of else None,
        "limit": LIMITS[key] if key else limit,
    }


def _signed_in() -> tuple[Any, Any]:
    """A browser of an auditor who sees everything, through the whole middleware, and the same person as a viewer."""
    from django.test import Client

    from iam.directory.models import Role
    from iam.guard import viewer_for
    from tests import factories

    operator = factories.operator(Role.AUDITOR, name="Jonas Berg")
    client = Client()
    client.force_login(operator)
    return client, viewer_for(operator.person)


def _bare(action: Callable[[], object]) -> Callable[[], str]:
    """The statements that an action runs, repeated on a bare cursor, with their rows as JSON."""
    from django.db import connection

    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        action()

    def again() -> str:
        with connection.cursor() as cursor:
            answers = []
            for sql, params in statements:
                cursor.execute(sql, params)
                answers.append(cursor.fetchall())
            return json.dumps(answers, default=str)

    return again


def _deep_address(sort: str, lens: Any) -> str:
    """The address of page 1,000 in an order."""
    from django.db.models import F

    from console.web.paging import Cursor, encode
    from iam.mirror.queries.lists.core import Wanted, found
    from iam.mirror.queries.lists.people import PEOPLE

    order = PEOPLE.sorts[sort].order(descending=False)
    rows = found(PEOPLE, lens, Wanted(sort=sort)).order_by(F(order.column).asc(), F(order.tie).asc())
    place = order.place(rows[49_949])
    return f"/people/?sort={sort}&after={encode(Cursor(place, 49_950))}"


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
