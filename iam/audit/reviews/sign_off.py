"""Signs off reviews: a reviewer confirms that everything is decided, another person acknowledges it for
management, and the review is frozen.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from iam.audit.approval_requests.requests import DECIDES, may_in_all
from iam.audit.reviews.approval_kinds import SIGN_OFF_REQUEST
from iam.audit.reviews.campaigns import may_manage
from iam.audit.reviews.models import ReviewCampaign
from iam.audit.reviews.notices import tell_person
from iam.audit.reviews.removals import pending
from iam.audit.reviews.terms import ReviewTerms
from iam.audit.reviews.verification import ACKNOWLEDGED, digest_of, own_digest_of
from iam.changes.errors import RefusedError
from iam.directory.models import Person
from iam.directory.second_approvers import others_who_decide
from iam.guard import Viewer
from iam.journal.services import record
from iam.people.runs.models import RunState

MAX_NOTE = 1000
MAX_COUNTED = 1000
"""Counting stops here, so that the page stays fast with 60,000 rows."""


def why_not_sign(campaign: ReviewCampaign, viewer: Viewer) -> str:
    """Return why the viewer can't sign off a review now; "" if they can."""
    if campaign.state != RunState.RUNNING:
        return "Only a review in progress can be signed off."
    is_reviewer = campaign.rows.filter(decided_by=viewer.person_id).exists()
    if not is_reviewer and not may_manage(viewer, campaign):
        return "Only a reviewer or the person who started this review can sign it off."
    undecided = campaign.rows.filter(decision="")[: MAX_COUNTED + 1].count()
    if undecided > MAX_COUNTED:
        return f"More than {MAX_COUNTED:,} of its access items are not decided yet."
    if undecided:
        return f"{undecided:,} of its access items {'is' if undecided == 1 else 'are'} not decided yet."
    left = pending(campaign).count()
    if left:
        return (
            f"{left:,} of its decisions {'has' if left == 1 else 'have'} not been requested as changes yet."
        )
    return ""


def sign(campaign: ReviewCampaign, *, note: str, actor: Viewer, now: datetime) -> None:
    """Sign off the review, which then waits for acknowledgement. Raises RefusedError."""
    _check_note(note)
    with transaction.atomic():
        locked = ReviewCampaign.objects.select_for_update().get(pk=campaign.pk)
        if why := why_not_sign(locked, actor):
            raise RefusedError(why)
        locked.state, locked.signed_by, locked.signed_name = (
            RunState.WAITING,
            actor.person_id,
            actor.name[:128],
        )
        locked.signed_at, locked.signed_note = now, note.strip()
        locked.save(update_fields=["state", "signed_by", "signed_name", "signed_at", "signed_note"])
        record(kind="review.sign", actor=actor, subject=locked.reference, data={"note": note.strip()})
        SIGN_OFF_REQUEST.tell(locked, at=now)


def why_not_acknowledge(campaign: ReviewCampaign, viewer: Viewer) -> str:
    """Return why the viewer can't acknowledge a review; "" for an approver or administrator of all its
    accounts who neither signed it off nor decided on a row.
    """
    if campaign.state != RunState.WAITING:
        return "This review doesn’t wait for an acknowledgment."
    if not may_in_all(viewer, ReviewTerms.from_json(campaign.terms).accounts, *DECIDES):
        return "Only an approver or administrator of all its accounts can acknowledge it."
    if viewer.person_id in (campaign.signed_by, *_deciders(campaign)):
        return "Someone who reviewed nothing in it has to acknowledge it."
    return ""


def who_can_acknowledge(campaign: ReviewCampaign) -> list[Person]:
    """Return the people who can acknowledge a review, by name; empty if all of them reviewed
    something in it.
    """
    accounts = ReviewTerms.from_json(campaign.terms).accounts
    return others_who_decide(but=[campaign.signed_by, *_deciders(campaign)], accounts=accounts)


def _deciders(campaign: ReviewCampaign) -> list[UUID | None]:
    return list(campaign.rows.order_by().values_list("decided_by", flat=True).distinct())


def acknowledge(
    campaign: ReviewCampaign, *, is_accepted: bool, note: str, actor: Viewer, now: datetime
) -> None:
    """Acknowledge the review, which freezes it, or return it to the reviewers. Raises RefusedError."""
    _check_note(note)
    if not is_accepted and not note.strip():
        raise RefusedError("Say what has to be reviewed again.")
    with transaction.atomic():
        locked = ReviewCampaign.objects.select_for_update().get(pk=campaign.pk)
        if why := why_not_acknowledge(locked, actor):
            raise RefusedError(why)
        if not is_accepted:
            locked.state = RunState.RUNNING
            locked.returned_by, locked.returned_name = actor.person_id, actor.name[:128]
            locked.returned_at, locked.returned_note = now, note.strip()
            returned = ["returned_by", "returned_name", "returned_at", "returned_note"]
            locked.save(update_fields=["state", *returned])
            record(
                kind="review.send_back", actor=actor, subject=locked.reference, data={"note": note.strip()}
            )
        else:
            _freeze(locked, note.strip(), actor, now)
        words = "acknowledged" if is_accepted else "sent back to its reviewers"
        tell_person(
            locked,
            locked.signed_by,
            subject=f"{locked.name} was {words}",
            text=f"By {actor.name}. {note.strip()}",
            key=f"acknowledge:{now.isoformat()}",
        )


def _freeze(locked: ReviewCampaign, note: str, actor: Viewer, now: datetime) -> None:
    locked.digest = digest_of(locked)
    locked.state, locked.ended_at = RunState.DONE, now
    locked.acknowledged_by, locked.acknowledged_name = actor.person_id, actor.name[:128]
    locked.acknowledged_at, locked.acknowledged_note = now, note
    locked.save(
        update_fields=[
            "digest",
            "state",
            "ended_at",
            "acknowledged_by",
            "acknowledged_name",
            "acknowledged_at",
            "acknowledged_note",
        ]
    )
    record(
        kind=ACKNOWLEDGED,
        actor=actor,
        subject=locked.reference,
        data={"note": note, "sha256": locked.digest, "own_sha256": own_digest_of(locked)},
    )


def _check_note(note: str) -> None:
    if len(note) > MAX_NOTE:
        raise RefusedError(f"Use at most {MAX_NOTE:,} characters.")
