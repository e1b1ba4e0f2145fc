"""The tables of a test run: made by the migrations once, and copied into the database of each test process.

They are kept in the environment's folder for the next run, until something changes that they are made from
(see `tests.services.table_sources`).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.core.management.commands import migrate
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.services import postgres

KEPT_SECONDS = 3 * 86400


@contextmanager
def made_once() -> Iterator[None]:
    """The first `migrate` in here, of an empty database, is carried out where nothing is kept; others wait,
    and copy.
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
    kept = _kept(connection)
    kept.parent.mkdir(exist_ok=True)
    with (kept.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            make()
            unfinished = kept.with_suffix(f".{os.getpid()}")
            KEEP[connection.vendor](connection, unfinished)
            unfinished.rename(kept)
            _forget_old(kept.parent)
            return
    TAKE[connection.vendor](connection, kept)


def _kept(connection: BaseDatabaseWrapper) -> Path:
    return Path(f"{os.environ['GATEHOUSE_TEST_TABLES']}-{connection.vendor}")


def _forget_old(folder: Path) -> None:
    """What was made days ago; a run that copies from it would be as old."""
    for path in folder.iterdir():
        if path.stat().st_mtime < time.time() - KEPT_SECONDS:
            path.unlink()


def _keep_file(connection: BaseDatabaseWrapper, kept: Path) -> None:
    with closing(sqlite3.connect(kept)) as file:
        connection.connection.backup(file)


def _take_file(connection: BaseDatabaseWrapper, kept: Path) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(kept)) as file:
        file.backup(connection.connection)


def _keep_database(connection: BaseDatabaseWrapper, kept: Path) -> None:
    _keep_shipped(connection)
    connection.close()
    options = ("--format", "custom", "--compress", "0", "--file", str(kept))
    postgres.run_client("pg_dump", _address(connection), *options)


def _take_database(connection: BaseDatabaseWrapper, kept: Path) -> None:
    connection.close()
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{connection.settings_dict["NAME"]}"')
        cursor.execute(f'CREATE DATABASE "{connection.settings_dict["NAME"]}" TEMPLATE template0')
    postgres.run_client("pg_restore", _address(connection), "--single-transaction", str(kept))


def _address(connection: BaseDatabaseWrapper) -> str:
    address = connection.settings_dict
    host = {"host": address["OPTIONS"].get("host") or address["HOST"]}
    return f"--dbname=postgresql://{address['USER']}@/{address['NAME']}?{urlencode(host)}"


KEEP: dict[str, Callable[[BaseDatabaseWrapper, Path], None]] = {
    "sqlite": _keep_file,
    "postgresql": _keep_database,
}
TAKE: dict[str, Callable[[BaseDatabaseWrapper, Path], None]] = {
    "sqlite": _take_file,
    "postgresql": _take_database,
}


@contextmanager
def apart(folder: Path) -> Iterator[str]:
    """The address of another database with these tables, for processes that a test starts: a file in the
    folder, or one of the cluster.
    """
    if connection.vendor == "sqlite":
        file = folder / "gatehouse.sqlite3"
        shutil.copyfile(_kept(connection), file)
        yield f"sqlite:///{file}"
        return
    name = f"apart_{os.getpid()}"
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    address = os.environ["GATEHOUSE_TEST_CLUSTER"].replace("@/gatehouse?", f"@/{name}?")
    try:
        postgres.run_client(
            "pg_restore", f"--dbname={address}", "--single-transaction", str(_kept(connection))
        )
        yield address
    finally:
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


FROM_MIGRATE = frozenset({"django_migrations", "django_content_type", "auth_permission"})
"""Tables that `migrate` fills and no test writes to."""


DETACHED_WITHIN = 30.0
SHIPPED = "shipped"
"""Where PostgreSQL keeps what the migrations have written, beside the tables; SQLite has it in the file that
is copied.
"""


def _filled(connection: BaseDatabaseWrapper, names: Iterable[str], *, schema: str = "") -> list[str]:
    """The tables that hold something."""
    prefix = f"{schema}." if schema else ""
    asked = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {prefix}\"{name}\")" for name in names
    )
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return [name for (name,) in cursor.fetchall()]


def _of_tests(connection: BaseDatabaseWrapper) -> list[str]:
    return [name for name in connection.introspection.table_names() if name not in FROM_MIGRATE]


def _keep_shipped(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {SHIPPED}")
        for name in _filled(connection, _of_tests(connection)):
            cursor.execute(f'CREATE TABLE {SHIPPED}."{name}" AS TABLE "{name}"')


def empty(connection: BaseDatabaseWrapper) -> None:
    """Take out of the tables of Django's models whatever the migrations have not written: the next test may
    need the templates and blueprints that Gatehouse comes with.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"ATTACH '{_kept(connection)}' AS {SHIPPED}")
    try:
        _empty(connection)
    finally:
        if connection.vendor == "sqlite":
            _detach(connection)


def _detach(connection: BaseDatabaseWrapper) -> None:
    """Detach the file. A request that the test's web server still answers, on the same connection, keeps it
    locked for a moment; left attached, it would fail all later tests of the process.
    """
    until = time.monotonic() + DETACHED_WITHIN
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"DETACH {SHIPPED}")
        except OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def _empty(connection: BaseDatabaseWrapper) -> None:
    names = _of_tests(connection)
    with (
        connection.constraint_checks_disabled(),
        transaction.atomic(connection.alias),
        connection.cursor() as cursor,
    ):
        if connection.vendor == "postgresql":
            # Foreign keys are triggers; all that refers to a row goes with it.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [SHIPPED])
            shipped = [name for (name,) in cursor.fetchall()]
        else:
            shipped = _filled(connection, names, schema=SHIPPED)
        for name in _filled(connection, names):
            cursor.execute(f'DELETE FROM "{name}"')
        for name in shipped:
            cursor.execute(f'INSERT INTO "{name}" SELECT * FROM {SHIPPED}."{name}"')
