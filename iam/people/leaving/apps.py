"""The Django application of iam.people.leaving."""

from django.apps import AppConfig


class LeavingConfig(AppConfig):
    """Registers the tables of leaving, and follows the changes of its runs."""

    name = "iam.people.leaving"
    label = "leaving"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.changes.causes import CauseKind, register
        from iam.changes.models import OF_OFFBOARDING
        from iam.people.leaving.confirming import reviewed
        from iam.people.leaving.models import OF_DELETION, OF_INVITING, OF_RETURN, OF_SUSPENSION
        from iam.people.leaving.reaching import of_leaver, of_run
        from iam.people.leaving.reconcile import change_ended

        handlers.on_end(change_ended)
        register(OF_OFFBOARDING, CauseKind(reach=of_run))
        register(OF_SUSPENSION, CauseKind(reach=of_run, reviewed=reviewed))
        for name in (OF_RETURN, OF_DELETION, OF_INVITING):
            register(name, CauseKind(reach=of_leaver))
