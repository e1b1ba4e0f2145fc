"""The Django application of the rotation of access keys."""

from django.apps import AppConfig


class RotationConfig(AppConfig):
    """Registers the tables of rotations, and has them follow their changes."""

    name = "iam.people.rotation"
    label = "people_rotation"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.changes.services import requester_scope
        from iam.people.rotation.models import OF_ROTATION
        from iam.people.rotation.own import OF_OWN_KEY
        from iam.people.rotation.planning import for_set
        from iam.people.rotation.reconcile import change_ended

        handlers.on_end(change_ended)
        requester_scope.register(OF_ROTATION, for_set)
        requester_scope.register(OF_OWN_KEY, for_set)
