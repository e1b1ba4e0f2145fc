"""The Django application of the posture score."""

from django.apps import AppConfig


class AuditPostureConfig(AppConfig):
    """Registers the tables."""

    name = "iam.audit.posture"
    label = "audit_posture"
