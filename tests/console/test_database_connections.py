"""Connections to PostgreSQL: times are read as by its driver, and an ended connection is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import psycopg
import pytest
from django.core.signals import request_started
from django.db import DataError, connection
from django.http import HttpRequest, HttpResponse
from psycopg.types.datetime import TimestamptzLoader

from console import database_connections
from console.database_connections import RECENT, RecentConnection

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]

TEXTS = [
    "2026-11-12 10:49:31+00",
    "2026-11-12 10:49:31.5+00",
    "2026-11-12 10:49:31.000001+00",
    "2026-11-12 10:49:31.12345+00",
    "2026-11-12 12:49:31+02",
    "2026-11-12 12:49:31.25+05:30",
    "2024-02-29 23:59:59.999999+00",
    "0001-01-01 00:00:00+00",
    "1850-06-01 00:00:00+00",
    "1970-01-01 00:00:00+00",
    "9999-12-31 23:59:59.999999+00",
]
STRANGE = ["infinity", "-infinity", "12000-01-01 00:00:00+00", "0044-03-15 00:00:00+00 BC"]


def read(text: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST(%s AS timestamptz)", [text])
        return cursor.fetchone()[0]


def by_driver(text: str) -> Any:
    connection.ensure_connection()
    with psycopg.connect(**connection.get_connection_params() | {"context": None}) as plain:
        plain.execute("SET TIME ZONE 'UTC'")
        row = plain.execute("SELECT CAST(%s AS timestamptz)", [text]).fetchone()
    return row[0] if row else None


@pytest.mark.parametrize("text", TEXTS)
def test_a_time_is_read_as_by_the_driver(text: str) -> None:
    moment = read(text)
    assert moment == by_driver(text)
    assert moment.tzinfo is UTC


@pytest.mark.parametrize("text", STRANGE)
def test_a_time_that_python_has_not_is_refused_as_by_the_driver(text: str) -> None:
    with pytest.raises(psycopg.DataError):
        by_driver(text)
    with pytest.raises((DataError, psycopg.DataError)):
        read(text)


def test_the_quick_loader_is_in_use() -> None:
    connection.ensure_connection()
    loader = connection.connection.adapters.get_loader(
        psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT
    )
    assert loader is not None
    assert loader is not TimestamptzLoader
    assert loader.__module__ == "console.database_connections"
    assert read("2026-11-12 10:49:31+00") == datetime(2026, 11, 12, 10, 49, 31, tzinfo=UTC)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The number of statements that only checked a connection which has answered a request already."""
    made: list[int] = []
    is_usable = connection.is_usable

    def counted() -> Any:
        made.append(1)
        return is_usable()

    connection.ensure_connection()
    begin_request()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    monkeypatch.setattr(connection, "is_usable", counted)
    monkeypatch.setattr(connection, "health_check_enabled", True)
    yield made
    connection.close()


def begin_request() -> None:
    request_started.send(sender=object())
    RecentConnection(lambda _: HttpResponse())(HttpRequest())


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_just_used_is_not_checked(checks: list[int]) -> None:
    first = backend()
    for _ in range(3):
        begin_request()
        assert backend() == first
    assert checks == []


@pytest.mark.django_db(transaction=True)
def test_one_that_was_idle_for_a_while_is_checked(checks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    first, later = backend(), monotonic() + RECENT.total_seconds()
    monkeypatch.setattr(database_connections, "monotonic", lambda: later)
    begin_request()
    assert backend() == first
    assert checks == [1]


@pytest.mark.django_db(transaction=True)
def test_one_that_the_server_has_ended_is_replaced(checks: list[int]) -> None:
    first = backend()
    with psycopg.connect(**connection.get_connection_params() | {"context": None}) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    begin_request()
    assert backend() != first
    assert checks == [1]
