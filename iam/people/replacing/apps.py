"""The Django application of replacements of lost devices."""

from django.apps import AppConfig


class ReplacingConfig(AppConfig):
    """Registers the table of replacements."""

    name = "iam.people.replacing"
    label = "people_replacing"
