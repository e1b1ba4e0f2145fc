"""The Django application of iam.linking."""

from django.apps import AppConfig


class LinkingConfig(AppConfig):
    """Registers the tables of matches and matching rules."""

    name = "iam.linking"
    label = "linking"
