"""What the mirror learns when a change ends as drift: what AWS shows of the same, and nothing of another
under its name.
"""

from __future__ import annotations

import pytest

from iam.aws.errors import AwsError, ErrorKind
from iam.changes.models import Change
from iam.changes.operations.group_membership import ADD_TO_GROUP, Membership
from iam.changes.operations.user_credential import credentials_row
from iam.mirror.models import Entity
from iam.mirror.models.accounts import Pull
from iam.sealed.models import Secret
from tests.iam.changes.operations.cases_passwords import give_password, make_the_user_again, without_password
from tests.iam.changes.operations.cases_providers import new_certificate, upload_by_hand
from tests.iam.changes.operations.stage import Stage, ran


def pulls(stage: Stage) -> int:
    """How many pulls changes have asked for."""
    return Pull.objects.filter(account=stage.account, trigger="change").count()


def has_password(change: Change) -> bool | None:
    """What the mirror says of the user of a change."""
    row = credentials_row(Entity.objects.get(aws_id=change.params["user_id"]))
    return row.has_password if row else None


def test_a_password_that_somebody_else_has_set_is_known_then(stage: Stage) -> None:
    (change,) = stage.queue(without_password(stage))
    assert has_password(change) is False
    give_password(stage)

    assert ran(change).error_kind == "drift"

    assert has_password(change)
    assert (pulls(stage), "has synced it" in change.error_message) == (0, True)


def test_what_cannot_be_read_back_is_left_to_a_pull(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    user, group = stage.user(), stage.group()
    (change,) = stage.queue(Membership.of(ADD_TO_GROUP, user, group=group))
    stage.iam.delete_group(GroupName=group.name)

    def throttled(*_: object, **__: object) -> None:
        raise AwsError("Slow down", kind=ErrorKind.THROTTLED, action="iam:ListGroupsForUser")

    monkeypatch.setattr(Membership, "identity_error", lambda self, aws: "")
    monkeypatch.setattr(Membership, "observe", lambda self, aws: {"groups": ["something else"]})
    monkeypatch.setattr(Membership, "satisfied", lambda self, image: False)
    monkeypatch.setattr(Membership, "can_proceed", lambda self, image, *, before: False)
    monkeypatch.setattr(Membership, "read_back", throttled)

    assert ran(change).error_kind == "drift"

    assert (pulls(stage), "A sync of the account" in change.error_message) == (1, True)


def test_nothing_of_a_namesake_is_written_to_who_was_there_before(stage: Stage) -> None:
    (change,) = stage.queue(without_password(stage))
    give_password(stage)
    make_the_user_again(stage)

    assert ran(change).error_kind == "drift"

    assert has_password(change) is False
    assert pulls(stage) == 1


def test_the_key_of_a_certificate_stays_sealed_when_another_lies_under_its_name(stage: Stage) -> None:
    (change,) = stage.queue(new_certificate(stage))
    upload_by_hand(stage)

    assert ran(change).error_kind == "drift"

    secret = Secret.objects.get(pk=change.params["sealed_id"])
    assert secret.released_at is None
    assert Entity.objects.filter(name=stage.keep["name"], gone_at__isnull=True).exists()
