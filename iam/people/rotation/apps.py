"""The Django application of the rotation of access keys."""

from django.apps import AppConfig


class RotationConfig(AppConfig):
    """Registers the tables of rotations and the handler of their changes."""

    name = "iam.people.rotation"
    label = "people_rotation"

    def ready(self) -> None:
        from iam.changes import handlers
        from iam.changes.causes import CauseKind, register
        from iam.people.rotation.models import OF_ROTATION
        from iam.people.rotation.own_keys import OF_OWN_KEY
        from iam.people.rotation.reconcile import change_ended
        from iam.people.rotation.rotation_plan import for_set

        handlers.on_end(change_ended)
        for name in (OF_ROTATION, OF_OWN_KEY):
            register(name, CauseKind(reach=for_set))
