"""The Django application of iam.activity."""

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    """Registers the tables of trail files, events, and what they add up to."""

    name = "iam.activity"
    label = "activity"
