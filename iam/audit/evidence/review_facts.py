"""Collects a review campaign with its sign-off and every decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from django.db.models import QuerySet

from iam.audit.evidence.tables import PackColumn, PackTable, Row
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.queries import sees_whole
from iam.guard import Viewer
from iam.mirror.models import Account

CHUNK: Final = 1_000
KEYS: Final = (
    "account",
    "subject",
    "kind",
    "person",
    "access",
    "allows",
    "since",
    "use",
    "last_used_at",
    "reviewer",
    "decision",
    "reason",
    "decided_by",
    "decided_at",
)
COLUMNS: Final = (
    PackColumn("subject", "Who", 1.5, "bold"),
    PackColumn("access", "Access", 1.5),
    PackColumn("allows", "What it allows", 3),
    PackColumn("use", "Use", 1),
    PackColumn("reviewer", "Reviewer", 1.1),
    PackColumn("decision", "Decision", 1),
    PackColumn("decided", "Decided", 1.8),
)


def find_campaign(reference: str, viewer: Viewer) -> ReviewCampaign | None:
    """The campaign with a reference such as REV-1A2B3C4D, if the viewer sees all of it."""
    digits = reference.strip().upper().removeprefix("REV-").lower()
    if len(digits) < 8 or not set(digits) <= set("0123456789abcdef"):
        return None
    for campaign in ReviewCampaign.objects.order_by("-created_at"):
        if campaign.pk.hex.startswith(digits):
            return campaign if sees_whole(viewer, campaign) else None
    return None


def review_tables(campaign: ReviewCampaign, accounts: QuerySet[Account]) -> Sequence[PackTable]:
    """The rows of a campaign; the sign-off is among the facts."""
    return [
        PackTable(
            name="reviews",
            title=f"Access review: {campaign.name}",
            note=_note(campaign),
            keys=KEYS,
            columns=COLUMNS,
            rows=lambda: _rows(campaign, accounts),
            facts={
                "campaign": campaign.reference,
                "state": campaign.get_state_display(),
                "terms": campaign.terms,
                "opened_at": campaign.opened_at,
                "due_at": campaign.due_at,
                "signed_by": campaign.signed_name,
                "signed_at": campaign.signed_at,
                "signed_note": campaign.signed_note,
                "acknowledged_by": campaign.acknowledged_name,
                "acknowledged_at": campaign.acknowledged_at,
                "acknowledged_note": campaign.acknowledged_note,
                "digest": campaign.digest,
            },
        )
    ]


def _note(campaign: ReviewCampaign) -> str:
    if campaign.acknowledged_at is None:
        return "The campaign isn’t signed off yet: decisions can still change."
    return (
        f"Signed off by {campaign.signed_name}, acknowledged by {campaign.acknowledged_name}. "
        f"SHA-256 of the frozen rows: {campaign.digest}."
    )


def _rows(campaign: ReviewCampaign, accounts: QuerySet[Account]) -> Iterator[Row]:
    rows = ReviewItem.objects.filter(campaign=campaign, account__in=accounts)
    rows = rows.select_related("account", "access").order_by("subject", "pk")
    for row in rows.iterator(chunk_size=CHUNK):
        yield _row(row)


def _row(row: ReviewItem) -> Row:
    decided = [row.decided_name, row.decided_at, row.decision_reason] if row.decided_at else []
    return {
        "account": row.account.account_id,
        "subject": row.subject,
        "kind": row.get_subject_kind_display(),
        "person": row.person_name,
        "is_administrator": row.is_administrator,
        "access": f"{row.get_sort_display()}: {row.target_name}",
        "target": row.target,
        "allows": row.access.lines,
        "since": row.since,
        "use": row.get_use_display(),
        "last_used_at": row.last_used_at,
        "why": row.why,
        "separation_of_duties": row.sod,
        "reviewer": row.reviewer_name,
        "decision": row.get_decision_display(),
        "reason": row.decision_reason,
        "decided_by": row.decided_name,
        "decided_at": row.decided_at,
        "decided": [part for part in decided if part],
    }
