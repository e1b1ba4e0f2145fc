"""The Django application of iam.access.drafts."""

from django.apps import AppConfig


class DraftsConfig(AppConfig):
    """Registers the table of drafts."""

    name = "iam.access.drafts"
    label = "grant_drafts"
