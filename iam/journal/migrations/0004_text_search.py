"""Lets PostgreSQL find a part of a name, an e-mail address or a subject in the journal without reading all of it."""

from __future__ import annotations

from django.db import migrations

INDEX = """CREATE INDEX IF NOT EXISTS journal_entry_trigrams ON journal_entry USING gin (
    upper(actor_label::text) gin_trgm_ops, upper(actor_email::text) gin_trgm_ops, upper(subject::text) gin_trgm_ops)"""
HAS_EXTENSION = "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm')"


def create(apps, schema_editor):
    """Nothing on SQLite, nor without the extension: the mirror's migration creates it, or says what an owner has to run."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(HAS_EXTENSION)
        if cursor.fetchone()[0]:
            cursor.execute(INDEX)


def drop(apps, schema_editor):
    """The search works without the index."""
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("DROP INDEX IF EXISTS journal_entry_trigrams")


class Migration(migrations.Migration):
    dependencies = [("journal", "0003_dating_warnings"), ("mirror", "0005_search_index")]
    operations = [migrations.RunPython(create, drop)]
