"""Every sort of difference, made by hand and undone: AWS shows of the thing what it showed before, but for
ids and dates.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from iam.changes.drift import services
from iam.changes.drift.models import Drift, DriftState
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import ADD_TO_GROUP, Membership
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import ACCESS_KEYS
from tests.iam.changes.conftest import Scene
from tests.iam.changes.drift.conftest import Outside
from tests.iam.changes.operations import credentials
from tests.iam.changes.operations.stage import READS, TRUST_EC2, Stage

pytestmark = pytest.mark.on_postgresql

TRUST_LAMBDA = TRUST_EC2.replace("ec2", "lambda")
OF_AWS = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def _json(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


def _held(iam: Any, word: str, name: str) -> dict[str, Any]:
    """What a user, group or role holds, as AWS lists it."""
    call = word.lower()
    named = {f"{word}Name": name}
    attached = getattr(iam, f"list_attached_{call}_policies")(**named)["AttachedPolicies"]
    inline = getattr(iam, f"list_{call}_policies")(**named)["PolicyNames"]
    read = getattr(iam, f"get_{call}_policy")
    return {
        "attached": sorted(policy["PolicyArn"] for policy in attached),
        "inline": {policy: _json(read(**named, PolicyName=policy)["PolicyDocument"]) for policy in inline},
    }


def _tags(shown: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in shown.get("Tags", [])}


def _user(iam: Any, name: str) -> dict[str, Any]:
    shown = iam.get_user(UserName=name)["User"]
    groups = iam.list_groups_for_user(UserName=name)["Groups"]
    keys = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    return _held(iam, "User", name) | {
        "path": shown["Path"],
        "tags": _tags(shown),
        "boundary": shown.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "groups": sorted(group["GroupName"] for group in groups),
        "keys": {key["AccessKeyId"]: key["Status"] for key in keys},
    }


def _role(iam: Any, name: str) -> dict[str, Any]:
    shown = iam.get_role(RoleName=name)["Role"]
    return _held(iam, "Role", name) | {
        "path": shown["Path"],
        "tags": _tags(shown),
        "boundary": shown.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "trust": _json(shown["AssumeRolePolicyDocument"]),
        "description": shown.get("Description", ""),
        "session": shown["MaxSessionDuration"],
        "sign_in": shown.get("MaxSigninSessionDuration"),
    }


def _group(iam: Any, name: str) -> dict[str, Any]:
    return _held(iam, "Group", name) | {"path": iam.get_group(GroupName=name)["Group"]["Path"]}


def _policy(iam: Any, arn: str) -> dict[str, Any]:
    shown = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=shown["DefaultVersionId"])["PolicyVersion"]
    return {"path": shown["Path"], "tags": _tags(shown), "text": _json(version["Document"])}


def look(outside: Outside, entity: Entity) -> Any:
    """Everything that AWS shows of a thing, but for what it assigns; None when there is none of the name."""
    word = entity.arn if entity.kind == Kind.POLICY else entity.name
    read = {Kind.USER: _user, Kind.ROLE: _role, Kind.GROUP: _group, Kind.POLICY: _policy}[Kind(entity.kind)]
    try:
        return read(outside.iam, word)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return None


Act = Callable[[Any, Entity, Stage], Any]


def put_boundary(iam: Any, e: Entity, stage: Stage) -> None:
    call = iam.put_user_permissions_boundary if e.kind == Kind.USER else iam.put_role_permissions_boundary
    word = "UserName" if e.kind == Kind.USER else "RoleName"
    call(**{word: e.name}, PermissionsBoundary=stage.keep["boundary"])


def full_user(iam: Any, e: Entity, stage: Stage) -> None:
    """A user with a bit of everything that AWS gives back."""
    put_boundary(iam, e, stage)
    iam.tag_user(UserName=e.name, Tags=[{"Key": "team", "Value": "payments"}])
    iam.attach_user_policy(UserName=e.name, PolicyArn=OF_AWS)
    iam.put_user_policy(UserName=e.name, PolicyName="extra", PolicyDocument=READS)
    iam.add_user_to_group(UserName=e.name, GroupName=stage.keep["group"])


def delete_user(iam: Any, e: Entity, stage: Stage) -> None:
    iam.remove_user_from_group(UserName=e.name, GroupName=stage.keep["group"])
    iam.delete_user_policy(UserName=e.name, PolicyName="extra")
    iam.detach_user_policy(UserName=e.name, PolicyArn=OF_AWS)
    iam.delete_user(UserName=e.name)


def full_role(iam: Any, e: Entity, stage: Stage) -> None:
    put_boundary(iam, e, stage)
    iam.update_role(RoleName=e.name, Description="Nightly", MaxSessionDuration=7200)
    iam.attach_role_policy(RoleName=e.name, PolicyArn=OF_AWS)
    iam.put_role_policy(RoleName=e.name, PolicyName="extra", PolicyDocument=READS)


def delete_role(iam: Any, e: Entity, _: Stage) -> None:
    iam.delete_role_policy(RoleName=e.name, PolicyName="extra")
    iam.detach_role_policy(RoleName=e.name, PolicyArn=OF_AWS)
    iam.delete_role(RoleName=e.name)


def full_group(iam: Any, e: Entity, _: Stage) -> None:
    iam.attach_group_policy(GroupName=e.name, PolicyArn=OF_AWS)
    iam.put_group_policy(GroupName=e.name, PolicyName="extra", PolicyDocument=READS)


def delete_group(iam: Any, e: Entity, _: Stage) -> None:
    iam.delete_group_policy(GroupName=e.name, PolicyName="extra")
    iam.detach_group_policy(GroupName=e.name, PolicyArn=OF_AWS)
    iam.delete_group(GroupName=e.name)


def nothing(*_: Any) -> None:
    """As it was made."""


CASES: dict[str, tuple[str, Act, Act]] = {
    "tags of a user": (
        "user",
        lambda iam, e, _: iam.tag_user(
            UserName=e.name, Tags=[{"Key": "team", "Value": "a"}, {"Key": "x", "Value": "1"}]
        ),
        lambda iam, e, _: (
            iam.untag_user(UserName=e.name, TagKeys=["x"]),
            iam.tag_user(UserName=e.name, Tags=[{"Key": "team", "Value": "b"}]),
        ),
    ),
    "boundary taken": (
        "role",
        put_boundary,
        lambda iam, e, _: iam.delete_role_permissions_boundary(RoleName=e.name),
    ),
    "boundary exchanged": (
        "user",
        put_boundary,
        lambda iam, e, stage: iam.put_user_permissions_boundary(
            UserName=e.name, PermissionsBoundary=stage.keep["other"]
        ),
    ),
    "trust widened": (
        "role",
        nothing,
        lambda iam, e, _: iam.update_assume_role_policy(RoleName=e.name, PolicyDocument=TRUST_LAMBDA),
    ),
    "settings of a role": (
        "role",
        nothing,
        lambda iam, e, _: iam.update_role(RoleName=e.name, MaxSessionDuration=43200),
    ),
    "sign-in sessions of a role": (
        "role",
        nothing,
        lambda iam, e, _: iam.update_role(RoleName=e.name, MaxSigninSessionDuration=7_776_000),
    ),
    "user deleted": ("user", full_user, delete_user),
    "role deleted": ("role", full_role, delete_role),
    "group deleted": ("group", full_group, delete_group),
    "policy deleted": ("policy", nothing, lambda iam, e, _: iam.delete_policy(PolicyArn=e.arn)),
}


@pytest.mark.parametrize(("kind", "prepare", "by_hand"), CASES.values(), ids=CASES.keys())
def test_what_was_done_by_hand_is_turned_back(scene: Scene, kind: str, prepare: Act, by_hand: Act) -> None:
    stage, outside = Stage(scene), Outside(scene)
    stage.keep |= {"boundary": stage.policy().arn, "other": stage.policy().arn, "group": stage.group().name}
    made = getattr(stage, kind)()
    prepare(outside.iam, made, stage)
    entity = stage.read(Kind(made.kind), made.name, arn=made.arn if kind == "policy" else "")
    outside.watched()
    before = look(outside, entity)
    by_hand(outside.iam, entity, stage)
    assert look(outside, entity) != before
    outside.seen(entity)
    asked = services.undo(outside.drift(), actor=scene.requester, reason="No", idempotency_key="1")
    outside.carry_out(asked)
    assert look(outside, entity) == before
    services.settle_undoings()
    assert outside.drift().state == DriftState.UNDONE


def test_a_key_that_somebody_made_is_turned_off_and_one_that_was_turned_off_is_turned_on(
    scene: Scene,
) -> None:
    outside = Outside(scene)
    credentials.by_hand(scene, "CreateAccessKey")
    credentials.pull(scene, ACCESS_KEYS)
    outside.seen(scene.user)
    outside.watched()
    [old] = look(outside, scene.user)["keys"]
    credentials.by_hand(scene, "UpdateAccessKey", AccessKeyId=old, Status="Inactive")
    new = credentials.by_hand(scene, "CreateAccessKey")["AccessKey"]["AccessKeyId"]
    credentials.pull(scene, ACCESS_KEYS)
    outside.seen(scene.user)
    asked = services.undo(outside.drift(), actor=scene.requester, reason="No", idempotency_key="1")
    outside.carry_out(asked)
    assert look(outside, scene.user)["keys"] == {old: "Active", new: "Inactive"}


@pytest.mark.parametrize(
    ("kind", "fill"),
    [("user", full_user), ("policy", nothing)],
    ids=["user", "policy"],
)
def test_what_was_created_by_hand_is_deleted_with_all_that_it_has(scene: Scene, kind: str, fill: Act) -> None:
    stage, outside = Stage(scene), Outside(scene)
    stage.keep |= {"boundary": stage.policy().arn, "group": stage.group().name}
    outside.watched()
    made = getattr(stage, kind)()
    fill(outside.iam, made, stage)
    outside.seen(made)
    drift = Drift.objects.select_related("account", "entity").filter(entity=made).earliest("seen_at")
    outside.carry_out(services.undo(drift, actor=scene.requester, reason="No", idempotency_key="1"))
    assert look(outside, made) is None


def test_what_approved_changes_have_been_made_of_is_not_deleted_in_passing(scene: Scene) -> None:
    stage, outside = Stage(scene), Outside(scene)
    outside.watched()
    user = stage.user()
    outside.seen(user)
    stage.carry_out(Membership.of(ADD_TO_GROUP, user, group=stage.group()))
    with pytest.raises(RefusedError, match="Approved changes"):
        services.undo(outside.drift_of(user), actor=scene.requester, reason="No", idempotency_key="1")
    assert look(outside, user) is not None


def test_a_thing_that_was_made_again_by_hand_is_not_made_twice(scene: Scene) -> None:
    stage, outside = Stage(scene), Outside(scene)
    user = stage.user()
    outside.watched()
    outside.iam.delete_user(UserName=user.name)
    outside.seen(user)
    outside.iam.create_user(UserName=user.name)
    outside.seen(user)
    drift = Drift.objects.select_related("account", "entity").get(entity=user)
    with pytest.raises(RefusedError, match="already exists"):
        services.undo(drift, actor=scene.requester, reason="No", idempotency_key="1")
    assert not Change.objects.exists()


def test_a_setting_that_was_changed_again_is_not_turned_back_past_that(scene: Scene) -> None:
    stage, outside = Stage(scene), Outside(scene)
    role = stage.role()
    outside.watched()
    for text in (TRUST_LAMBDA, TRUST_EC2.replace("ec2", "ecs-tasks")):
        outside.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=text)
        outside.seen(role)
    first = Drift.objects.select_related("account", "entity").earliest("seen_at")
    with pytest.raises(RefusedError, match="changed again since"):
        services.undo(first, actor=scene.requester, reason="No", idempotency_key="1")
