"""Squashed migrations make what those make that they replace, and leave existing databases alone."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tests.services import postgres, tables

pytestmark = pytest.mark.on_both

BY_DJANGO = tables.FROM_MIGRATE | {"django_site"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[\d.:+]*")
"""Rows of the two databases were written at different times."""


@contextmanager
def another_database(folder: Path) -> Iterator[BaseDatabaseWrapper]:
    """An empty database stands in for that of the tests."""
    usual = connections["default"]
    other = usual.copy()
    if usual.vendor == "sqlite":
        other.settings_dict["NAME"] = str(folder / "other.sqlite3")
    else:
        other.settings_dict["NAME"] = f"other_{os.getpid()}"
        with usual.creation._nodb_cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {other.settings_dict['NAME']} TEMPLATE template0")
    connections["default"] = other
    try:
        yield other
    finally:
        other.close()
        connections["default"] = usual
        if usual.vendor == "postgresql":
            with usual.creation._nodb_cursor() as cursor:
                cursor.execute(f"DROP DATABASE {other.settings_dict['NAME']} WITH (FORCE)")


def migrate_without_squashes(database: BaseDatabaseWrapper) -> None:
    """As every version did that had none."""
    executor = MigrationExecutor(database)
    loader = executor.loader = MigrationLoader(database, replace_migrations=False)
    for key, migration in loader.replacements.items():
        # What came later names it, and means the last of those that it replaces.
        loader.graph.remove_replacement_node(key, migration.replaces)
    executor.migrate(loader.graph.leaf_nodes())
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")


def schema(database: BaseDatabaseWrapper, folder: Path) -> Counter[str]:
    """All that the database says of its tables, indexes, constraints and triggers; columns in any order."""
    if database.vendor == "postgresql":
        file = folder / "made"
        tables._keep_database(database, file)
        return _schema_in(file)
    with database.cursor() as cursor:
        cursor.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
        return Counter(f"{type} {name} {of} {_in_any_order(sql or '')}" for type, name, of, sql in cursor)


def usual_schema(folder: Path) -> Counter[str]:
    """That of the tests, whose tables come from the squashed migrations."""
    if connection.vendor == "postgresql":
        # Whatever was restored has its conditions in other words.
        return _schema_in(tables._kept(connection))
    return schema(connection, folder)


def _schema_in(kept: Path) -> Counter[str]:
    """That of a dump of PostgreSQL."""
    command = (str(postgres.binaries() / "pg_restore"), "--schema-only", "--file", "-", str(kept))
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Counter(line.removesuffix(",") for line in told.splitlines() if not line.startswith("\\"))


def _in_any_order(statement: str) -> str:
    head, _, columns = statement.removesuffix(")").partition("(")
    return " ".join([head, *sorted(re.split(r", (?=\"|CONSTRAINT)", columns))])


def rows(database: BaseDatabaseWrapper) -> dict[str, Counter[str]]:
    """What the tables of the product hold."""
    found = {}
    with database.cursor() as cursor:
        for name in set(database.introspection.table_names(cursor)) - BY_DJANGO:
            columns = sorted(
                column.name for column in database.introspection.get_table_description(cursor, name)
            )
            cursor.execute(f'SELECT {", ".join(map(database.ops.quote_name, columns))} FROM "{name}"')
            found[name] = Counter(MOMENT.sub("then", "|".join(map(str, row))) for row in cursor)
    return found


@pytest.mark.django_db(transaction=True)
def test_the_squashed_migrations_make_the_same_tables_and_rows(
    tmp_path: Path,
) -> None:
    usual, usual_rows = usual_schema(tmp_path), rows(connection)
    with another_database(tmp_path) as database:
        migrate_without_squashes(database)

        before = schema(database, tmp_path)
        assert (before - usual, usual - before) == (Counter(), Counter())
        assert rows(database) == usual_rows
        executor = MigrationExecutor(database)
        assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


SQUASHED = sorted(
    app.label for app in apps.get_app_configs() if any(Path(app.path).glob("migrations/*_squashed_*.py"))
)


def test_most_migrations_are_squashed() -> None:
    assert len(SQUASHED) >= 20


@pytest.mark.django_db
@pytest.mark.parametrize("app", SQUASHED)
def test_a_database_that_lacks_the_last_ones_gets_just_these(app: str) -> None:
    replacements = MigrationLoader(connection).replacements
    names = [name for key, found in replacements.items() if key[0] == app for _, name in found.replaces]
    applied = MigrationRecorder(connection).migration_qs.filter(app=app)
    assert len(names) > 1
    applied.exclude(name__in=names[:1]).delete()

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())

    planned = [migration.name for migration, _ in plan if migration.app_label == app]
    assert planned[: len(names) - 1] == names[1:]
    assert {migration.app_label for migration, _ in plan} == {app}
