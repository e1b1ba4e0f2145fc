"""The Django application of MFA enrolment."""

from django.apps import AppConfig


class EnrolmentConfig(AppConfig):
    """Registers the table of enrolments, and has them follow their changes."""

    name = "iam.people.enrolment"
    label = "people_enrolment"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.people.enrolment.reconcile import change_ended

        handlers.on_end(change_ended)
