"""Errors of the database that pass, and errors that are bugs."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.test import Client
from structlog.stdlib import ProcessorFormatter

from console.web.unavailable import is_database_away

pytestmark = pytest.mark.django_db


def raised(error: Exception) -> Any:
    """A wrapper of every query that raises the error instead."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        raise error

    return refuse


def visit(error: Exception) -> Any:
    """What a visitor with a session is answered while every query fails in this way."""
    client = Client(raise_request_exception=False)
    client.cookies["gatehouse_session"] = "x" * 32
    with connection.execute_wrapper(raised(error)):
        return client.get("/people/")


def test_a_database_that_went_away_is_a_503_with_a_clear_text() -> None:
    response = visit(InterfaceError("connection already closed"))
    assert response.status_code == 503
    assert "Gatehouse can’t reach its database" in response.content.decode()
    assert response["Retry-After"] == "10"


def test_a_wrong_query_stays_an_error_of_gatehouse() -> None:
    response = visit(ProgrammingError("no such column"))
    assert response.status_code == 500
    assert "This is a bug in Gatehouse" in response.content.decode()


class Lines(logging.Handler):
    """The lines of the log as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []
        self.setFormatter(
            next(
                handler.formatter
                for handler in logging.getLogger().handlers
                if isinstance(handler.formatter, ProcessorFormatter)
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(self.format(record))


def test_a_bug_names_the_request_under_which_the_log_has_the_traceback() -> None:
    lines = Lines()
    logging.getLogger("django.request").addHandler(lines)
    try:
        page = visit(ProgrammingError("no such column")).content.decode()
    finally:
        logging.getLogger("django.request").removeHandler(lines)
    match = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", page)
    assert match
    (line,) = lines.written
    assert f'"request_id": "{match[0]}"' in line
    assert "ProgrammingError" in line


def test_what_led_to_an_error_counts() -> None:
    later = ValueError("nothing could be saved")
    later.__context__ = InterfaceError("closed")
    assert is_database_away(later)
    assert not is_database_away(ValueError("closed"))


@pytest.mark.parametrize(
    ("state", "away"), [(None, True), ("57P01", True), ("53100", True), ("08006", True), ("40P01", False)]
)
def test_postgresql_says_by_its_code(state: str | None, away: bool) -> None:
    cause = Exception()
    cause.sqlstate = state  # type: ignore[attr-defined]
    error = OperationalError("terminating connection")
    error.__cause__ = cause
    assert is_database_away(error) is away


@pytest.mark.parametrize(("text", "away"), [("database is locked", True), ("no such table: x", False)])
def test_sqlite_says_by_its_text(text: str, away: bool) -> None:
    assert is_database_away(OperationalError(text)) is away
