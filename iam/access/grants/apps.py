"""The Django application of shared access."""

from django.apps import AppConfig


class GrantsConfig(AppConfig):
    """Registers the tables of grants, and has them follow their changes."""

    name = "iam.access.grants"
    label = "grants"

    def ready(self) -> None:
        from iam.access.grants.services.settling import change_ended
        from iam.changes import handlers

        handlers.on_end(change_ended)
