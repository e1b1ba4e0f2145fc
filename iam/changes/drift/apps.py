"""The Django application of iam.changes.drift."""

from django.apps import AppConfig


class DriftConfig(AppConfig):
    """Registers the drift models and the handler for undos that have ended."""

    name = "iam.changes.drift"
    label = "drift"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.changes.drift.services import after_end

        handlers.on_end(after_end)
