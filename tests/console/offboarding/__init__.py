"""People who leave as rows, for tests of their pages."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from iam.changes.models import OF_OFFBOARDING, Change, ChangeSet, ChangeState
from iam.directory.models import Person
from iam.mirror.models import Entity
from iam.people.offboarding.certificates import certify
from iam.people.offboarding.models import Leaver, OffboardedUser, OffboardingRun, OffboardingStage
from iam.people.runs.models import RowStatus, RunState

STEPS = ("inline_policy.put", "login_profile.delete", "access_key.deactivate")


def draft(author: Person, user: Entity, *, count: int = 1) -> OffboardingRun:
    """A list of so many rows, which nobody has asked for."""
    run = OffboardingRun.objects.create(
        source="leavers.csv", requested_by=author.pk, requested_label=author.name, reason=""
    )
    for at in range(count):
        leaver = Leaver.objects.create(
            run=run, position=at, line=at + 2, typed=user.name, name=user.name, standing=RowStatus.READY
        )
        _seat(leaver, user)
    return run


def left(
    user: Entity,
    author: Person,
    *,
    stage: OffboardingStage = OffboardingStage.GONE,
    teams: tuple[str, ...] = (),
) -> Leaver:
    """Somebody whose access has ended, with a certificate; each step was applied."""
    run = OffboardingRun.objects.create(
        state=RunState.REQUESTED, requested_by=author.pk, requested_label=author.name, reason="Last day"
    )
    OffboardingRun.objects.filter(pk=run.pk).update(asked_at=run.created_at)
    run.refresh_from_db()
    at = run.created_at
    leaver = Leaver.objects.create(
        run=run,
        name=user.name,
        email=f"{user.name}@example.com",
        teams=list(teams),
        stage=stage,
        began_at=at,
        closed_at=at,
        proved_at=at,
    )
    group = ChangeSet.objects.create(
        title=f"Offboard {user.name}", cause_kind=OF_OFFBOARDING, cause_id=run.pk
    )
    proof = [
        {
            "what": "Groups",
            "call": "iam:ListGroupsForUser",
            "at": at.isoformat(),
            "says": "None",
            "open": False,
        }
    ]
    _seat(leaver, user, change_set=group, proof=proof, read_at=at, proved_at=at)
    for position, operation in enumerate(STEPS):
        _change(group, user, author, position=position, operation=operation)
    certify(leaver, kind="ended")
    return leaver


def arguments(own: Entity, other: Entity, author: Person) -> dict[str, dict[str, Any]]:
    """Somebody of the team that is led who left, somebody else, and a list that the administrator has
    begun.
    """
    led, strange = left(own, author, teams=("payments",)), left(other, author)
    return {
        "leaver": {"pk": led.pk},
        "other leaver": {"pk": strange.pk},
        "leaver ended": {"pk": led.pk, "kind": "ended"},
        "other leaver ended": {"pk": strange.pk, "kind": "ended"},
        "leaving": {"pk": led.run_id},
        "other leaving": {"pk": strange.run_id},
        "own leaving draft": {"pk": draft(author, other).pk},
    }


def _seat(leaver: Leaver, user: Entity, **fields: Any) -> OffboardedUser:
    return OffboardedUser.objects.create(
        leaver=leaver, account=user.account, user=user, user_arn=user.arn, user_name=user.name, **fields
    )


def _change(group: ChangeSet, user: Entity, author: Person, *, position: int, operation: str) -> None:
    Change.objects.create(
        change_set=group,
        position=position,
        branch=position + 1,
        operation=operation,
        title=f"{operation} {user.name}",
        account=user.account,
        entity=user,
        subject_kind="user",
        subject_id=user.aws_id,
        subject_arn=user.arn,
        params={},
        before={},
        after={},
        receipt={
            "title": operation,
            "effect": {"gains": [], "loses": [], "keeps": [], "boundary": "", "notes": []},
            "sensitivity": "normal",
            "calls": [],
        },
        receipt_digest="",
        state=ChangeState.APPLIED,
        reads=1,
        already_so=True,
        idempotency_key=str(uuid4()),
        requested_by=author.pk,
        requested_label=author.name,
        reason="Last day",
        ended_at=author.created_at,
        queued_at=author.created_at,
    )
