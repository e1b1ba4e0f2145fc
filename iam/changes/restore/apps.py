"""The Django application of iam.changes.restore."""

from django.apps import AppConfig


class RestoreConfig(AppConfig):
    """Registers the models of holds after a restore."""

    name = "iam.changes.restore"
    label = "restore"
