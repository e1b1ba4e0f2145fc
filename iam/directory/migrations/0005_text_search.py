"""Lets PostgreSQL find people by a part of their name or email address without reading each."""

from __future__ import annotations

from django.db import migrations

INDEXES = {
    "person_trigrams": """directory_person USING gin (
        upper(name::text) gin_trgm_ops, upper(email::text) gin_trgm_ops)""",
}
HAS_EXTENSION = "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm')"


def create(apps, schema_editor):
    """Nothing on SQLite, nor without the extension: the mirror's migration creates it, or says what an owner has to run."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(HAS_EXTENSION)
        if cursor.fetchone()[0]:
            for name, columns in INDEXES.items():
                cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")


def drop(apps, schema_editor):
    """The search works without them."""
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            for name in INDEXES:
                cursor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("directory", "0004_owned_users"), ("mirror", "0005_search_index")]
    operations = [migrations.RunPython(create, drop)]
