"""The Django application of iam.mirror."""

from django.apps import AppConfig


class MirrorConfig(AppConfig):
    """Registers the tables of iam.mirror."""

    name = "iam.mirror"
    label = "mirror"
