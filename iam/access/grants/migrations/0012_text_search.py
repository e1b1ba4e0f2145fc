"""Lets PostgreSQL find a part of a title, a name or an ARN among all grants without reading each."""

from __future__ import annotations

from django.db import migrations

INDEXES = {
    "grant_trigrams": """grants_grant USING gin (
        upper(title::text) gin_trgm_ops, upper(requested_label::text) gin_trgm_ops)""",
    "ledger_trigrams": """grants_ledgerentry USING gin (
        upper(holder_arn::text) gin_trgm_ops)""",
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
    dependencies = [("grants", "0011_plain_labels"), ("mirror", "0005_search_index")]
    operations = [migrations.RunPython(create, drop)]
