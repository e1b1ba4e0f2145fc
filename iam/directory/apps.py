"""The Django application of iam.directory."""

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    """Registers the tables of iam.directory."""

    name = "iam.directory"
    label = "directory"
