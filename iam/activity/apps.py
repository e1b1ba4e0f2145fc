"""The Django application of iam.activity."""

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    """Registers the tables of trail files, events and rollups."""

    name = "iam.activity"
    label = "activity"
