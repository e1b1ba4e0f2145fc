"""The Django application of iam.changes.restore."""

from django.apps import AppConfig


class RestoreConfig(AppConfig):
    """Registers the tables of holds after a restored backup."""

    name = "iam.changes.restore"
    label = "restore"
