"""The Django application of the fleet of MFA devices."""

from django.apps import AppConfig


class FleetConfig(AppConfig):
    """Registers the table of where hardware is demanded."""

    name = "iam.people.fleet"
    label = "people_fleet"
