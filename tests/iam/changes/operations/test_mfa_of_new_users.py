"""A user whom Gatehouse has just made has no MFA device; of a user whom somebody else made, nothing is known
until the next sync.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from iam.changes.models import Change
from iam.changes.operations.principals import CreateUser, DeleteUser
from iam.changes.operations.user_credential import credentials_row
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.credentials import MFA_READ_AT
from tests.iam.changes.operations.stage import Stage, ran

pytestmark = pytest.mark.on_postgresql


def new_user(stage: Stage) -> Change:
    """The change that makes a user, approved and not yet carried out."""
    (change,) = stage.queue(CreateUser.of(stage.account, name=stage.name("new")))
    return change


def made_by_us(stage: Stage) -> Change:
    """Carried out."""
    return ran(new_user(stage))


def made_again(stage: Stage) -> Change:
    """A user who was deleted, made again by the undo."""
    (deleted,) = stage.carry_out(DeleteUser.of(stage.user()))
    return stage.undo(deleted)


def made_by_hand_before(stage: Stage) -> Change:
    """Somebody made the same user before the change was carried out."""
    change = new_user(stage)
    stage.iam.create_user(UserName=change.params["name"])
    return ran(change)


def answer_lost(stage: Stage) -> Change:
    """The worker stopped before it noted AWS's answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CreateUser, "handle_response", lambda self, call, response: {})
        return made_by_us(stage)


CASES: list[tuple[Callable[[Stage], Change], str]] = [
    (made_by_us, "none"),
    (made_again, "none"),
    (made_by_hand_before, "unread"),
    (answer_lost, "unread"),
]


@pytest.mark.parametrize(("make", "mfa"), CASES)
def test_no_device_is_known_only_of_whom_gatehouse_made(
    stage: Stage, make: Callable[[Stage], Change], mfa: str
) -> None:
    change = make(stage)
    assert change.state == "applied"
    row = credentials_row(Entity.objects.get(arn=change.params["subject_arn"], gone_at__isnull=True))
    assert row is not None
    assert row.mfa == mfa
    assert (MFA_READ_AT in row.report) == (mfa == "none")


def test_what_aws_said_is_as_of_the_creation(stage: Stage) -> None:
    change = made_by_us(stage)
    made: Any = stage.iam.get_user(UserName=change.params["name"])["User"]
    user = stage.read(Kind.USER, change.params["name"])
    row = credentials_row(user)
    assert row is not None
    assert row.report[MFA_READ_AT] == made["CreateDate"].isoformat()
    assert row.mfa == "none", "reading the user again leaves it known"
