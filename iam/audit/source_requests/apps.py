"""The Django application of requests about CloudTrail sources."""

from django.apps import AppConfig


class AuditSourceRequestsConfig(AppConfig):
    """Registers the table."""

    name = "iam.audit.source_requests"
    label = "audit_source_requests"
