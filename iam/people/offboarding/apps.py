"""The Django application of iam.people.offboarding."""

from django.apps import AppConfig


class OffboardingConfig(AppConfig):
    """Registers the tables of offboarding and the handler of its changes."""

    name = "iam.people.offboarding"
    label = "leaving"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.changes.causes import CauseKind, register
        from iam.changes.models import OF_OFFBOARDING
        from iam.people.offboarding.models import OF_DELETION, OF_INVITING, OF_RETURN, OF_SUSPENSION
        from iam.people.offboarding.reconcile import change_ended
        from iam.people.offboarding.requester_scope import of_leaver, of_run
        from iam.people.offboarding.suspension_decisions import reviewed

        handlers.on_end(change_ended)
        register(OF_OFFBOARDING, CauseKind(reach=of_run))
        register(OF_SUSPENSION, CauseKind(reach=of_run, reviewed=reviewed))
        for name in (OF_RETURN, OF_DELETION, OF_INVITING):
            register(name, CauseKind(reach=of_leaver))
