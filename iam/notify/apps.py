"""The Django application of iam.notify."""

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    """Registers the tables of iam.notify."""

    name = "iam.notify"
    label = "notify"
