"""A user, group or server certificate that somebody renamed in AWS is not taken for a deleted one, by any
operation on it: AWS's calls take names.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iam.changes.models import ChangeState
from iam.changes.operations import Operation
from iam.changes.operations.lifecycle import Create, Delete
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh import reread_entity
from tests.iam.changes.operations.stage import Stage, ran
from tests.iam.changes.operations.table import Case
from tests.iam.changes.operations.test_every_operation import CASES, of

RENAMED = (Kind.USER, Kind.GROUP, Kind.SERVER_CERTIFICATE)


def renamed(stage: Stage, entity: Entity) -> str:
    """Rename it by hand, and return its new name."""
    name = stage.name("renamed")
    if entity.kind == Kind.USER:
        stage.iam.update_user(UserName=entity.name, NewUserName=name)
    elif entity.kind == Kind.GROUP:
        stage.iam.update_group(GroupName=entity.name, NewGroupName=name)
    else:
        stage.iam.update_server_certificate(ServerCertificateName=entity.name, NewServerCertificateName=name)
    return name


def whom(operation: Operation) -> Entity | None:
    """The entity that can be renamed and by whose name the operation calls AWS."""
    subject = None if isinstance(operation, Create) else operation.subject()
    if subject is not None and subject.kind not in RENAMED:
        subject = subject.owner
    return subject if subject is not None and subject.kind in RENAMED else None


@of(*{case.name.split()[0]: case for case in CASES}.values())
def test_an_operation_on_what_was_renamed_claims_nothing(stage: Stage, case: Case) -> None:
    operation = case.make(stage)
    entity = whom(operation)
    if entity is None:
        return
    (change,) = stage.queue(operation)
    name = renamed(stage, entity)
    stage.scene.standin.control("faults/clear", {})

    ran(change)

    entity.refresh_from_db()
    assert entity.gone_at is None, "the mirror takes it for deleted"
    if change.state == ChangeState.APPLIED:
        # AWS takes the ID of a device or of a spare, and no name.
        assert entity.name not in change.params.values()
        return
    assert (change.state, change.error_kind) == (ChangeState.FAILED, "drift"), change.error_message
    assert stage.written() == 0
    if isinstance(operation, Delete):
        assert f"was renamed to {name} in AWS" in change.error_message


@pytest.mark.parametrize("make", [Stage.user, Stage.group])
def test_the_mirror_follows_what_it_no_longer_finds_by_name(
    stage: Stage, make: Callable[[Stage], Entity]
) -> None:
    entity = make(stage)
    name = renamed(stage, entity)
    same = reread_entity(stage.account, stage.scene.aws, kind=entity.kind, name=entity.name, cause_id=None)
    assert same is not None
    assert (same.pk, same.name, same.gone_at) == (entity.pk, name, None)
    getattr(stage.iam, f"delete_{entity.kind}")(**{f"{entity.kind.capitalize()}Name": name})
    assert reread_entity(stage.account, stage.scene.aws, kind=entity.kind, name=name, cause_id=None) is None
    entity.refresh_from_db()
    assert entity.gone_at is not None


@pytest.mark.parametrize("kind", RENAMED)
def test_what_was_deleted_in_aws_is_still_known_to_be_deleted(stage: Stage, kind: Kind) -> None:
    (case,) = [case for case in CASES if case.name == f"{kind.value.replace('-', '_')}.delete"]
    operation = case.make(stage)
    entity = whom(operation)
    assert entity is not None
    (change,) = stage.queue(operation)
    if kind == Kind.USER:
        stage.iam.delete_user(UserName=entity.name)
    elif kind == Kind.GROUP:
        stage.iam.delete_group(GroupName=entity.name)
    else:
        stage.iam.delete_server_certificate(ServerCertificateName=entity.name)
    ran(change)
    entity.refresh_from_db()
    assert (change.state, entity.gone_at is None) == (ChangeState.APPLIED, False)
