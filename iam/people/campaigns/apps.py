"""The Django application of campaigns for MFA."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Registers the tables of campaigns, and has them hear of devices that are enrolled."""

    name = "iam.people.campaigns"
    label = "people_campaigns"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.people.campaigns.waiting_demands import change_ended

        handlers.on_end(change_ended)
