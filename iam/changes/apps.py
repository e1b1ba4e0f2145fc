"""The Django application of iam.changes."""

from django.apps import AppConfig


class ChangesConfig(AppConfig):
    """Registers the tables of iam.changes."""

    name = "iam.changes"
    label = "changes"
