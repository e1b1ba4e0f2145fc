"""The Django application of shared access."""

from django.apps import AppConfig


class GrantsConfig(AppConfig):
    """Registers the tables of grants."""

    name = "iam.access.grants"
    label = "grants"
