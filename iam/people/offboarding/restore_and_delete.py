"""Restores access within the grace period, or deletes the users, each with its own approved request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from iam import nudge
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change, ChangeState
from iam.changes.operations import Operation
from iam.changes.services import SetCause, SetLane
from iam.changes.services.deletion import deletion_of
from iam.changes.services.immediate_changes import queue_at_once, weigh_at_once
from iam.changes.services.plans import ChangePlan
from iam.directory.deactivation import reactivate
from iam.guard import Viewer, viewer_for
from iam.journal.services import record
from iam.linking.known_owners import is_undecided, release_all
from iam.mirror.models import Entity
from iam.people.offboarding.certificates import certify, record_stage
from iam.people.offboarding.models import (
    OF_DELETION,
    OF_RETURN,
    PROVE_USER,
    Leaver,
    OffboardedUser,
    OffboardingStage,
)
from iam.people.offboarding.regrants import grant_again
from iam.people.offboarding.requester_scope import of_leaver
from iam.people.offboarding.restore_plan import restore_notes, return_plans, seats_of
from iam.people.offboarding.restored_sign_in import invite_back, keep_seals, tell_restored
from iam.people.offboarding.rules import asker_of, is_about_oneself, is_confirmed, may_act

RETRY_AFTER: Final = timedelta(hours=24)


DELETABLE: Final = (OffboardingStage.GONE, OffboardingStage.OPEN, OffboardingStage.CONFIRMED)
"""Stages in which a deletion can be requested."""
RESTORABLE: Final = (
    OffboardingStage.GONE,
    OffboardingStage.OPEN,
    OffboardingStage.CLOSING,
    OffboardingStage.PARTLY,
    OffboardingStage.SUSPENDED,
    OffboardingStage.CONFIRMED,
)
"""Stages in which a restore can be requested."""


def request_return(actor: Viewer, *, leaver: Leaver, reason: str) -> list[Change]:
    """Request that access is restored: one request for all accounts, approved like any that gives access.
    Raises RefusedError.

    Returns no changes if AWS shows nothing left to restore after a partial restore, which is then complete.
    """
    _check(actor, leaver, stages=RESTORABLE)
    actor = of_leaver(leaver.pk, actor)
    plans, lanes, lost = return_plans(leaver, viewer=actor)
    if not plans and leaver.stage != OffboardingStage.PARTLY:
        raise RefusedError(f"AWS has nothing left to restore for {leaver.name}. {' '.join(lost)}".strip())
    if not plans:
        _begin(leaver, OffboardingStage.RETURNING, actor=actor, reason=reason, kind="leaving.return_asked")
        _done(leaver, [], trouble=" ".join(lost))
        tell_restored(leaver, by=actor.person_id, name=actor.name, reason=reason)
        return []
    # In one transaction, so that no password is set without its seal being recorded.
    with transaction.atomic():
        written = _request(
            actor,
            leaver,
            plans,
            lanes,
            reason=reason,
            title=f"Restore {leaver.name}",
            kind=OF_RETURN,
            notes=restore_notes(leaver, lost),
        )
        keep_seals(leaver, written)
        _begin(leaver, OffboardingStage.RETURNING, actor=actor, reason=reason, kind="leaving.return_asked")
    return written


def restore_at_once(actor: Viewer, *, leaver: Leaver, reason: str, because: str) -> list[Change]:
    """Revert a suspension without another approval; the caller has checked who can. Raises RefusedError.

    Returns no changes if AWS shows nothing to revert.
    """
    plans, lanes, lost = return_plans(leaver, viewer=actor, at_once=True)
    title = f"Restore {leaver.name}"
    if not plans:
        _begin(leaver, OffboardingStage.RETURNING, actor=actor, reason=reason, kind="leaving.restored")
        _done(leaver, [], trouble=" ".join(lost))
        tell_restored(leaver, by=actor.person_id, name=actor.name, reason=reason)
        return []
    operations = [plan.operation for plan in plans]
    weighed = weigh_at_once(operations, actor=actor, reverts=[plan.reverts for plan in plans])
    with transaction.atomic():
        key = f"{OF_RETURN}-{leaver.pk.hex}-{leaver.trials}"
        _begin(leaver, OffboardingStage.RETURNING, actor=actor, reason=reason, kind="leaving.restored")
        written = queue_at_once(
            weighed,
            actor=actor,
            reason=reason.strip() or f"{title} ({leaver.run.reference})",
            title=title,
            cause=SetCause(OF_RETURN, leaver.pk),
            key=key,
            because=because,
            lanes=lanes,
            notes=restore_notes(leaver, lost),
            is_reviewed=False,
        )
        keep_seals(leaver, written)
    return written


def deletion_plans(leaver: Leaver, *, viewer: Viewer) -> tuple[list[ChangePlan], list[SetLane]]:
    """Plan the deletion of each existing user, after everything that AWS requires to be removed first, with
    one lane per account. Raises RefusedError.
    """
    operations: list[Operation] = []
    lanes: list[SetLane] = []
    for lane, seat in enumerate(seats_of(leaver)):
        user = Entity.objects.filter(pk=seat.user_id, gone_at__isnull=True).select_related("account").first()
        if user is not None:
            deletions = deletion_of(user)
            operations += deletions
            lanes += [SetLane(lane)] * len(deletions)
    if not operations:
        raise RefusedError("Their IAM users no longer exist in AWS.")
    return changes.plan_set(operations, viewer=viewer), lanes


def request_deletion(actor: Viewer, *, leaver: Leaver, reason: str, is_due: bool = False) -> list[Change]:
    """Request the deletion of the users. Ownership of what the person owned must be decided first. At the end
    of the grace period (`is_due`), undecided objects are left without an owner. Raises RefusedError.
    """
    _check(actor, leaver, stages=DELETABLE)
    if not is_due and not leaver.run.is_move and is_undecided(leaver.person_id):
        raise RefusedError(
            f"{leaver.name} is still the named owner of roles, machine users or grants. Hand them over "
            "first, or say that no one owns them. An administrator of their accounts can do that."
        )
    actor = of_leaver(leaver.pk, actor)
    plans, lanes = deletion_plans(leaver, viewer=actor)
    with transaction.atomic():
        if is_due and not leaver.run.is_move:
            release_all(leaver.person_id, why=f"No one decided before the users were due: {reason}")
        written = _request(
            actor,
            leaver,
            plans,
            lanes,
            reason=reason,
            title=f"Delete the IAM users of {leaver.name}",
            kind=OF_DELETION,
            notes=[
                "A deleted user can’t be restored. A new user with the same name is a different user to AWS."
            ],
        )
        _begin(leaver, OffboardingStage.DELETING, actor=actor, reason=reason, kind="leaving.deletion_asked")
    return written


def ask_due_deletions(*, now: datetime | None = None) -> int:
    """Request the deletion of those whose grace period is over, in the name of the requester of the
    offboarding. Returns how many were due.
    """
    moment = now or datetime.now(tz=UTC)
    due = Leaver.objects.filter(stage=OffboardingStage.GONE, delete_after__lte=moment).select_related("run")
    leavers = list(due.order_by("delete_after")[:50])
    for leaver in leavers:
        person = asker_of(leaver.run)
        days = leaver.run.grace_days
        try:
            if person is None:
                raise RefusedError("The person who requested the offboarding is no longer in Gatehouse.")
            request_deletion(
                viewer_for(person),
                leaver=leaver,
                reason=f"The grace period of {days} {'day' if days == 1 else 'days'} has ended "
                f"({leaver.run.reference}).",
                is_due=True,
            )
        except RefusedError as refused:
            Leaver.objects.filter(pk=leaver.pk).update(
                trouble=f"The deletion could not be requested: {refused.message}"[:1024],
                delete_after=moment + RETRY_AFTER,
            )
    return len(leavers)


def settle_afterwards(leaver_id: UUID) -> None:
    """Update a restore or deletion from its changes. If it was rejected or changed nothing, the leaver
    returns to their former stage.
    """
    with transaction.atomic():
        leaver = Leaver.objects.select_for_update(of=("self", "run")).select_related("run").get(pk=leaver_id)
        if leaver.stage not in (OffboardingStage.RETURNING, OffboardingStage.DELETING):
            return
        kind = OF_RETURN if leaver.stage == OffboardingStage.RETURNING else OF_DELETION
        newest = afterwards_changes(leaver, kind)
        states = {ChangeState(change.state) for change in newest}
        if not newest or states & {*OPEN, ChangeState.DRAFT}:
            return
        if states == {ChangeState.APPLIED}:
            _done(leaver, newest)
            if kind == OF_RETURN:
                first = newest[0]
                tell_restored(leaver, by=first.requested_by, name=first.requested_label, reason=first.reason)
            return
        trouble = _why_not_done(leaver, newest)[:1024]
        if kind == OF_RETURN and ChangeState.APPLIED in states:
            for seat in seats_of(leaver):
                grant_again(seat, by=newest)
            Leaver.objects.filter(pk=leaver.pk).update(
                stage=OffboardingStage.PARTLY, trouble=trouble, delete_after=None
            )
            record_stage(leaver, OffboardingStage.PARTLY)
            return
        back = _stage_before(leaver)
        values = {"delete_after": _again(states)} if kind == OF_DELETION else {}
        Leaver.objects.filter(pk=leaver.pk).update(stage=back, trouble=trouble, **values)
        record_stage(leaver, back)


def _why_not_done(leaver: Leaver, newest: Sequence[Change]) -> str:
    """Return what happened to a restore or deletion, with the first change that was not applied."""
    what = "restore" if leaver.stage == OffboardingStage.RETURNING else "deletion"
    left = [change for change in newest if change.state != ChangeState.APPLIED]
    applied = len(newest) - len(left)
    status = left[0].get_state_display().lower()
    if not applied and left[0].state in (ChangeState.REJECTED, ChangeState.CANCELLED, ChangeState.EXPIRED):
        return f"The {what} was not done: the request is {status}. Nothing changed in AWS."
    return (
        f"The {what} is incomplete: {applied} of {len(newest)} changes were applied. "
        f"{left[0].title}: {status}. {left[0].error_message}"
    ).strip()


def _stage_before(leaver: Leaver) -> OffboardingStage:
    """Return the stage after a restore or deletion that changed nothing. Unfinished verification
    continues.
    """
    if not leaver.run.is_suspension:
        return OffboardingStage.GONE if leaver.proved_at else OffboardingStage.CLOSING
    if not leaver.proved_at:
        return OffboardingStage.SUSPENDING
    return OffboardingStage.CONFIRMED if is_confirmed(leaver) else OffboardingStage.SUSPENDED


def _again(states: set[ChangeState]) -> datetime | None:
    """Return when an unsuccessful deletion is requested again: a day later, or None if it was rejected or
    cancelled.
    """
    if states & {ChangeState.REJECTED, ChangeState.CANCELLED}:
        return None
    return datetime.now(tz=UTC) + RETRY_AFTER


def afterwards_changes(leaver: Leaver, kind: str) -> list[Change]:
    """Return the changes of the newest request of a kind."""
    rows = Change.objects.filter(change_set__cause_kind=kind, change_set__cause_id=leaver.pk)
    changes = list(rows.prefetch_related("account", "change_set").order_by("-created_at", "position"))
    newest = changes[0].change_set_id if changes else None
    return [change for change in changes if change.change_set_id == newest]


def _done(leaver: Leaver, newest: Sequence[Change], *, trouble: str = "") -> None:
    at = max((change.ended_at for change in newest if change.ended_at), default=datetime.now(tz=UTC))
    if leaver.stage == OffboardingStage.RETURNING:
        for seat in seats_of(leaver):
            grant_again(seat, by=newest)
        if leaver.person_id is not None:
            trouble = f"{trouble} {reactivate(leaver.person_id, why=leaver.run.reference)}".strip()
        invite_back(leaver)
        leaver.stage, leaver.returned_at, leaver.delete_after = OffboardingStage.RETURNED, at, None
    else:
        leaver.stage, leaver.deleted_at, leaver.delete_after = OffboardingStage.DELETED, at, None
    leaver.trouble = trouble[:1024]
    leaver.save(update_fields=["stage", "returned_at", "deleted_at", "delete_after", "trouble"])
    record_stage(leaver, OffboardingStage(leaver.stage))
    if leaver.stage == OffboardingStage.DELETED:
        certify(leaver, kind="deleted")


def _check(actor: Viewer, leaver: Leaver, *, stages: Sequence[OffboardingStage]) -> None:
    if leaver.stage not in stages:
        raise RefusedError(f"{leaver.name}: {leaver.get_stage_display().lower()}.")
    if is_about_oneself(actor, leaver):
        raise RefusedError("This is your own access, so someone else has to request it.")
    if not may_act(actor, leaver):
        raise RefusedError("You can do this only for people in your own teams.")


def _request(
    actor: Viewer,
    leaver: Leaver,
    plans: Sequence[ChangePlan],
    lanes: Sequence[SetLane],
    *,
    reason: str,
    title: str,
    kind: str,
    notes: Sequence[str],
) -> list[Change]:
    reason = reason.strip() or f"{title} ({leaver.run.reference})"
    return changes.request_changes(
        plans,
        actor=actor,
        reason=reason,
        idempotency_key=f"{kind}-{leaver.pk.hex}-{leaver.trials}",
        title=title,
        cause=SetCause(kind, leaver.pk),
        lanes=lanes,
        notes=notes,
    )


def _begin(leaver: Leaver, stage: OffboardingStage, *, actor: Viewer, reason: str, kind: str) -> None:
    with transaction.atomic():
        moved = Leaver.objects.filter(pk=leaver.pk, stage=leaver.stage, trials=leaver.trials).update(
            stage=stage, trials=leaver.trials + 1, trouble=""
        )
        if moved:
            data = {"leaver": leaver.pk, "reference": leaver.run.reference, "reason": reason}
            record(kind=kind, actor=actor, subject=leaver.name, data=data)
    leaver.refresh_from_db()


def try_again(actor: Viewer, *, leaver: Leaver) -> None:
    """Have AWS read again for a leaver with open access, and end that access. Raises RefusedError."""
    if leaver.stage != OffboardingStage.OPEN:
        raise RefusedError(f"{leaver.name}: {leaver.get_stage_display().lower()}.")
    if not may_act(actor, leaver):
        raise RefusedError("You can do this only for people in your own teams.")
    with transaction.atomic():
        OffboardedUser.objects.filter(leaver=leaver, proved_at__isnull=True).update(
            trials=0, read_at=None, trouble=""
        )
        data = {"leaver": leaver.pk, "reference": leaver.run.reference}
        record(kind="leaving.retried", actor=actor, subject=leaver.name, data=data)
    for pk in leaver.seats.filter(proved_at__isnull=True).values_list("pk", flat=True):
        nudge.send(PROVE_USER, pk)
