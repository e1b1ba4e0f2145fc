"""The Django application of iam.people.leaving."""

from django.apps import AppConfig


class LeavingConfig(AppConfig):
    """Registers the tables of leaving, and follows the changes of its runs."""

    name = "iam.people.leaving"
    label = "leaving"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.people.leaving.settling import change_ended

        handlers.on_end(change_ended)
