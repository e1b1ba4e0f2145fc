"""After access has ended: give it back within the grace period, or delete the users, each by a request of its own that is approved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from iam.access.grants.models import LedgerEntry
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.operations.login_profile import DeleteLoginProfile
from iam.changes.services import Cause, Lane
from iam.changes.services.deleting import deletion_of
from iam.changes.services.planning import Plan
from iam.directory.parting import welcome_back
from iam.guard import Viewer, viewer_for
from iam.journal.services import record
from iam.mirror.models import Entity
from iam.people.leaving import nudge
from iam.people.leaving.certificates import certify
from iam.people.leaving.models import OF_DELETION, OF_RETURN, EndedGrant, Leaver, Seat, Stage
from iam.people.leaving.proving import changes_of
from iam.people.leaving.reaching import of_leaver
from iam.people.leaving.regranting import grant_again
from iam.people.leaving.returning import invite_back, keep_seals, password_of
from iam.people.leaving.rules import asker_of, is_about_oneself, may_act

NOT_GIVEN_BACK: Final = frozenset({"role_sessions.revoke"})
"""Sessions that were ended stay ended: whoever comes back begins new ones."""
AGAIN: Final = timedelta(hours=24)


def return_plans(leaver: Leaver, *, viewer: Viewer) -> tuple[list[Plan], list[Lane], list[str]]:
    """What gives access back as far as AWS allows, the deny last of each account; and sentences on what does not come back."""
    plans: list[Plan] = []
    lanes: list[Lane] = []
    lost: list[str] = []
    for lane, seat in enumerate(_seats(leaver)):
        branch = 0
        for change in _to_turn_back(seat):
            operation = restore(change.operation, account=change.account, params=change.params)
            inverse = operation.inverse(change.before)
            if inverse is None and change.operation == DeleteLoginProfile.slug and password_of(seat):
                continue
            if inverse is None:
                lost.append(f"{seat.account.name}: {change.title}. {operation.irreversible}")
                continue
            try:
                planned = changes.plan(
                    inverse, viewer=viewer, reverts=change, earlier=[one.operation for one in plans]
                )
            except RefusedError as refused:
                lost.append(f"{seat.account.name}: {inverse.title}: {refused.message}")
                continue
            branch += 1
            plans.append(planned)
            lanes.append(Lane(lane, branch))
        again = password_of(seat)
        if again is not None:
            try:
                planned = changes.plan(again, viewer=viewer, earlier=[one.operation for one in plans])
            except RefusedError as refused:
                lost.append(f"{seat.account.name}: {again.title}: {refused.message}")
                continue
            plans.append(planned)
            lanes.append(Lane(lane, branch + 1))
    return plans, lanes, lost


def request_return(actor: Viewer, *, leaver: Leaver, reason: str) -> list[Change]:
    """Ask that access is given back: one request for all accounts, approved like any that opens a door. Raises RefusedError."""
    _check(actor, leaver, stages=(Stage.GONE, Stage.OPEN, Stage.CLOSING))
    actor = of_leaver(leaver.pk, actor)
    plans, lanes, _ = return_plans(leaver, viewer=actor)
    if not plans:
        raise RefusedError("There is nothing that could be given back.")
    written = _request(
        actor,
        leaver,
        plans,
        lanes,
        reason=reason,
        title=f"Restore {leaver.name}",
        kind=OF_RETURN,
        notes=["The person gets a one-time link to take a new password and to add an MFA device."],
    )
    keep_seals(leaver, written)
    _begin(leaver, Stage.RETURNING, actor=actor, reason=reason, kind="leaving.return_asked")
    return written


def deletion_plans(leaver: Leaver, *, viewer: Viewer) -> tuple[list[Plan], list[Lane]]:
    """The deletion of each user that is there, with all that AWS wants gone first, a lane an account. Raises RefusedError."""
    operations: list[Operation] = []
    lanes: list[Lane] = []
    for lane, seat in enumerate(_seats(leaver)):
        user = Entity.objects.filter(pk=seat.user_id, gone_at__isnull=True).select_related("account").first()
        if user is not None:
            found = deletion_of(user)
            operations += found
            lanes += [Lane(lane)] * len(found)
    if not operations:
        raise RefusedError("Their users are gone from AWS already.")
    return changes.plan_set(operations, viewer=viewer), lanes


def request_deletion(actor: Viewer, *, leaver: Leaver, reason: str) -> list[Change]:
    """Ask that the users are deleted. Raises RefusedError."""
    _check(actor, leaver, stages=(Stage.GONE, Stage.OPEN))
    actor = of_leaver(leaver.pk, actor)
    plans, lanes = deletion_plans(leaver, viewer=actor)
    written = _request(
        actor,
        leaver,
        plans,
        lanes,
        reason=reason,
        title=f"Delete the users of {leaver.name}",
        kind=OF_DELETION,
        notes=[
            "A deleted user does not come back: whoever is made anew under the name is another user to AWS."
        ],
    )
    _begin(leaver, Stage.DELETING, actor=actor, reason=reason, kind="leaving.deletion_asked")
    return written


def ask_due_deletions(*, now: datetime | None = None) -> int:
    """Ask, in the name of whoever had them leave, for the deletion of those whose grace period is over. Returns how many were due."""
    moment = now or datetime.now(tz=UTC)
    due = Leaver.objects.filter(stage=Stage.GONE, delete_after__lte=moment).select_related("run")
    found = list(due.order_by("delete_after")[:50])
    for leaver in found:
        person = asker_of(leaver.run)
        days = leaver.run.grace_days
        try:
            if person is None:
                raise RefusedError("Whoever asked that they leave is known no more.")
            request_deletion(
                viewer_for(person),
                leaver=leaver,
                reason=f"The grace period of {days} {'day' if days == 1 else 'days'} is over ({leaver.run.reference}).",
            )
        except RefusedError as refused:
            Leaver.objects.filter(pk=leaver.pk).update(
                trouble=f"Deletion could not be asked for: {refused.message}"[:1024],
                delete_after=moment + AGAIN,
            )
    return len(found)


def settle_afterwards(leaver_id: UUID) -> None:
    """How restoring or deleting stands, from its changes; what was not agreed to, or failed, leaves somebody as they were: without access."""
    with transaction.atomic():
        leaver = Leaver.objects.select_for_update().select_related("run").get(pk=leaver_id)
        if leaver.stage not in (Stage.RETURNING, Stage.DELETING):
            return
        kind = OF_RETURN if leaver.stage == Stage.RETURNING else OF_DELETION
        newest = afterwards_changes(leaver, kind)
        states = {ChangeState(one.state) for one in newest}
        if not newest or states & {*OPEN, ChangeState.DRAFT}:
            return
        if states == {ChangeState.APPLIED}:
            _done(leaver, newest)
            return
        failed = [one for one in newest if one.state != ChangeState.APPLIED]
        said = f"{failed[0].title}: {failed[0].get_state_display().lower()}. {failed[0].error_message}"
        if kind == OF_RETURN and ChangeState.APPLIED in states:
            _done(leaver, newest, trouble=f"Not all of it came back. {said}")
            return
        # What was not proved yet goes on to be.
        back = Stage.GONE if leaver.proved_at else Stage.CLOSING
        values = {"delete_after": _again(states)} if kind == OF_DELETION else {}
        Leaver.objects.filter(pk=leaver.pk).update(stage=back, trouble=said[:1024], **values)
        _note(leaver, back)


def _again(states: set[ChangeState]) -> datetime | None:
    """When a deletion that came to nothing is asked for again: a day later, and only by hand where somebody was against it."""
    if states & {ChangeState.REJECTED, ChangeState.CANCELLED}:
        return None
    return datetime.now(tz=UTC) + AGAIN


def afterwards_changes(leaver: Leaver, kind: str) -> list[Change]:
    """The changes of the newest request of a kind."""
    rows = Change.objects.filter(change_set__cause_kind=kind, change_set__cause_id=leaver.pk)
    found = list(rows.select_related("account", "change_set").order_by("-created_at", "position"))
    newest = found[0].change_set_id if found else None
    return [one for one in found if one.change_set_id == newest]


def _done(leaver: Leaver, newest: Sequence[Change], *, trouble: str = "") -> None:
    at = max((one.ended_at for one in newest if one.ended_at), default=datetime.now(tz=UTC))
    if leaver.stage == Stage.RETURNING:
        for seat in _seats(leaver):
            grant_again(seat, by=newest)
        if leaver.person_id is not None:
            trouble = f"{trouble} {welcome_back(leaver.person_id, why=leaver.run.reference)}".strip()
        invite_back(leaver)
        leaver.stage, leaver.returned_at, leaver.delete_after = Stage.RETURNED, at, None
    else:
        leaver.stage, leaver.deleted_at, leaver.delete_after = Stage.DELETED, at, None
    leaver.trouble = trouble[:1024]
    leaver.save(update_fields=["stage", "returned_at", "deleted_at", "delete_after", "trouble"])
    _note(leaver, Stage(leaver.stage))
    if leaver.stage == Stage.DELETED:
        certify(leaver, kind="deleted")


def _note(leaver: Leaver, stage: Stage) -> None:
    record(
        kind="leaving.stage",
        actor=None,
        subject=leaver.name,
        data={"leaver": leaver.pk, "run": leaver.run_id, "from": "", "to": stage.value},
    )


def _seats(leaver: Leaver) -> list[Seat]:
    return list(
        leaver.seats.select_related("account", "user__account", "change_set").order_by("account__name", "pk")
    )


def _check(actor: Viewer, leaver: Leaver, *, stages: Sequence[Stage]) -> None:
    if leaver.stage not in stages:
        raise RefusedError(f"{leaver.name}: {leaver.get_stage_display().lower()}.")
    if is_about_oneself(actor, leaver):
        raise RefusedError("This is about your own access: somebody else asks for it.")
    if not may_act(actor, leaver):
        raise RefusedError("You can do this for people of your own teams only.")


def _request(
    actor: Viewer,
    leaver: Leaver,
    plans: Sequence[Plan],
    lanes: Sequence[Lane],
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
        cause=Cause(kind, leaver.pk),
        lanes=lanes,
        notes=notes,
    )


def _begin(leaver: Leaver, stage: Stage, *, actor: Viewer, reason: str, kind: str) -> None:
    with transaction.atomic():
        moved = Leaver.objects.filter(pk=leaver.pk, stage=leaver.stage, trials=leaver.trials).update(
            stage=stage, trials=leaver.trials + 1, trouble=""
        )
        if moved:
            data = {"leaver": leaver.pk, "reference": leaver.run.reference, "reason": reason}
            record(kind=kind, actor=actor, subject=leaver.name, data=data)
    leaver.refresh_from_db()


def _to_turn_back(seat: Seat) -> list[Change]:
    """What of a seat was changed and is not turned back yet, the newest first, so that the deny goes last."""
    done = changes_of(seat).filter(state=ChangeState.APPLIED, already_so=False)
    done = done.exclude(operation__in=NOT_GIVEN_BACK)
    found = list(done.select_related("account", "change_set").order_by("-created_at", "-position"))
    grants = EndedGrant.objects.filter(seat=seat).values("grant")
    taken = LedgerEntry.objects.filter(part__grant__in=grants, ended_by__isnull=False).values("ended_by")
    now = datetime.now(tz=UTC)
    lapsed = LedgerEntry.objects.filter(ended_by__in=taken, part__grant__ends_at__lte=now).values("ended_by")
    by_grants = Change.objects.filter(pk__in=taken, state=ChangeState.APPLIED, already_so=False)
    by_grants = by_grants.exclude(pk__in=lapsed).exclude(operation__in=NOT_GIVEN_BACK)
    known = {one.pk for one in found}
    return [*(one for one in by_grants.select_related("account") if one.pk not in known), *found]


def try_again(actor: Viewer, *, leaver: Leaver) -> None:
    """Have AWS read again for somebody of whom something is still open, and that ended. Raises RefusedError."""
    if leaver.stage != Stage.OPEN:
        raise RefusedError(f"{leaver.name}: {leaver.get_stage_display().lower()}.")
    if not may_act(actor, leaver):
        raise RefusedError("You can do this for people of your own teams only.")
    with transaction.atomic():
        Seat.objects.filter(leaver=leaver, proved_at__isnull=True).update(trials=0, read_at=None, trouble="")
        data = {"leaver": leaver.pk, "reference": leaver.run.reference}
        record(kind="leaving.retried", actor=actor, subject=leaver.name, data=data)
    for pk in leaver.seats.filter(proved_at__isnull=True).values_list("pk", flat=True):
        nudge.send("prove_seat", pk)
