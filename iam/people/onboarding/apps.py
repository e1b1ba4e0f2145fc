"""The Django application of iam.people.onboarding."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    """Registers the tables of onboarding, and follows the changes of its runs."""

    name = "iam.people.onboarding"
    label = "onboarding"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.changes.services import requester_scope
        from iam.people.onboarding.models import OF_ONBOARDING
        from iam.people.onboarding.reaching import of_run
        from iam.people.onboarding.reconcile import change_ended

        handlers.on_end(change_ended)
        requester_scope.register(OF_ONBOARDING, of_run)
