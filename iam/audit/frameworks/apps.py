"""The Django application of frameworks."""

from django.apps import AppConfig


class AuditFrameworksConfig(AppConfig):
    """Registers the tables."""

    name = "iam.audit.frameworks"
    label = "audit_frameworks"
