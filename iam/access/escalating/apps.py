"""The Django application of what is calculated about privilege escalation."""

from django.apps import AppConfig


class EscalatingConfig(AppConfig):
    """Registers the tables of findings."""

    name = "iam.access.escalating"
    label = "access_escalating"
