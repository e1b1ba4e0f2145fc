"""The Django application of shared access."""

from django.apps import AppConfig


class GrantsConfig(AppConfig):
    """Registers the grant models and lets grants follow the changes made for them."""

    name = "iam.access.grants"
    label = "grants"

    def ready(self) -> None:
        from iam.access.grants.models import ENDING
        from iam.access.grants.services.end_dates import end_of, ends_of, lasts_of, shorten_waiting, started
        from iam.access.grants.services.notifications import told_of_end
        from iam.access.grants.services.reconcile import change_ended
        from iam.changes import handlers
        from iam.changes.causes import CauseEnds, CauseKind, register
        from iam.changes.models import OF_GRANT

        handlers.on_end(change_ended)
        ends = CauseEnds(end_of, shorten_waiting, started, ends_of=ends_of, lasts_of=lasts_of)
        register(OF_GRANT, CauseKind(ends=ends))
        register(ENDING, CauseKind(restored_end=end_of, told=told_of_end))
