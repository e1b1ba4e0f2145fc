"""The Django application of iam.sealed."""

from django.apps import AppConfig


class SealedConfig(AppConfig):
    """Registers the table of iam.sealed."""

    name = "iam.sealed"
    label = "sealed"
