"""Updates leavers from their changes: what has begun, what is verified, what comes next. Idempotent, and
repeated periodically.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from iam import nudge
from iam.access.grants.models import ENDING
from iam.changes.models import OF_OFFBOARDING, OPEN, Change, ChangeState
from iam.changes.operations import ATTACH_POLICY, PutInlinePolicy
from iam.directory.deactivation import deactivate, reactivate
from iam.guard import Right, viewer_for
from iam.linking.ownership import is_linked
from iam.people.causes import OF_MOVE
from iam.people.offboarding.certificates import certify, record_stage
from iam.people.offboarding.grants import end_grants, grants_are_over
from iam.people.offboarding.models import (
    OF_DELETION,
    OF_INVITING,
    OF_REST,
    OF_RETURN,
    OF_SUSPENSION,
    PROVE_USER,
    SUSPENSION,
    EndedGrant,
    Leaver,
    OffboardedUser,
    OffboardingStage,
)
from iam.people.offboarding.open_access import is_denied
from iam.people.offboarding.removal_proof import changes_of, is_busy, prove_user
from iam.people.offboarding.repeat_invitation import settle_password
from iam.people.offboarding.rules import asker_of, is_confirmed
from iam.people.runs.reconcile import reconcile_missed

BATCH: Final = 100
READ_AGAIN_AFTER: Final = timedelta(minutes=10)
DENYING: Final = (PutInlinePolicy.spec.slug, ATTACH_POLICY.slug)
BEFORE_END: Final = (
    OffboardingStage.WAITING,
    OffboardingStage.PLANNED,
    OffboardingStage.CLOSING,
    OffboardingStage.OPEN,
    OffboardingStage.SUSPENDING,
)
CUTTING: Final = (OffboardingStage.CLOSING, OffboardingStage.OPEN, OffboardingStage.SUSPENDING)


def change_ended(change: Change) -> None:
    """Reconcile the leavers of a change that ended (a handler for `iam.changes.handlers`)."""
    group = change.change_set
    if group.cause_kind in (OF_OFFBOARDING, OF_MOVE, OF_SUSPENSION):
        seats = OffboardedUser.objects.filter(change_set=group, lane=change.lane)
        leavers = set(seats.values_list("leaver", flat=True))
    elif group.cause_kind == OF_REST:
        rest = (
            OffboardedUser.objects.filter(pk=group.cause_id)
            if group.cause_id
            else OffboardedUser.objects.none()
        )
        leavers = set(rest.values_list("leaver", flat=True))
    elif group.cause_kind in (OF_RETURN, OF_DELETION):
        leavers = {group.cause_id} if group.cause_id else set()
    elif group.cause_kind == OF_INVITING:
        if group.cause_id:
            settle_password(group.cause_id)
        return
    elif group.cause_kind == ENDING:
        ends = EndedGrant.objects.filter(grant=group.cause_id, seat__leaver__stage__in=BEFORE_END)
        leavers = set(ends.values_list("seat__leaver", flat=True))
    else:
        return
    for pk in leavers:
        reconcile(pk)


def reconcile_open(*, older_than: timedelta = timedelta(seconds=10)) -> int:
    """Reconcile people who missed the end of a change or of a sync because a process was lost. Returns how
    many were looked at.
    """
    before = datetime.now(tz=UTC) - older_than
    moving = (*BEFORE_END, OffboardingStage.RETURNING, OffboardingStage.DELETING)
    leavers = Leaver.objects.filter(stage__in=moving, run__asked_at__lt=before).order_by("run__asked_at")
    return reconcile_missed(leavers, reconcile, most=BATCH)


def reconcile(leaver_id: UUID) -> None:
    """Update one leaver from their changes."""
    with transaction.atomic():
        leaver = Leaver.objects.select_for_update().filter(pk=leaver_id).first()
        if leaver is None:
            return
        if leaver.stage in BEFORE_END:
            _settle_end(leaver)
    if leaver.stage in CUTTING:
        _look_after(leaver)
    elif leaver.stage in (OffboardingStage.RETURNING, OffboardingStage.DELETING):
        from iam.people.offboarding.restore_and_delete import settle_afterwards

        settle_afterwards(leaver.pk)


def prove(seat_id: UUID) -> None:
    """Verify a seat by reading AWS again, then reconcile. Does nothing for a seat that is missing after a
    backup was restored.
    """
    leaver = OffboardedUser.objects.filter(pk=seat_id).values_list("leaver", flat=True).first()
    if leaver is None:
        return
    prove_user(seat_id)
    reconcile(leaver)


def _settle_end(leaver: Leaver) -> None:
    """Set the stages up to verification from the states of the changes."""
    changes = _changes(leaver)
    states = {ChangeState(change.state) for change in changes}
    if not changes or ChangeState.AWAITING in states or ChangeState.DRAFT in states:
        return
    if not states & {*OPEN, ChangeState.APPLIED} and not any(change.queued_at for change in changes):
        _call_off(leaver)
        return
    is_late = _is_late(leaver, states)
    ended = {ChangeState.CANCELLED, ChangeState.EXPIRED}
    if states & ended and not states & {*OPEN, ChangeState.APPLIED} and not is_late:
        # It was approved and then withdrawn.
        _call_off(leaver)
        return
    begun = [change.applying_at for change in changes if change.applying_at]
    if is_late and not begun:
        begun = [datetime.now(tz=UTC)]
    if not begun:
        ahead = leaver.run.leaves_at and leaver.run.leaves_at > datetime.now(tz=UTC)
        stage = OffboardingStage.PLANNED if ahead else _cutting(leaver)
        _move(leaver, stage)
        return
    if leaver.began_at is None:
        leaver.began_at = min(begun)
        if not leaver.run.is_suspension:
            _close_sign_in(leaver)
            _take_over_suspensions(leaver)
    denies = [change for change in changes if change.operation in DENYING and change.branch == 1]
    begun_denies = [deny for deny in denies if deny.state != ChangeState.EXPIRED]
    are_applied = all(deny.state == ChangeState.APPLIED for deny in begun_denies)
    if leaver.closed_at is None and are_applied and (begun_denies or not denies):
        ends = [deny.ended_at for deny in denies if deny.ended_at]
        if _are_denied(leaver, but={deny.subject_arn for deny in denies}):
            leaver.closed_at = max(ends) if ends else leaver.began_at
    leaver.save(update_fields=["began_at", "closed_at", "trouble"])
    if leaver.stage != OffboardingStage.OPEN:
        _move(leaver, _cutting(leaver))


def _cutting(leaver: Leaver) -> OffboardingStage:
    return OffboardingStage.SUSPENDING if leaver.run.is_suspension else OffboardingStage.CLOSING


def _call_off(leaver: Leaver) -> None:
    """Cancel a leaver for whom nothing was changed in AWS. A person that a suspension locked out of Gatehouse
    is reactivated.
    """
    _move(leaver, OffboardingStage.CALLED_OFF)
    if leaver.run.is_suspension and leaver.person_id is not None:
        leaver.trouble = reactivate(leaver.person_id, why=leaver.run.reference)[:1024]
        leaver.save(update_fields=["trouble"])


def _take_over_suspensions(leaver: Leaver) -> None:
    """Continue suspensions whose users are all in this offboarding, so that a restore reverts both. Team
    changes don't take over suspensions.
    """
    if leaver.run.source.startswith("MOV-"):
        return
    users = set(leaver.seats.values_list("user", flat=True))
    suspensions = Leaver.objects.filter(stage__in=SUSPENSION, seats__user__in=users)
    for suspended in suspensions.distinct():
        if users.issuperset(suspended.seats.values_list("user", flat=True)):
            Leaver.objects.filter(pk=suspended.pk).update(followed_by=leaver)
            _move(suspended, OffboardingStage.FOLLOWED)


def _are_denied(leaver: Leaver, *, but: Collection[str]) -> bool:
    """Return True if all users except these were denied everything before or are deleted. A deny may have had
    no room.
    """
    others = leaver.seats.exclude(user_arn__in=but).select_related("user__account")
    return all(seat.user.gone_at is not None or is_denied(seat.user) for seat in others)


def _is_late(leaver: Leaver, states: set[ChangeState]) -> bool:
    """Return True if no worker ran for a day after the scheduled time: the approval remains valid and access
    ends later. Team changes are excluded.
    """
    return states == {ChangeState.EXPIRED} and not leaver.run.source.startswith("MOV-")


def _close_sign_in(leaver: Leaver) -> None:
    """Deactivate the person's sign-in to Gatehouse, unless some of their users stay. A match by tag or name
    alone doesn't deactivate a person whom the requester doesn't manage.
    """
    if leaver.person_id is not None and not leaver.unseen and _is_surely(leaver):
        leaver.trouble = deactivate(leaver.person_id, why=leaver.run.reference)[:1024]


def _is_surely(leaver: Leaver) -> bool:
    """Return True if someone linked one of the users to this person, or an administrator of all accounts made
    the request.
    """
    asker = asker_of(leaver.run)
    if asker is not None and viewer_for(asker).may(Right.MANAGE_OPERATORS, account_id=""):
        return True
    seats = leaver.seats.select_related("user")
    return any(is_linked(leaver.person_id, user=seat.user) for seat in seats if leaver.person_id)


def _look_after(leaver: Leaver) -> None:
    """End grants and verify each seat whose changes have ended. When all are verified, write the
    certificate.
    """
    seats = list(leaver.seats.select_related("leaver__run", "account", "user__account", "change_set"))
    waits = False
    for seat in seats:
        if is_busy(seat):
            waits = True
        elif seat.proved_at is None:
            ends_grants = not leaver.run.is_suspension and (not seat.grants.exists() or seat.read_at is None)
            if ends_grants:
                _note_problems(seat, end_grants(seat))
            if _is_due(seat):
                nudge.send(PROVE_USER, seat.pk)
    if waits or any(seat.proved_at is None for seat in seats):
        if not waits and any(_is_stuck(seat) for seat in seats):
            _move(leaver, OffboardingStage.OPEN)
        return
    if leaver.run.is_suspension:
        _suspended(leaver)
    elif grants_are_over(leaver):
        _gone(leaver)


def _is_due(seat: OffboardedUser) -> bool:
    """Return True if AWS is to be read (again): it was never read, something has ended since, or some time
    has passed since it could not be read or ended.
    """
    if seat.read_at is None or changes_of(seat).filter(ended_at__gt=seat.read_at).exists():
        return True
    return datetime.now(tz=UTC) - seat.read_at > READ_AGAIN_AFTER


def _is_stuck(seat: OffboardedUser) -> bool:
    return seat.proved_at is None and seat.read_at is not None and bool(seat.trouble)


def _note_problems(seat: OffboardedUser, problems: list[str]) -> None:
    if problems:
        OffboardedUser.objects.filter(pk=seat.pk).update(trouble=" ".join(problems)[:1024])


def _suspended(leaver: Leaver) -> None:
    """Mark the leaver as suspended, because AWS showed no open access."""
    with transaction.atomic():
        locked_leaver = Leaver.objects.select_for_update().get(pk=leaver.pk)
        if locked_leaver.stage not in (OffboardingStage.SUSPENDING, OffboardingStage.OPEN):
            return
        locked_leaver.proved_at = max(
            at for at in locked_leaver.seats.values_list("proved_at", flat=True) if at
        )
        locked_leaver.save(update_fields=["proved_at"])
        stage = OffboardingStage.CONFIRMED if is_confirmed(locked_leaver) else OffboardingStage.SUSPENDED
        _move(locked_leaver, stage)
        users = locked_leaver.seats.values("user")
        # An offboarding of the same users may have begun in the meantime.
        ending = Leaver.objects.filter(
            run__is_suspension=False,
            seats__user__in=users,
            began_at__isnull=False,
            stage__in=[OffboardingStage.CLOSING, OffboardingStage.OPEN, OffboardingStage.GONE],
        )
        for offboarding in ending.select_related("run").distinct():
            _take_over_suspensions(offboarding)


def _gone(leaver: Leaver) -> None:
    """Mark the leaver's access as removed, because AWS showed no open access. The grace period begins."""
    with transaction.atomic():
        locked_leaver = Leaver.objects.select_for_update().get(pk=leaver.pk)
        if locked_leaver.stage not in (OffboardingStage.CLOSING, OffboardingStage.OPEN):
            return
        proofs = [at for at in locked_leaver.seats.values_list("proved_at", flat=True) if at]
        locked_leaver.proved_at = max(proofs)
        days = locked_leaver.run.grace_days
        locked_leaver.delete_after = locked_leaver.proved_at + timedelta(days=days) if days else None
        locked_leaver.save(update_fields=["proved_at", "delete_after"])
        _move(locked_leaver, OffboardingStage.GONE)
        certify(locked_leaver, kind="ended")


def _changes(leaver: Leaver) -> list[Change]:
    changes: list[Change] = []
    for seat in leaver.seats.all():
        changes += changes_of(seat)
    return changes


def _move(leaver: Leaver, stage: OffboardingStage) -> None:
    """Change the stage and record it, in the caller's transaction or without one."""
    before = leaver.stage
    if before == stage or not Leaver.objects.filter(pk=leaver.pk, stage=before).update(stage=stage):
        return
    leaver.stage = stage
    record_stage(leaver, stage, before=before)
