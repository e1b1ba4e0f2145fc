"""Access keys: inactive, active, deleted; what AWS and the mirror show afterwards, and what cannot be had
back.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations.user_credential import ACTIVATE, DEACTIVATE, DeleteCredential, SetStatus
from iam.mirror.models import Kind, UserCredentials
from iam.mirror.pull.sections import ACCESS_KEYS
from tests.iam.changes.conftest import Scene
from tests.iam.changes.operations.credentials import (
    applied,
    by_hand,
    credential,
    mirrored,
    pull,
    queued,
    ran,
    row,
    undone,
)


def in_aws(scene: Scene) -> dict[str, str]:
    """The keys as AWS shows them."""
    access_key_metadata = scene.aws.iam.list_access_keys(UserName=scene.user.name)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in access_key_metadata}


@pytest.fixture
def key(scene: Scene) -> str:
    """The id of a key that AWS and the mirror have."""
    made: str = by_hand(scene, "CreateAccessKey")["AccessKey"]["AccessKeyId"]
    pull(scene, ACCESS_KEYS)
    return made


def test_a_key_is_made_inactive_in_aws_and_in_the_mirror(scene: Scene, key: str) -> None:
    change = applied(scene, SetStatus.of(DEACTIVATE[Kind.ACCESS_KEY], credential(scene, key)))

    assert in_aws(scene) == mirrored(scene, Kind.ACCESS_KEY) == {key: "Inactive"}
    assert (row(scene).keys, row(scene).active_keys) == (1, 0)
    assert row(scene).cause_id == change.pk


def test_a_key_takes_four_calls(scene: Scene, key: str) -> None:
    applied(scene, SetStatus.of(DEACTIVATE[Kind.ACCESS_KEY], credential(scene, key)))

    by_action = scene.standin.control("stats")["by_action"]
    assert {k: v for k, v in by_action.items() if k.startswith("iam:")} == {
        "iam:GetUser": 1,
        "iam:ListAccessKeys": 2,
        "iam:UpdateAccessKey": 1,
    }


def test_undoing_makes_it_active_again(scene: Scene, key: str) -> None:
    undo = undone(scene, applied(scene, SetStatus.of(DEACTIVATE[Kind.ACCESS_KEY], credential(scene, key))))

    assert undo.operation == ACTIVATE[Kind.ACCESS_KEY].slug
    assert in_aws(scene) == mirrored(scene, Kind.ACCESS_KEY) == {key: "Active"}
    assert row(scene).active_keys == 1


def test_a_deleted_key_cannot_be_undone_and_says_so_beforehand(scene: Scene, key: str) -> None:
    operation = DeleteCredential.of(credential(scene, key))
    assert "can’t restore a deleted access key" in operation.irreversible
    assert "Deactivate it" in operation.alternative
    change = applied(scene, operation)

    assert in_aws(scene) == mirrored(scene, Kind.ACCESS_KEY) == {}
    assert (row(scene).keys, row(scene).active_keys) == (0, 0)
    assert credential(scene, key).gone_at is not None
    with pytest.raises(RefusedError):
        services.plan_undo(change, viewer=scene.requester)


def test_an_inactive_key_is_told_to_be_harmless_as_it_is(scene: Scene, key: str) -> None:
    by_hand(scene, "UpdateAccessKey", AccessKeyId=key, Status="Inactive")
    pull(scene, ACCESS_KEYS)

    assert "already inactive" in DeleteCredential.of(credential(scene, key)).alternative


def test_a_key_that_came_alive_since_is_not_deleted(scene: Scene, key: str) -> None:
    by_hand(scene, "UpdateAccessKey", AccessKeyId=key, Status="Inactive")
    pull(scene, ACCESS_KEYS)
    change = queued(scene, DeleteCredential.of(credential(scene, key)))
    by_hand(scene, "UpdateAccessKey", AccessKeyId=key, Status="Active")

    assert (ran(change).state, change.error_kind) == ("failed", "drift")
    assert in_aws(scene) == {key: "Active"}


def test_a_key_of_somebody_who_was_made_again_is_left_alone(scene: Scene, key: str) -> None:
    change = queued(scene, SetStatus.of(DEACTIVATE[Kind.ACCESS_KEY], credential(scene, key)))
    by_hand(scene, "DeleteAccessKey", AccessKeyId=key)
    by_hand(scene, "DeleteUser")
    by_hand(scene, "CreateUser")

    assert (ran(change).state, change.error_kind) == ("failed", "drift")
    assert "replaced by another" in Change.objects.get(pk=change.pk).error_message


def test_a_report_that_aws_made_before_the_change_does_not_bring_the_key_back(scene: Scene, key: str) -> None:
    """The mirror says when it has read the keys: a report that is older, whenever it is read, has nothing to
    say about them.
    """
    applied(scene, SetStatus.of(DEACTIVATE[Kind.ACCESS_KEY], credential(scene, key)))
    read_at = datetime.fromisoformat(row(scene).report["access_keys_read_at"])

    assert datetime.now(tz=UTC) - read_at < timedelta(minutes=1)


def test_reading_the_same_keys_again_makes_no_history(scene: Scene, key: str) -> None:
    before = UserCredentials.objects.filter(user=scene.user).count()
    pull(scene, ACCESS_KEYS)

    assert UserCredentials.objects.filter(user=scene.user).count() == before
