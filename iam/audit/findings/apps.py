"""The Django application of findings."""

from django.apps import AppConfig


class AuditFindingsConfig(AppConfig):
    """Registers the models, and recalculates findings right after changes."""

    name = "iam.audit.findings"
    label = "audit_findings"

    def ready(self) -> None:
        from iam.audit.findings import calculation
        from iam.changes import handlers
        from iam.changes.models import Change, ChangeState

        def change_ended(change: Change) -> None:
            if change.state == ChangeState.APPLIED:
                calculation.nudge()

        handlers.on_end(change_ended)
