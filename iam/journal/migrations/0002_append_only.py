"""Forbid in the database to alter or remove what the journal holds."""

from django.db import migrations

from iam.journal import triggers


def protect(apps, schema_editor):
    triggers.create(schema_editor.connection)


def expose(apps, schema_editor):
    triggers.drop(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [("journal", "0001_initial")]

    operations = [migrations.RunPython(protect, expose)]
