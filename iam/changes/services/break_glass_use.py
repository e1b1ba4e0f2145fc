"""Break-glass: applies one's own request without approval in an emergency, with a reason and a later review
by somebody else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.changes import notifications
from iam.changes.approval.models import BreakGlass, ReviewVerdict
from iam.changes.approval.needs import parts_of, requirement_of
from iam.changes.approval.people import people_of
from iam.changes.approval.rules import REVIEWERS
from iam.changes.causes import kind_of
from iam.changes.errors import ReceiptChangedError, RefusedError
from iam.changes.models import RUNNING, Change, ChangeSet, ChangeState
from iam.changes.services.decisions import check_request, queue_all, refresh_receipts, waiting_parts
from iam.changes.services.immediate_changes import keep_for_review
from iam.changes.services.undo_requests import undo_several
from iam.changes.states import add_event, write_journal
from iam.guard import Viewer
from iam.guard.viewer import ANY_ACCOUNT

MAX_REASON = 1000


def may_break_glass(change: Change, *, viewer: Viewer) -> bool:
    """True if the rules let this viewer apply their own waiting request without approval."""
    if change.state != ChangeState.AWAITING or change.requested_by != viewer.person_id:
        return False
    parts = parts_of(change.change_set)
    who = requirement_of(change.change_set, parts=parts).need.break_glass
    return viewer.person_id in people_of(who, accounts=_accounts(parts))


def break_glass(change: Change, *, actor: Viewer, reason: str, seen_digest: str) -> None:
    """Apply one's own waiting request at once, without approval.

    Everyone who could have approved it is notified, and somebody else reviews it. Raises RefusedError, and
    ReceiptChangedError if its effect is no longer what was shown.
    """
    reason = reason.strip()
    if not may_break_glass(change, viewer=actor):
        raise RefusedError("The approval rules don’t let you apply this without approval.", change=change)
    if not reason:
        raise RefusedError("Describe the emergency. The reviewer reads it.", change=change)
    if len(reason) > MAX_REASON:
        raise RefusedError(
            f"The reason has {len(reason):,} characters. The limit is {MAX_REASON:,}.", change=change
        )
    parts = waiting_parts(change)
    if refresh_receipts(parts) or change.change_set.receipt_digest != seen_digest:
        raise ReceiptChangedError(
            "What this does has changed since you opened the page. Review it again.", change=change
        )
    check_request(parts)
    with transaction.atomic():
        group = ChangeSet.objects.select_for_update().get(pk=change.change_set_id)
        parts = waiting_parts(change)
        if group.receipt_digest != seen_digest:
            raise ReceiptChangedError("What this does has just changed. Review it again.", change=change)
        keep_for_review(group, actor=actor, reason=reason)
        queue_all(parts, actor=actor, kind="broke_glass", note=reason, data={"break_glass": True})
        # Administrators of one account are notified too, although people responsible for all accounts review
        # it.
        of_accounts = (people_of(REVIEWERS, accounts={number}) for number in _accounts(parts))
        people = set(chain.from_iterable(of_accounts))
        notifications.tell_broken_glass(parts[0], people=people, by=actor.name)


def to_review(viewer: Viewer) -> QuerySet[BreakGlass]:
    """Unreviewed uses of break-glass in accounts in which this viewer is administrator or approver, oldest
    first.
    """
    accounts = _reviews_in(viewer)
    unreviewed = BreakGlass.objects.filter(reviewed_at__isnull=True)
    if ANY_ACCOUNT not in accounts:
        elsewhere = Change.objects.filter(change_set=OuterRef("change_set")).exclude(
            account__account_id__in=accounts
        )
        unreviewed = unreviewed.filter(~Q(Exists(elsewhere))) if accounts else unreviewed.none()
    return unreviewed.select_related("change_set").order_by("at")


def why_not_review(glass: BreakGlass, *, viewer: Viewer) -> str:
    """Why this viewer can't review it; "" if they can."""
    if glass.reviewed_at is not None:
        return f"{glass.reviewed_label} has already reviewed it."
    if not to_review(viewer).filter(pk=glass.pk).exists():
        return "Administrators and approvers of its accounts review it."
    if glass.used_by == viewer.person_id and not settings.SINGLE_OPERATOR:
        return "You used it, so someone else reviews it."
    return ""


def review(glass: BreakGlass, *, actor: Viewer, verdict: str, comment: str, key: str) -> list[Change]:
    """Confirm the use of break-glass, or request its undo and return those changes. Raises RefusedError."""
    comment = comment.strip()
    if why := why_not_review(glass, viewer=actor):
        raise RefusedError(why)
    if verdict not in ReviewVerdict.values:
        raise RefusedError("Choose whether to accept or undo it.")
    if not comment:
        raise RefusedError("Describe what you found. Auditors read it.")
    if len(comment) > MAX_REASON:
        raise RefusedError(f"The comment has {len(comment):,} characters. The limit is {MAX_REASON:,}.")
    parts = parts_of(glass.change_set)
    if any(part.state in RUNNING for part in parts):
        raise RefusedError("It is still in progress. Review it when it is done.")
    with transaction.atomic():
        follow = kind_of(glass.change_set).reviewed
        undoing: list[Change] = []
        if follow is not None:
            undoing = follow(glass, actor, comment, verdict)
        elif verdict == ReviewVerdict.UNDO:
            undoing = _undo(parts, actor=actor, comment=comment, key=key)
        _record(glass, parts[0], actor=actor, verdict=verdict, comment=comment)
    return undoing


def _undo(parts: list[Change], *, actor: Viewer, comment: str, key: str) -> list[Change]:
    applied = [part for part in parts if part.state == ChangeState.APPLIED and not part.already_so]
    if not applied:
        raise RefusedError("It changed nothing in AWS, so there is nothing to undo. Accept it instead.")
    return undo_several(applied, actor=actor, reason=comment, idempotency_key=key)


def _record(glass: BreakGlass, first: Change, *, actor: Viewer, verdict: str, comment: str) -> None:
    alone = glass.used_by == actor.person_id
    unreviewed = BreakGlass.objects.filter(pk=glass.pk, reviewed_at__isnull=True)
    written = unreviewed.update(
        reviewed_by=actor.person_id,
        reviewed_label=actor.name[:128],
        reviewed_at=datetime.now(tz=UTC),
        verdict=verdict,
        comment=comment,
        is_alone=alone,
        remind_at=None,
    )
    if not written:
        raise RefusedError("Someone else has just reviewed it.")
    kind = "review_accepted" if verdict == ReviewVerdict.ACCEPT else "review_undo"
    add_event(first, kind=kind, actor=actor, note=comment)
    data = {"single_operator": True} if alone else {}
    write_journal(first, act=kind, actor=actor, note=comment, data=data)


def _reviews_in(viewer: Viewer) -> set[str]:
    """The accounts in which they are administrator or approver; "" stands for all."""
    roles = viewer.accounts_by_role
    return set(chain.from_iterable(roles.get(who.value, ()) for who in REVIEWERS))


def _accounts(parts: list[Change]) -> set[str]:
    return {part.account.account_id for part in parts}


def glass_of(change_set_id: UUID) -> BreakGlass | None:
    """The use of break-glass that applied a set, or None."""
    return BreakGlass.objects.filter(pk=change_set_id).first()
