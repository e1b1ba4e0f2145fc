"""The Django application of iam.journal."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    """Registers the tables of iam.journal."""

    name = "iam.journal"
    label = "journal"
