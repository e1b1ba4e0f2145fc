"""Verifies that signed-off reviews are unchanged since they were acknowledged, using digests in the
journal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

from django.db import connection

from iam.audit.reviews import triggers
from iam.audit.reviews.models import ReviewCampaign
from iam.journal.frozen_records import RecordsVerdict
from iam.journal.models import Entry
from iam.people.runs.models import RunState

ACKNOWLEDGED: Final = "review.acknowledge"
ROW: Final = (
    "pk", "entity_id", "subject", "subject_kind", "sort", "target", "access__key", "is_administrator", "use",
    "last_used_at", "why", "peers_of", "peers", "peers_with", "sod", "reviewer_name", "decision",
    "decision_reason", "decided_by", "decided_name", "decided_at", "version",
)  # fmt: skip
"""The columns of a row that its digest covers."""
CAMPAIGN: Final = (
    "pk", "name", "reason", "terms", "requested_by", "requested_label", "owner_id", "created_at", "opened_at",
    "due_at", "overdue_at", "decided", "signed_by", "signed_name", "signed_at", "signed_note",
    "acknowledged_by", "acknowledged_name", "acknowledged_at", "acknowledged_note", "ended_at", "digest",
)  # fmt: skip
"""The columns of the review that the digest in the journal covers."""
REST_OF_ROW: Final = (
    "pk", "person_id", "person_name", "target_name", "since", "replay", "reviewer_id",
    "is_requested", "trouble",
)  # fmt: skip
ACCESS: Final = ("key", "lines", "more", "warning", "unread", "texts")


def digest_of(campaign: ReviewCampaign) -> str:
    """The SHA-256 of all rows, in order."""
    rows = campaign.rows.order_by("pk").values_list(*ROW)
    return _digest(rows.iterator(chunk_size=2000))


def own_digest_of(campaign: ReviewCampaign) -> str:
    """Return the SHA-256 of the stored review itself, its accesses, and the columns of its rows that
    `digest_of` leaves out.
    """
    own = ReviewCampaign.objects.filter(pk=campaign.pk).values_list(*CAMPAIGN)
    accesses = campaign.accesses.order_by("key").values_list(*ACCESS)
    rows = campaign.rows.order_by("pk").values_list(*REST_OF_ROW)
    return _digest(chain(own, accesses.iterator(chunk_size=500), rows.iterator(chunk_size=2000)))


def _digest(rows: Iterable[Any]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, default=str, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def verify_reviews() -> RecordsVerdict:
    """Return the number of signed-off reviews, and problems with them or with the triggers that
    freeze them.
    """
    problems = altered_reviews()
    if absent := triggers.missing(connection):
        problems.append(
            f"Triggers that freeze reviews are missing or altered: {', '.join(absent)}. Put them back with "
            "manage.py verify_journal --restore-triggers."
        )
    return RecordsVerdict(ReviewCampaign.objects.filter(state=RunState.DONE).count(), problems)


def altered_reviews() -> list[str]:
    """Return a sentence for each review that changed after its acknowledgment or was never acknowledged;
    empty if there is none.
    """
    frozen = ReviewCampaign.objects.filter(state=RunState.DONE)
    done = {campaign.reference: campaign for campaign in frozen}
    sentences = []
    for entry in Entry.objects.filter(kind=ACKNOWLEDGED).order_by("id"):
        campaign = done.pop(entry.subject, None)
        if campaign is None:
            sentences.append(f"Review {entry.subject} was signed off, and is gone or no longer so.")
        elif what := _altered(campaign, entry.data):
            sentences.append(
                f"{what} of review {campaign.reference}, {campaign.name}, changed after its sign-off."
            )
    for campaign in done.values():
        name = f"{campaign.reference}, {campaign.name}"
        sentences.append(f"Review {name}, is signed off, but the journal has no acknowledgement of it.")
    return sentences


def _altered(campaign: ReviewCampaign, recorded: dict[str, Any]) -> str:
    """Return what differs from the journal entry, or "". Older entries don't cover the review itself."""
    if digest_of(campaign) != recorded["sha256"]:
        return "The rows"
    own = recorded.get("own_sha256", "")
    if campaign.digest != recorded["sha256"] or (own and own_digest_of(campaign) != own):
        return "The record"
    return ""
