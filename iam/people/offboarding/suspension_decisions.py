"""Decisions after a suspension: another person confirms it or orders the restore, or the person who suspended
undoes it before that.
"""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from django.db import transaction

from iam.changes.approval.models import BreakGlass, ReviewVerdict
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.services.break_glass_use import review, why_not_review
from iam.guard import Viewer
from iam.journal.services import record
from iam.people.offboarding.models import Leaver, OffboardingStage
from iam.people.offboarding.requester_scope import of_leaver
from iam.people.offboarding.restore_and_delete import restore_at_once
from iam.people.offboarding.rules import is_about_oneself, review_of
from iam.people.offboarding.suspension import checked_reason, suspender

ORDERED: Final = "Restored by the reviewer of the suspension"
TAKEN_BACK: Final = "Suspension undone before it was confirmed"
CUT: Final = (OffboardingStage.SUSPENDED, OffboardingStage.CONFIRMED, OffboardingStage.OPEN)


def why_not_confirm(viewer: Viewer, leaver: Leaver) -> str:
    """Return why the viewer can't confirm a suspension or order the restore, or an empty string."""
    review = review_of(leaver)
    if review is None:
        return "This isn’t a suspension."
    if is_about_oneself(viewer, leaver):
        return "This is your own access, so someone else has to decide."
    return why_not_review(review, viewer=viewer)


def may_take_back(viewer: Viewer, leaver: Leaver) -> bool:
    """Return True if the viewer made the suspension and no one has reviewed it yet."""
    review = review_of(leaver)
    return (
        review is not None
        and review.reviewed_at is None
        and review.used_by == viewer.person_id
        and leaver.stage in (OffboardingStage.SUSPENDED, OffboardingStage.OPEN)
    )


def confirm(actor: Viewer, *, leaver: Leaver, comment: str) -> None:
    """Confirm a suspension, which stays in force. Raises RefusedError."""
    _review(actor, leaver, verdict=ReviewVerdict.ACCEPT, comment=comment)


def order_restore(actor: Viewer, *, leaver: Leaver, comment: str) -> list[Change]:
    """Revert a suspension at once, as its reviewer. Raises RefusedError."""
    return _review(actor, leaver, verdict=ReviewVerdict.UNDO, comment=comment)


def take_back(actor: Viewer, *, leaver: Leaver, reason: str) -> list[Change]:
    """Revert one's own suspension at once, before it is confirmed. It is still reviewed. Raises
    RefusedError.
    """
    reason = checked_reason(reason)
    if not may_take_back(actor, leaver):
        raise RefusedError("Only the person who suspended them can undo it, and only until it is confirmed.")
    reach = of_leaver(leaver.pk, suspender(actor))
    return restore_at_once(reach, leaver=leaver, reason=reason, because=TAKEN_BACK)


def reviewed(glass: BreakGlass, actor: Viewer, comment: str, verdict: str) -> list[Change]:
    """Carry out the review of a suspension (`iam.changes.causes`), in the transaction of the review."""
    leavers = Leaver.objects.select_for_update(of=("self", "run")).select_related("run")
    leaver = leavers.get(run=glass.change_set.cause_id)
    if is_about_oneself(actor, leaver):
        raise RefusedError("This is your own access, so someone else has to decide.")
    if verdict == ReviewVerdict.UNDO:
        if leaver.stage not in CUT:
            status = leaver.get_stage_display().lower()
            raise RefusedError(
                f"{leaver.name}: {status}. There is nothing to restore. Confirm the suspension instead."
            )
        return restore_at_once(actor, leaver=leaver, reason=comment, because=ORDERED)
    if leaver.stage == OffboardingStage.SUSPENDED:
        Leaver.objects.filter(pk=leaver.pk).update(stage=OffboardingStage.CONFIRMED)
    data = {"leaver": leaver.pk, "reference": leaver.run.reference, "comment": comment}
    record(kind="leaving.confirmed", actor=actor, subject=leaver.name, data=data)
    return []


def _review(actor: Viewer, leaver: Leaver, *, verdict: ReviewVerdict, comment: str) -> list[Change]:
    glass = review_of(leaver)
    if glass is None:
        raise RefusedError("This isn’t a suspension.")
    with transaction.atomic():
        return review(glass, actor=actor, verdict=verdict.value, comment=comment, key=uuid4().hex)
