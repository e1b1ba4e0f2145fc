"""The Django application of iam.people.onboarding."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    """Registers the tables of onboarding, and follows the changes of its runs."""

    name = "iam.people.onboarding"
    label = "onboarding"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.people.onboarding.settling import change_ended

        handlers.on_end(change_ended)
