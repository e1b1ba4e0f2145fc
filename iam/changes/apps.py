"""The Django application of iam.changes."""

from django.apps import AppConfig


class ChangesConfig(AppConfig):
    """Registers the change models and the handlers of ended changes."""

    name = "iam.changes"
    label = "changes"

    def ready(self) -> None:
        from iam.changes import handlers, notifications
        from iam.changes.services import secrets

        handlers.on_end(notifications.tell_end)
        handlers.on_end(secrets.destroy_unused)
