"""The console as a Django application: it brings the Celery application and the commands."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Makes the Celery application current in every process, so that tasks find their broker."""

    name = "console"

    def ready(self) -> None:
        from console import celery  # noqa: F401
