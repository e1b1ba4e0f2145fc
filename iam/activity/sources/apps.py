"""The Django application of iam.activity.sources."""

from django.apps import AppConfig


class TrailSourcesConfig(AppConfig):
    """Registers the tables of sources, of the files read from them, and of the periods covered."""

    name = "iam.activity.sources"
    label = "trail_sources"
