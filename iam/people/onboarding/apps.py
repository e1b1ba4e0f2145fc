"""The Django application of iam.people.onboarding."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    """Registers the tables of onboarding, and follows the changes of its runs."""

    name = "iam.people.onboarding"
    label = "onboarding"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.changes.services import requester_scope
        from iam.people.onboarding.models import OF_RUN
        from iam.people.onboarding.reaching import of_run
        from iam.people.onboarding.settling import change_ended

        handlers.on_end(change_ended)
        requester_scope.register(OF_RUN, of_run)
