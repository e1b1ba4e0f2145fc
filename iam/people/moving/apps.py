"""The Django application of iam.people.moving."""

from django.apps import AppConfig


class MovingConfig(AppConfig):
    """Registers the table of moves and the handler of their changes."""

    name = "iam.people.moving"
    label = "moving"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.changes.causes import CauseKind, register
        from iam.people.moving.models import OF_MOVE
        from iam.people.moving.reconcile import change_ended
        from iam.people.moving.single_blueprint_accounts import reach_of_move

        handlers.on_end(change_ended)
        register(OF_MOVE, CauseKind(reach=reach_of_move))
