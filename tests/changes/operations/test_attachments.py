"""Attaching and detaching managed policies, for users, groups and roles, against the stand-in."""

from __future__ import annotations

import itertools

import pytest

from iam.aws import writes
from iam.changes import services
from iam.changes.models import Change, ChangeState
from iam.changes.operations import AttachPolicy, Operation
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, valid_at
from iam.mirror.reread import reread_entity
from tests.changes.conftest import Scene
from tests.changes.policies import READS, make_policy, ran

_numbers = itertools.count(1)


def asked(scene: Scene, *operations: Operation) -> list[Change]:
    """The changes of a set that was asked for."""
    planned = services.plan_set(operations, viewer=scene.requester)
    return services.request_changes(
        planned, actor=scene.requester, reason="Needed", idempotency_key=f"attach-{next(_numbers)}"
    )


def done(scene: Scene, *operations: Operation) -> list[Change]:
    """The changes of a set that was asked for, approved and carried out."""
    changes = asked(scene, *operations)
    scene.approve(changes[0])
    return [ran(change) for change in changes]


def make_role(scene: Scene) -> Entity:
    """A role in AWS and in the mirror."""
    name = f"deployer-{next(_numbers)}"
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
    writes.call(scene.aws, "iam", "CreateRole", {"RoleName": name, "AssumeRolePolicyDocument": trust})
    role = reread_entity(scene.account, scene.aws, kind=Kind.ROLE.value, name=name, cause_id=None)
    assert role is not None
    return role


def holder_of(scene: Scene, kind: str) -> Entity:
    """Somebody of a kind."""
    return {"user": scene.user, "group": scene.group}.get(kind) or make_role(scene)


def in_aws(scene: Scene, holder: Entity) -> set[str]:
    """What AWS has attached to somebody."""
    iam, kind = scene.aws.iam, holder.kind
    listing = getattr(iam, f"list_attached_{kind}_policies")
    return {one["PolicyArn"] for one in listing(**{f"{kind.title()}Name": holder.name})["AttachedPolicies"]}


def in_mirror(holder: Entity) -> set[str]:
    """What the mirror has."""
    edges = Edge.objects.filter(valid_at(None), source=holder, kind=EdgeKind.ATTACHED)
    return set(edges.values_list("target__arn", flat=True))


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_a_policy_is_attached_and_undone_with_few_calls(scene: Scene, kind: str) -> None:
    holder, policy = holder_of(scene, kind), make_policy(scene, text=READS).policy
    Edge.objects.filter(source=scene.group).delete()
    scene.standin.control("faults/clear", {})

    (change,) = done(scene, AttachPolicy.of(holder, policy=policy))

    assert change.state == ChangeState.APPLIED, change.error_message
    assert sum(scene.standin.control("stats")["by_action"].values()) == 5
    assert in_aws(scene, holder) == in_mirror(holder) == {policy.arn}
    edge = Edge.objects.get(valid_at(None), source=holder, target=policy)
    assert (edge.cause_kind, edge.cause_id) == ("change", change.pk)
    assert scene.standin.calls(f"iam:Attach{kind.title()}Policy") == 1

    undo = services.undo(change, actor=scene.requester, reason="Over", idempotency_key="undo")
    scene.approve(undo)
    ran(undo)
    assert (undo.state, undo.operation) == (ChangeState.APPLIED, "attachment.detach")
    assert in_aws(scene, holder) == in_mirror(holder) == set()
