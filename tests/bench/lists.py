"""Measures a page of a list of 100,000 users, on SQLite and on PostgreSQL, against the query sets of its rows
and their JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.both import Figures, on_both

ACCOUNTS, USERS = 20, 5_000
"""AWS allows 5,000 users in an account."""
ROUNDS = 100
LIMITS = {"ratio": 3, "ms": 25, "queries": 12, "kb": 60, "depth": 1.5}


def run() -> Figures:
    """The figures of both databases."""
    return on_both("tests.bench.lists")


def _best(*actions: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """The best time of each in milliseconds. They take turns, so that what else the machine does disturbs all
    alike.
    """
    took: list[list[float]] = [[] for _ in actions]
    for turn in range(rounds + 3):
        for times, action in zip(took, actions, strict=True):
            began = time.perf_counter()
            action()
            if turn >= 3:
                times.append((time.perf_counter() - began) * 1000)
    return [min(times) for times in took]


class Site:
    """A browser of an auditor who sees everything, through the whole middleware."""

    def __init__(self) -> None:
        from django.test import Client

        from iam.directory.models import Role
        from iam.guard import viewer_for
        from tests import factories

        operator = factories.operator(Role.AUDITOR, name="Jonas Berg")
        self.client = Client()
        self.client.force_login(operator)
        self.viewer = viewer_for(operator.person)

    def get(self, address: str, **headers: str) -> bytes:
        """The body of an answer that must be a success."""
        answer = self.client.get(address, **headers)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.status_code
        return bytes(answer.content)

    def queries(self, address: str, *, counted: bool) -> int:
        """How many queries a page costs; `counted` when the numbers beside its tabs are at hand."""
        from django.core.cache import cache
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        cache.clear()
        if counted:
            self.get(address)
        with CaptureQueriesContext(connection) as captured:
            self.get(address)
            return len(captured)


def measure(database: str) -> Figures:
    """The figures of the configured database."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.bench.list_rows import seed_account

    site = Site()
    seed_account("999999999999", name="small", first=500_000_000, users=50, groups=10)
    few = site.queries("/people/", counted=True), site.queries("/people/", counted=False)
    for number in range(ACCOUNTS):
        seed_account(f"{number:012d}", name=f"account-{number}", first=(number + 1) * 1_000_000, users=USERS)
    return _size_and_queries(database, site, few) + _times(database, site) + _depth(database, site)


def _size_and_queries(database: str, site: Site, few: tuple[int, int]) -> Figures:
    many = site.queries("/people/", counted=True), site.queries("/people/", counted=False)
    filtered = site.queries("/people/?mfa=none&account=000000000000&q=maya", counted=False)
    most, size = LIMITS["queries"], len(site.get("/people/")) / 1024
    return [
        _figure(f"{database}: HTML of a page", size, "KB", limit=LIMITS["kb"]),
        _figure(f"{database}: queries of a page of 100,000", many[0], "queries", "of 50", few[0], limit=1),
        _figure(
            f"{database}: the same, when tabs must be counted", many[1], "queries", "of 50", few[1], limit=1
        ),
        _figure(f"{database}: queries of a filtered page, at most", filtered, "queries", limit=most),
    ]


def _times(database: str, site: Site) -> Figures:
    from django.core.cache import cache

    from iam.keyset import page
    from iam.mirror.queries.lists.context import ListContext
    from iam.mirror.queries.lists.core import ListQuery, list_page, wanted_rows
    from iam.mirror.queries.lists.people import PEOPLE
    from iam.mirror.queries.lists.rows import PAGE

    def rows() -> list[dict[str, Any]]:
        """By the query sets themselves, where pages use statements that are kept of them."""
        context, order = ListContext(site.viewer), PEOPLE.sorts["name"].order(descending=False)
        part = page(wanted_rows(PEOPLE, context, ListQuery()), order=order, size=PAGE)
        PEOPLE.complete(context, part.rows)
        return part.rows

    def uncounted() -> None:
        cache.clear()
        site.get("/people/")

    floor, kept, bare, whole, part = _best(
        lambda: json.dumps(rows(), default=str),
        lambda: json.dumps(list_page(PEOPLE, ListContext(site.viewer), ListQuery()).rows, default=str),
        _bare(rows),
        lambda: site.get("/people/"),
        lambda: site.get("/people/", HTTP_HX_REQUEST="true"),
    )
    [first] = _best(uncounted, rounds=2)
    name, queries = f"{database}: a page of 100,000 users", "query sets of its rows and JSON"
    return [
        _figure(name, whole, "ms", limit=LIMITS["ms"]),
        _figure(f"{name}, against its rows", whole, "ms", queries, floor, LIMITS["ratio"]),
        _figure(f"{name}, its table alone, as htmx asks for it", part, "ms", queries, floor),
        _figure(f"{name}, against its rows as it reads them", whole, "ms", "kept statements and JSON", kept),
        _figure(f"{name}, against SQL without an ORM", whole, "ms", "the same SQL on a bare cursor", bare),
        _figure(f"{name}, when tabs must be counted", first, "ms"),
    ]


def _depth(database: str, site: Site) -> Figures:
    from iam.mirror.queries.lists.people import PEOPLE

    figures = []
    for sort in PEOPLE.sorts:
        address = _deep_address(sort, site)
        near, far = _best(
            lambda sort=sort: site.get(f"/people/?sort={sort}"),  # type: ignore[misc]
            lambda address=address: site.get(address),  # type: ignore[misc]
            rounds=60,
        )
        figures.append(
            _figure(f"{database}: page 1,000 by {sort}", far, "ms", "page 1", near, LIMITS["depth"])
        )
    return figures


def _figure(
    name: str, value: float, unit: str, floor: str = "", of: float = 0, limit: float | None = None
) -> dict[str, Any]:
    """The limit is that of the ratio where there is a floor, else that of the value."""
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "floor": f"{floor}, {of:.2f} {unit}" if floor else None,
        "ratio": round(value / of, 2) if of else None,
        "limit": limit,
    }


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


def _deep_address(sort: str, site: Site) -> str:
    """The address of page 1,000 in an order."""
    from django.db.models import F

    from console.web.page_cursors import PageCursor, encode
    from iam.mirror.queries.lists.context import ListContext
    from iam.mirror.queries.lists.core import ListQuery, wanted_rows
    from iam.mirror.queries.lists.people import PEOPLE

    order = PEOPLE.sorts[sort].order(descending=False)
    rows = wanted_rows(PEOPLE, ListContext(site.viewer), ListQuery(sort=sort)).order_by(
        F(order.column).asc(), F(order.tie).asc()
    )
    place = order.position_of(rows[49_949])
    return f"/people/?sort={sort}&after={encode(PageCursor(place, 49_950))}"


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
