"""The Django application of MFA campaigns."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Registers the tables of campaigns and the handler of enrolled devices."""

    name = "iam.people.campaigns"
    label = "people_campaigns"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.people.campaigns.waiting_demands import change_ended

        handlers.on_end(change_ended)
