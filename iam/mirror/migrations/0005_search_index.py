"""Lets PostgreSQL find any part of a name, an ARN or an id without reading the whole table."""

from __future__ import annotations

import warnings

from django.db import migrations

INDEX = "CREATE INDEX IF NOT EXISTS entity_search_trigrams ON mirror_entity USING gin (search gin_trgm_ops)"
HAS_EXTENSION = "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm')"
MAY_CREATE = """SELECT has_database_privilege(current_database(), 'CREATE')
    AND EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm')"""


def create(apps, schema_editor):
    """Nothing on SQLite. Where the extension may not be created, search still works, and the migration says so."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        if not _answer(cursor, HAS_EXTENSION):
            if not _answer(cursor, MAY_CREATE):
                warnings.warn(
                    "The extension pg_trgm cannot be created here, so a search reads the whole table. "
                    f"Let an owner of the database run: CREATE EXTENSION pg_trgm; {INDEX};",
                    stacklevel=1,
                )
                return
            cursor.execute("CREATE EXTENSION pg_trgm")
        cursor.execute(INDEX)


def drop(apps, schema_editor):
    """Leaves the extension, which others may use."""
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("DROP INDEX IF EXISTS entity_search_trigrams")


def _answer(cursor, question):
    cursor.execute(question)
    return cursor.fetchone()[0]


class Migration(migrations.Migration):
    dependencies = [("mirror", "0004_list_indexes")]
    operations = [migrations.RunPython(create, drop)]
