"""The Django application of console.web."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Registers console.web."""

    name = "console.web"
    label = "web"
