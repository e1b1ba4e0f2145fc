"""Plans the operations that restore what an offboarding or suspension removed. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from django.db.models import Exists, OuterRef

from iam.access.grants.models import LedgerEntry
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.operations.login_profile import DeleteLoginProfile
from iam.changes.services import SetLane
from iam.changes.services.plans import ChangePlan, check_account, check_right, examine
from iam.guard import Viewer
from iam.people.offboarding.models import EndedGrant, Leaver, OffboardedUser
from iam.people.offboarding.removal_proof import turned_changes_of
from iam.people.offboarding.restored_sign_in import password_of

NOT_GIVEN_BACK: Final = frozenset({"role_sessions.revoke"})
"""Operations that a restore doesn't revert: ended sessions stay ended, and the person starts new ones."""


def return_plans(
    leaver: Leaver, *, viewer: Viewer, at_once: bool = False
) -> tuple[list[ChangePlan], list[SetLane], list[str]]:
    """Return the plans that restore access as far as AWS allows, with each account's deny removed last, their
    lanes, and sentences on what can't be restored.

    `at_once` means that no approval is needed, so that open requests for the same don't block it.
    """
    plans: list[ChangePlan] = []
    lanes: list[SetLane] = []
    lost: list[str] = []
    for lane, seat in enumerate(seats_of(leaver)):
        branch = 0
        for inverse, reverts in _to_give_back(seat, lost):
            earlier = [plan.operation for plan in plans]
            try:
                planned = _planned(inverse, viewer=viewer, reverts=reverts, earlier=earlier, at_once=at_once)
            except RefusedError as refused:
                lost.append(f"{seat.account.name}: {inverse.title}: {refused.message}")
                continue
            branch += 1
            plans.append(planned)
            lanes.append(SetLane(lane, branch))
    return plans, lanes, lost


def _to_give_back(seat: OffboardedUser, lost: list[str]) -> Iterator[tuple[Operation, Change | None]]:
    """Yield each operation that restores something of a user, with the change that it reverts. `lost` gets a
    sentence for what AWS can't restore.
    """
    again = password_of(seat)
    for change in to_turn_back(seat):
        operation = restore(change.operation, account=change.account, params=change.params)
        inverse = operation.inverse(change.before)
        if inverse is not None:
            yield inverse, change
        elif change.operation != DeleteLoginProfile.spec.slug or again is None:
            lost.append(f"{seat.account.name}: {change.title}. {operation.irreversible}")
    if again is not None:
        yield again, None


def _planned(
    operation: Operation,
    *,
    viewer: Viewer,
    reverts: Change | None,
    earlier: Sequence[Operation],
    at_once: bool,
) -> ChangePlan:
    if not at_once:
        return changes.plan(operation, viewer=viewer, reverts=reverts, earlier=earlier)
    check_account(operation.account)
    check_right(operation, viewer=viewer, earlier=earlier)
    return replace(examine(operation, earlier=earlier), reverts=reverts)


def restore_notes(leaver: Leaver, lost: Sequence[str]) -> list[str]:
    """Return notes for the approver of a restore: what isn't restored, and how the person gets a password."""
    notes = [f"Not restored: {sentence}" for sentence in lost]
    if any(password_of(seat) for seat in seats_of(leaver)):
        notes.append("The person gets a one-time link to set a new password and to add an MFA device.")
    return notes


def seats_of(leaver: Leaver) -> list[OffboardedUser]:
    """Return the users of a person, by account."""
    return list(
        leaver.seats.select_related("account", "user__account", "change_set").order_by("account__name", "pk")
    )


def to_turn_back(seat: OffboardedUser) -> list[Change]:
    """Return the changes of a seat that are not reverted yet, newest first, so that the deny is reverted
    last.
    """
    reverted = Change.objects.filter(reverts=OuterRef("pk"), state=ChangeState.APPLIED)
    done = turned_changes_of(seat).filter(state=ChangeState.APPLIED, already_so=False)
    done = done.exclude(Exists(reverted)).exclude(operation__in=NOT_GIVEN_BACK)
    changes = list(done.prefetch_related("account", "change_set").order_by("-created_at", "-position"))
    grants = EndedGrant.objects.filter(seat=seat).values("grant")
    ending = LedgerEntry.objects.filter(part__grant__in=grants, ended_by__isnull=False).values("ended_by")
    now = datetime.now(tz=UTC)
    expired = LedgerEntry.objects.filter(ended_by__in=ending, part__grant__ends_at__lte=now)
    by_grants = Change.objects.filter(pk__in=ending, state=ChangeState.APPLIED, already_so=False)
    by_grants = by_grants.exclude(pk__in=expired.values("ended_by")).exclude(operation__in=NOT_GIVEN_BACK)
    own = {change.pk for change in changes}
    others = [change for change in by_grants.select_related("account") if change.pk not in own]
    return others + changes
