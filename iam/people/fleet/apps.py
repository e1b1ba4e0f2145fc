"""The Django application of the fleet of MFA devices."""

from django.apps import AppConfig


class FleetConfig(AppConfig):
    """Registers the tables of hardware requirements and of calculated users."""

    name = "iam.people.fleet"
    label = "people_fleet"
