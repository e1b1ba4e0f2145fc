"""The Django application of console.operators."""

from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    """Registers console.operators."""

    name = "console.operators"
    label = "operators"
