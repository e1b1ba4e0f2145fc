"""Credentials of the scene's user, made in the stand-in behind Gatehouse's back and read into the mirror;
changes of them.
"""

from __future__ import annotations

import itertools
from typing import Any

from iam.aws import writes
from iam.changes import services
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.runner import run
from iam.mirror.models import Entity, EntityState, Kind, UserCredentials, valid_at
from iam.mirror.refresh.credentials import read_credentials, reread_credentials
from tests.iam.changes.conftest import Scene

_numbers = itertools.count(1)


def by_hand(scene: Scene, operation: str, **params: Any) -> dict[str, Any]:
    """Call IAM about the user behind Gatehouse's back."""
    return writes.call(scene.aws, "iam", operation, {"UserName": scene.user.name, **params}).response


def pull(scene: Scene, *sections: str) -> None:
    """Have the mirror read sections of the user's credentials."""
    for section in sections:
        read = read_credentials(scene.aws, user_name=scene.user.name, section=section)
        reread_credentials(scene.account, scene.user, read, cause_id=None)
    scene.standin.control("faults/clear", {})


def mirrored(scene: Scene, kind: Kind) -> dict[str, str]:
    """The user's credentials of a kind in the mirror: AWS's id → status."""
    rows = EntityState.objects.filter(valid_at(None), kind=kind, entity__owner=scene.user)
    return dict(rows.values_list("entity__aws_id", "category"))


def row(scene: Scene) -> UserCredentials:
    """What the mirror says of the user's password, devices and keys."""
    return UserCredentials.objects.get(valid_at(None), user=scene.user)


def credential(scene: Scene, aws_id: str) -> Entity:
    """A credential of the mirror."""
    return Entity.objects.get(account=scene.account, aws_id=aws_id)


def asked(scene: Scene, operation: Operation) -> Change:
    """Asked for by the requester."""
    return services.request_change(
        services.plan(operation, viewer=scene.requester),
        actor=scene.requester,
        reason="The laptop was lost",
        idempotency_key=f"credential-{next(_numbers)}",
    )


def queued(scene: Scene, operation: Operation) -> Change:
    """Asked for and approved."""
    return scene.approve(asked(scene, operation))


def ran(change: Change) -> Change:
    """The change after a worker was told of it."""
    run(change.pk)
    change.refresh_from_db()
    return change


def applied(scene: Scene, operation: Operation) -> Change:
    """Carried out."""
    change = ran(queued(scene, operation))
    assert change.state == "applied", change.error_message
    return change


def undone(scene: Scene, change: Change) -> Change:
    """The undoing of a change, carried out."""
    undo = services.undo(
        change, actor=scene.requester, reason="Found again", idempotency_key=f"u{next(_numbers)}"
    )
    return ran(scene.approve(undo))
