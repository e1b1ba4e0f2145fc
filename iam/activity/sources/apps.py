"""The Django application of iam.activity.sources."""

from django.apps import AppConfig


class TrailSourcesConfig(AppConfig):
    """Registers the tables of sources, of what was read of them, and of the time that this covers."""

    name = "iam.activity.sources"
    label = "trail_sources"
