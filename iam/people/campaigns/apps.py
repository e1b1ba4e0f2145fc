"""The Django application of campaigns for MFA."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Registers the tables of campaigns."""

    name = "iam.people.campaigns"
    label = "people_campaigns"
