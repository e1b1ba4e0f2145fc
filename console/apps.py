"""The console as a Django application: it brings the Celery application and the commands."""

from django.apps import AppConfig
from django.conf import settings

from console.notify.page_paths import PAGE_PATHS
from iam.notify.pages import place_pages
from iam.policy.newer_names import accept_newer


class ConsoleConfig(AppConfig):
    """Makes the Celery application current in every process, so that tasks find their broker;
    tells the policy checks which names are newer than the catalogue, and messages where their pages are."""

    name = "console"

    def ready(self) -> None:
        from console import celery  # noqa: F401

        place_pages(PAGE_PATHS)
        accept_newer(settings.NEWER_NAMES)
