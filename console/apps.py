"""The Django application of the console, which loads the Celery application and the management commands."""

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created

from console.database_connections import read_times_quickly
from console.notify.page_paths import PAGE_PATHS
from iam.notify.pages import place_pages
from iam.policy.newer_names import accept_newer


class ConsoleConfig(AppConfig):
    """Makes the Celery application current in every process, so that tasks find their broker.

    Also tells the policy checks which names are newer than the service catalog, tells messages the
    addresses of their pages, and prepares connections to PostgreSQL.
    """

    name = "console"

    def ready(self) -> None:
        from console import celery  # noqa: F401

        place_pages(PAGE_PATHS)
        accept_newer(settings.NEWER_NAMES)
        connection_created.connect(read_times_quickly)
