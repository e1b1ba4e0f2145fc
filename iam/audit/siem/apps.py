"""The Django application of the export to a SIEM."""

from django.apps import AppConfig


class AuditSiemConfig(AppConfig):
    """Registers the tables."""

    name = "iam.audit.siem"
    label = "audit_siem"
