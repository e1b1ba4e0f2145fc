"""The Django application of iam.linking."""

from django.apps import AppConfig


class LinkingConfig(AppConfig):
    """Registers the tables of what is said of users, and of the ways in which it is."""

    name = "iam.linking"
    label = "linking"
