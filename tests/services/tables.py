"""The tables of a test run: made by the migrations once, and copied into the database of each test
process.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.core.management.commands import migrate
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

COPY = "gatehouse_tables"


@contextmanager
def made_once() -> Iterator[None]:
    """The first `migrate` in here, of an empty database, is carried out by one process of a run; the others
    wait for it, and copy.
    """
    carried_out = migrate.Command.handle

    def handle(self: migrate.Command, *words: Any, **options: Any) -> None:
        migrate.Command.handle = carried_out  # type: ignore[method-assign]
        connection = connections[options["database"]]
        _once(connection, lambda: carried_out(self, *words, **options))

    migrate.Command.handle = handle  # type: ignore[method-assign]
    try:
        yield
    finally:
        migrate.Command.handle = carried_out  # type: ignore[method-assign]


def _once(connection: BaseDatabaseWrapper, make: Callable[[], None]) -> None:
    folder = Path(os.environ["GATEHOUSE_TEST_TABLES"])
    folder.mkdir(exist_ok=True)
    kept = folder / connection.vendor
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            make()
            KEEP[connection.vendor](connection, kept)
            return
    TAKE[connection.vendor](connection, kept)


def _keep_file(connection: BaseDatabaseWrapper, kept: Path) -> None:
    with closing(sqlite3.connect(kept)) as file:
        connection.connection.backup(file)


def _take_file(connection: BaseDatabaseWrapper, kept: Path) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(kept)) as file:
        file.backup(connection.connection)


def _copied(connection: BaseDatabaseWrapper, *, source: str, into: str) -> None:
    connection.close()
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{into}"')
        cursor.execute(f'CREATE DATABASE "{into}" TEMPLATE "{source}"')


def _keep_database(connection: BaseDatabaseWrapper, kept: Path) -> None:
    _copied(connection, source=connection.settings_dict["NAME"], into=COPY)
    kept.touch()


def _take_database(connection: BaseDatabaseWrapper, kept: Path) -> None:
    _copied(connection, source=COPY, into=connection.settings_dict["NAME"])


KEEP: dict[str, Callable[[BaseDatabaseWrapper, Path], None]] = {
    "sqlite": _keep_file,
    "postgresql": _keep_database,
}
TAKE: dict[str, Callable[[BaseDatabaseWrapper, Path], None]] = {
    "sqlite": _take_file,
    "postgresql": _take_database,
}


FROM_MIGRATE = frozenset({"django_migrations", "django_content_type", "auth_permission"})
"""Tables that `migrate` fills and no test writes to."""


def empty(connection: BaseDatabaseWrapper) -> None:
    """Take all rows out of the tables of Django's models."""
    names = [name for name in connection.introspection.table_names() if name not in FROM_MIGRATE]
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names)
    with (
        connection.constraint_checks_disabled(),
        transaction.atomic(connection.alias),
        connection.cursor() as cursor,
    ):
        if connection.vendor == "postgresql":
            # Foreign keys are triggers; all that refers to a row goes with it.
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(asked)
        for (name,) in cursor.fetchall():
            cursor.execute(f'DELETE FROM "{name}"')
