"""The Django application of MFA enrollment."""

from django.apps import AppConfig


class EnrolmentConfig(AppConfig):
    """Registers the table of enrollments and the handler of their changes."""

    name = "iam.people.enrolment"
    label = "people_enrolment"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.people.enrolment.reconcile import change_ended

        handlers.on_end(change_ended)
