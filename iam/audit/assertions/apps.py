"""The Django application of assertions."""

from django.apps import AppConfig


class AuditAssertionsConfig(AppConfig):
    """Registers the models, and checks assertions right after each change."""

    name = "iam.audit.assertions"
    label = "audit_assertions"

    def ready(self) -> None:
        from iam.audit.assertions import checks
        from iam.audit.assertions.receipts import broken_by
        from iam.changes import handlers
        from iam.changes.assertion_checks import on_impact
        from iam.changes.models import Change, ChangeState

        def change_ended(change: Change) -> None:
            if change.state == ChangeState.APPLIED:
                checks.nudge()

        handlers.on_end(change_ended)
        on_impact(broken_by)
