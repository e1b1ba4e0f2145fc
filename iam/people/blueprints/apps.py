"""The Django application of iam.people.blueprints."""

from django.apps import AppConfig


class BlueprintsConfig(AppConfig):
    """Registers the tables of blueprints."""

    name = "iam.people.blueprints"
    label = "blueprints"
