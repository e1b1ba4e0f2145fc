"""The Django application of iam.people.onboarding."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    """Registers the tables of onboarding and the handler of its changes."""

    name = "iam.people.onboarding"
    label = "onboarding"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.changes.causes import CauseKind, register
        from iam.people.onboarding.models import OF_ONBOARDING
        from iam.people.onboarding.reconcile import change_ended
        from iam.people.onboarding.requester_scope import of_run

        handlers.on_end(change_ended)
        register(OF_ONBOARDING, CauseKind(reach=of_run))
