"""Credentials of users: inactive, active, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iam.changes.operations import Operation
from iam.changes.operations.access_key import ActivateAccessKey, DeactivateAccessKey, DeleteAccessKey
from iam.changes.operations.login_profile import DeleteLoginProfile
from iam.changes.operations.user_credential import OnCredential
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import ACCESS_KEYS, LOGIN_PROFILES
from iam.mirror.reread.credentials import read_credentials, reread_credentials
from tests.changes.operations.stage import Stage, shown_or_none
from tests.changes.operations.table import Case, nothing

Make = Callable[[Stage], Operation]


def see(stage: Stage, user: Entity, section: str) -> None:
    """Have the mirror read a section of the user's credentials."""
    read = read_credentials(stage.scene.aws, user_name=user.name, section=section)
    reread_credentials(stage.account, user, read, cause_id=None)


def credential(stage: Stage, kind: Kind) -> Entity:
    """The credential that the stage keeps, as the mirror has it."""
    return Entity.objects.select_related("owner", "account").get(
        account=stage.account, kind=kind, aws_id=stage.keep["id"]
    )


def make_key(stage: Stage, *, status: str = "Active") -> None:
    """A key of a user."""
    user = stage.user()
    key = stage.iam.create_access_key(UserName=user.name)["AccessKey"]["AccessKeyId"]
    stage.keep.update(user=user.name, id=key)
    set_key(stage, status)
    see(stage, user, ACCESS_KEYS)


def set_key(stage: Stage, status: str) -> None:
    """Make the key active or inactive by hand."""
    stage.iam.update_access_key(UserName=stage.keep["user"], AccessKeyId=stage.keep["id"], Status=status)


def key_with(operation: type[OnCredential], *, status: str) -> Make:
    """An operation on a key of this status."""

    def make(stage: Stage) -> Operation:
        make_key(stage, status=status)
        return operation.of(credential(stage, Kind.ACCESS_KEY))

    return make


def shows_key(stage: Stage) -> Any:
    """The status of the key."""
    found = stage.iam.list_access_keys(UserName=stage.keep["user"])["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in found}.get(stage.keep["id"])


def delete_key(stage: Stage) -> None:
    """Somebody deletes the key."""
    stage.iam.delete_access_key(UserName=stage.keep["user"], AccessKeyId=stage.keep["id"])


def becomes(status: str) -> Callable[[Stage, Any], Any]:
    """It has this status."""
    return lambda stage, before: status


def make_password(stage: Stage) -> Operation:
    """A user with a console password."""
    user = stage.user()
    stage.iam.create_login_profile(UserName=user.name, Password="harbour-Lantern-42!")
    stage.keep.update(user=user.name)
    see(stage, user, LOGIN_PROFILES)
    return DeleteLoginProfile.of(user)


def shows_password(stage: Stage) -> Any:
    """Whether there is a password, and whether it must be changed."""
    found = shown_or_none(stage.iam.get_login_profile, UserName=stage.keep["user"])
    return {"reset": found["LoginProfile"].get("PasswordResetRequired", False)} if found else None


CASES = (
    Case(
        "access_key.deactivate",
        key_with(DeactivateAccessKey, status="Active"),
        shows_key,
        after=becomes("Inactive"),
        meddle=delete_key,
    ),
    Case(
        "access_key.activate",
        key_with(ActivateAccessKey, status="Inactive"),
        shows_key,
        after=becomes("Active"),
        meddle=delete_key,
    ),
    Case(
        "access_key.delete",
        key_with(DeleteAccessKey, status="Inactive"),
        shows_key,
        after=nothing,
        meddle=lambda stage: set_key(stage, "Active"),
        is_reversible=False,
    ),
    Case("login_profile.delete", make_password, shows_password, after=nothing, is_reversible=False),
)
