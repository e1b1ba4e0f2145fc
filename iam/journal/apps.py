"""The Django application of iam.journal."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db import connections
from django.db.models.signals import post_migrate


class JournalConfig(AppConfig):
    """Registers the tables of iam.journal and keeps them protected."""

    name = "iam.journal"
    label = "journal"

    def ready(self) -> None:
        from iam.journal.checks import journal_is_append_only

        checks.register(journal_is_append_only, checks.Tags.database)
        post_migrate.connect(_protect_again, sender=self)


def _protect_again(*, using: str, **kwargs: Any) -> None:
    """Create the triggers again if a migration rebuilt a table on SQLite, which drops its triggers silently.

    Triggers that were missing before the migration began have already stopped it, because the check above
    runs first.
    """
    from iam.journal import triggers

    connection = connections[using]
    if triggers.tables_exist(connection) and triggers.missing(connection):
        triggers.create(connection)
