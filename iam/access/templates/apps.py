"""The Django application of iam.access.templates."""

from django.apps import AppConfig


class TemplatesConfig(AppConfig):
    """Registers the tables of iam.access.templates."""

    name = "iam.access.templates"
    label = "access_templates"
