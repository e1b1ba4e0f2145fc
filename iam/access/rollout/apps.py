"""The Django application of iam.access.rollout."""

from django.apps import AppConfig


class RolloutConfig(AppConfig):
    """Registers the table of rollouts, and has grants follow them."""

    name = "iam.access.rollout"
    label = "template_rollouts"

    def ready(self) -> None:
        from iam.access.rollout.services import change_ended
        from iam.changes import handlers

        handlers.on_end(change_ended)
