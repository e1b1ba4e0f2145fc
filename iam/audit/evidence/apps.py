"""The Django application of evidence packs."""

from django.apps import AppConfig


class AuditEvidenceConfig(AppConfig):
    """Registers the tables."""

    name = "iam.audit.evidence"
    label = "audit_evidence"
