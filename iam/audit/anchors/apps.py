"""The Django application of anchors."""

from django.apps import AppConfig


class AuditAnchorsConfig(AppConfig):
    """Registers the models, and lets the journal be verified against the anchors of all places."""

    name = "iam.audit.anchors"
    label = "audit_anchors"

    def ready(self) -> None:
        from iam.audit.anchors.services import read_anchors
        from iam.journal import anchors

        anchors.on_read(read_anchors)
