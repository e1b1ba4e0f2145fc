"""The Django application of what is calculated about privilege escalation."""

from django.apps import AppConfig


class EscalatingConfig(AppConfig):
    """Registers the tables of findings, and has them follow changes without waiting for the sweep."""

    name = "iam.access.escalation_calculation"
    label = "access_escalating"

    def ready(self) -> None:
        from iam.access.escalation_calculation import stored_calculation
        from iam.changes import handlers
        from iam.changes.models import Change, ChangeState

        def change_ended(change: Change) -> None:
            if change.state == ChangeState.APPLIED:
                stored_calculation.nudge()

        handlers.on_end(change_ended)
