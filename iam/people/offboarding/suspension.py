"""Suspends a person: their access is removed at once, reversibly, and another person confirms it or orders
the restore.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction

from iam.changes.errors import FieldError, RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.services import SetCause
from iam.changes.services.immediate_changes import queue_at_once, weigh_at_once
from iam.changes.services.plans import check_account, check_right, examine
from iam.directory.deactivation import deactivate
from iam.directory.models import Role, RoleAssignment
from iam.guard import Right, Viewer
from iam.guard.viewer import ANY_ACCOUNT
from iam.journal.services import record
from iam.linking.ownership import is_linked
from iam.mirror.models import Entity
from iam.people.offboarding.leaver_lookup import LeaverUsers, leaver_of, limited_to_viewer, user_for
from iam.people.offboarding.models import (
    OF_SUSPENSION,
    SUSPENSION,
    Leaver,
    OffboardedUser,
    OffboardingRun,
    OffboardingStage,
)
from iam.people.offboarding.open_access import deny_of, sign_in_of
from iam.people.offboarding.removal_plan import RemovalPlan, RemovalSite, known_sessions
from iam.people.offboarding.rules import administrators
from iam.people.offboarding.services import MAX_REASON, seat_all
from iam.people.offboarding.trusts import trusting
from iam.people.runs.models import RunState

KEYS: Final = UUID("6f1c1f0e-3f4a-4a07-9d0c-8a0f7c0b5d21")
"""The namespace for the id of a suspension, derived from a person and the key of their form."""
RULE: Final = "Suspension: access is cut first and confirmed afterwards"
BUSY: Final = (
    *SUSPENSION,
    OffboardingStage.SUSPENDING,
    OffboardingStage.CLOSING,
    OffboardingStage.OPEN,
    OffboardingStage.GONE,
    OffboardingStage.RETURNING,
    OffboardingStage.PARTLY,
    OffboardingStage.DELETING,
)
"""Stages in which access is already removed or is being removed. An offboarding that waits doesn't prevent a
suspension.
"""
STAYS: Final = "MFA devices, group memberships and grants stay as they are: the deny overrides them."
GETS_LINK: Final = (
    "A deleted console password can’t be restored. After a restore, the person gets a one-time link to set a "
    "new one."
)
HAS_NO_LINK: Final = (
    "A deleted console password can’t be restored. After a restore, an administrator has to reset it, "
    "because no person in Gatehouse is linked to these IAM users."
)


def suspender(viewer: Viewer) -> Viewer:
    """Return the viewer with the scope of suspensions: accounts that they administer, and people of teams
    that they lead.
    """
    administered = viewer.accounts_by_role.get(Role.ADMINISTRATOR, set())
    accounts = None if ANY_ACCOUNT in administered else frozenset(administered)
    return replace(viewer, asks=replace(viewer.asks, accounts=accounts))


def may_suspend(viewer: Viewer) -> bool:
    """Return True if the viewer can suspend people at all, as team leads and administrators can."""
    return viewer.may(Right.REQUEST_CHANGE) and bool(
        viewer.leads or Role.ADMINISTRATOR in viewer.accounts_by_role
    )


def person_to_suspend(viewer: Viewer, pk: int) -> LeaverUsers | None:
    """Return the person of an IAM user, with the users that the viewer can suspend, or None."""
    if not may_suspend(viewer):
        return None
    reach = suspender(viewer)
    user = user_for(reach, pk)
    if user is None:
        return None
    (person,) = limited_to_viewer([leaver_of(user)], viewer=reach)
    return person


def why_not_suspend(viewer: Viewer, person: LeaverUsers) -> str:
    """Return why the viewer can't suspend this person, or an empty string. Only links made by hand count,
    because a tag in AWS must not protect anyone.
    """
    if not may_suspend(viewer):
        return "Team leads and administrators can suspend people."
    if not person.users:
        return "None of their IAM users is in an account or a team that you manage."
    if {user.arn for user in person.users} & viewer.scope.user_arns:
        return "You can’t suspend yourself. Ask another team lead or an administrator."
    linked = person.person_id is not None and any(
        is_linked(person.person_id, user=user) for user in person.users
    )
    if not linked:
        return ""
    assert person.person_id is not None
    if administrators() == {person.person_id}:
        return f"{person.name} is the only administrator of Gatehouse. Appoint another administrator first."
    decides = RoleAssignment.objects.filter(
        person=person.person_id, role__in=[Role.ADMINISTRATOR, Role.APPROVER]
    )
    if decides.exists() and not _administers_all(viewer, person.users):
        return (
            f"{person.name} is an administrator or approver in Gatehouse. Only an administrator can suspend "
            "them."
        )
    return ""


def suspended_already(users: Sequence[Entity]) -> OffboardedUser | None:
    """Return a user from an earlier run that has already removed their access or is doing so, or None."""
    seats = OffboardedUser.objects.filter(user__in=users, leaver__stage__in=BUSY).select_related(
        "leaver__run"
    )
    return seats.order_by("-leaver__run__created_at").first()


def plan_suspension(users: Sequence[Entity], *, viewer: Viewer) -> RemovalPlan:
    """Plan the suspension in each account: everything is denied first, then sessions, keys and the password
    are ended. Raises RefusedError if the viewer can't suspend a user.
    """
    reach = suspender(viewer)
    roles = trusting(users)
    seen = [role for role in roles if reach.asks.sees_account(role.role.account.account_id)]
    plan = RemovalPlan([], seen, unseen=len(roles) - len(seen))
    at = datetime.now(tz=UTC).replace(microsecond=0)
    for user in users:
        check_account(user.account)
        site = RemovalSite(user)
        try:
            site.deny = deny_of(user)
        except RefusedError as refused:
            site.left.append(f"A policy that denies everything doesn’t fit. {refused.message}")
        if site.deny is not None:
            check_right(site.deny, viewer=reach)
        sessions: list[Operation] = []
        for trusting_role in seen:
            if trusting_role.role.account_id == user.account_id and user.arn in trusting_role.arns:
                sessions.extend(known_sessions(trusting_role, at=at))
        _add(site, [*sessions, *sign_in_of(user)], viewer=reach)
        plan.sites.append(site)
    return plan


def request_suspension(actor: Viewer, *, person: LeaverUsers, reason: str, key: str) -> OffboardingRun:
    """Remove the access of a person at once (`person_to_suspend`). The same key of the same actor returns the
    same suspension. Raises RefusedError.
    """
    run_id = uuid5(KEYS, f"{actor.person_id}:{key}")
    earlier = OffboardingRun.objects.filter(pk=run_id).first()
    if earlier is not None:
        return earlier
    reason = checked_reason(reason)
    if why := why_not_suspend(actor, person):
        raise RefusedError(why)
    _check_not_suspended(person)
    plan = plan_suspension(person.users, viewer=actor)
    operations, lanes = plan.ordered()
    if not operations:
        raise RefusedError(f"{person.name} has no access left to cut. {' '.join(plan.left)}".strip())
    reach = suspender(actor)
    weighed = weigh_at_once(operations, actor=reach)
    try:
        with transaction.atomic():
            # If two people suspend the same person at once, the second one waits here and is refused.
            list(Entity.objects.select_for_update().filter(pk__in=[user.pk for user in person.users]))
            _check_not_suspended(person)
            run = OffboardingRun.objects.create(
                pk=run_id,
                state=RunState.REQUESTED,
                is_suspension=True,
                reason=reason,
                grace_days=0,
                requested_by=actor.person_id,
                requested_label=actor.name[:128],
                asked_at=datetime.now(tz=UTC),
            )
            (leaver,) = seat_all(run, [person])
            written = queue_at_once(
                weighed,
                actor=reach,
                reason=reason,
                title=leaver.title,
                cause=SetCause(OF_SUSPENSION, run.pk),
                key=f"suspension-{run.pk.hex}",
                because=RULE,
                lanes=lanes,
                notes=(STAYS, GETS_LINK if person.person_id else HAS_NO_LINK),
            )
            _keep_seats(leaver, plan, written)
            Leaver.objects.filter(pk=leaver.pk).update(
                stage=OffboardingStage.SUSPENDING, trouble=_close_gatehouse(leaver)[:1024]
            )
            _record(run, leaver, actor=actor)
    except IntegrityError:
        earlier = OffboardingRun.objects.filter(pk=run_id).first()
        if earlier is None:
            raise
        return earlier
    return run


def checked_reason(reason: str) -> str:
    """Return the reason without surrounding blanks. Raises RefusedError."""
    reason = reason.strip()
    if not reason:
        raise FieldError("Enter a reason.", field="reason")
    if len(reason) > MAX_REASON:
        raise FieldError(
            f"The reason has {len(reason):,} characters. The limit is {MAX_REASON:,}.", field="reason"
        )
    return reason


def _administers_all(viewer: Viewer, users: Sequence[Entity]) -> bool:
    reach = suspender(viewer)
    return all(reach.asks.sees_account(user.account.account_id) for user in users)


def _check_not_suspended(person: LeaverUsers) -> None:
    seat = suspended_already(person.users)
    if seat is None:
        return
    status = seat.leaver.get_stage_display().lower()
    raise RefusedError(f"{person.name}: {status} ({seat.leaver.run.reference}). There is nothing to suspend.")


def _add(site: RemovalSite, operations: Sequence[Operation], *, viewer: Viewer) -> None:
    """Add each operation that is valid according to the mirror, and note why for the others."""
    for operation in operations:
        check_right(operation, viewer=viewer)
        try:
            examine(operation, earlier=site.operations)
        except RefusedError as refused:
            site.left.append(f"{operation.title}: {refused.message}")
        else:
            site.others.append(operation)


def _keep_seats(leaver: Leaver, plan: RemovalPlan, written: Sequence[Change]) -> None:
    """Assign each user its changes, one lane of the set per user."""
    seats = {seat.user_id: seat for seat in leaver.seats.all()}
    for lane, site in enumerate(plan.sites):
        seat = seats[site.user.pk]
        seat.change_set, seat.lane = written[0].change_set, lane
        seat.trouble = " ".join(site.left)[:1024]
        seat.save(update_fields=["change_set", "lane", "trouble"])


def _close_gatehouse(leaver: Leaver) -> str:
    """Deactivate the person's sign-in to Gatehouse if a user was linked to them by hand. Returns a sentence
    if that isn't possible.
    """
    if leaver.person_id is None or leaver.unseen:
        return ""
    if not any(is_linked(leaver.person_id, user=seat.user) for seat in leaver.seats.select_related("user")):
        return ""
    return deactivate(leaver.person_id, why=leaver.run.reference)


def _record(run: OffboardingRun, leaver: Leaver, *, actor: Viewer) -> None:
    record(
        kind="leaving.suspended",
        actor=actor,
        subject=leaver.name,
        data={
            "run": run.pk,
            "leaver": leaver.pk,
            "reference": run.reference,
            "users": list(leaver.seats.values_list("user_arn", flat=True)),
            "reason": run.reason,
        },
    )
