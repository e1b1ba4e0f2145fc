"""The Django application of iam.changes.approval."""

from django.apps import AppConfig


class ApprovalConfig(AppConfig):
    """Registers the tables of iam.changes.approval."""

    name = "iam.changes.approval"
    label = "approval"

    def ready(self) -> None:
        """Void approvals when a person loses the right to approve."""
        from iam.changes.approval.stages import after_rights_reduced
        from iam.directory.events import on_rights_reduced

        on_rights_reduced(after_rights_reduced)
