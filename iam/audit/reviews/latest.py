"""Finds the latest finished review of users and roles. Frameworks use it to prove periodic review."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Max

from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.batches import batches
from iam.people.runs.models import RunState

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class LatestReview:
    """The last finished review of a user or role.

    `reviewers` are the deciders, `outcome` counts the decisions ("keep", "revoke", "reduce"), and `at` is
    when it was acknowledged.
    """

    reference: str
    name: str
    at: datetime
    opened_at: datetime
    reviewers: tuple[str, ...]
    outcome: dict[str, int]
    acknowledged_by: str
    acknowledged_note: str
    digest: str
    subject_kind: str
    campaign: str


def latest_reviews(entities: Collection[int], *, at: datetime | None = None) -> dict[int, LatestReview]:
    """Return the last finished review by primary key, as of `at`. Users and roles that were never reviewed
    are missing. Two queries per 500.
    """
    reviews: dict[int, LatestReview] = {}
    ordered = sorted(set(entities))
    for batch in batches(ordered, BATCH):
        reviews |= _latest(batch, at)
    return reviews


def _latest(entities: Collection[int], at: datetime | None) -> dict[int, LatestReview]:
    finished = ReviewItem.objects.filter(entity__in=entities, campaign__state=RunState.DONE)
    if at is not None:
        finished = finished.filter(campaign__acknowledged_at__lte=at)
    last = finished.order_by().values("entity_id").annotate(at=Max("campaign__acknowledged_at"))
    moments = dict(last.values_list("entity_id", "at"))
    rows = finished.filter(campaign__acknowledged_at__in=set(moments.values()))
    campaigns: dict[int, ReviewCampaign] = {}
    kinds: dict[int, str] = {}
    deciders: dict[int, dict[str, None]] = {}
    outcomes: dict[int, dict[str, int]] = {}
    for row in rows.select_related("campaign").order_by("pk"):
        if row.campaign.acknowledged_at != moments[row.entity_id]:
            continue
        campaigns[row.entity_id], kinds[row.entity_id] = row.campaign, row.subject_kind
        deciders.setdefault(row.entity_id, {})[row.decided_name or "Gatehouse"] = None
        counts = outcomes.setdefault(row.entity_id, {})
        counts[row.decision] = counts.get(row.decision, 0) + 1
    reviews = {}
    for number, campaign in campaigns.items():
        if campaign.acknowledged_at is None or campaign.opened_at is None:
            continue
        reviews[number] = LatestReview(
            reference=campaign.reference,
            name=campaign.name,
            at=campaign.acknowledged_at,
            opened_at=campaign.opened_at,
            reviewers=tuple(deciders[number]),
            outcome=outcomes[number],
            acknowledged_by=campaign.acknowledged_name,
            acknowledged_note=campaign.acknowledged_note,
            digest=campaign.digest,
            subject_kind=kinds[number],
            campaign=str(campaign.pk),
        )
    return reviews
