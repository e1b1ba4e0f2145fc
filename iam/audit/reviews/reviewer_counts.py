"""Counts the rows and undecided rows of each reviewer in a review.

Counting sixty thousand rows takes longer than the rest of the page, so counts are cached for a minute. People
who decide or assign still see their own changes at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Q

from iam.audit.reviews.models import ReviewCampaign

KEPT_SECONDS: Final = 60
NOBODY: Final = "No reviewer"


class ReviewerCount(NamedTuple):
    """A reviewer with the number of their rows and undecided rows."""

    name: str
    rows: int
    left: int


def reviewer_counts(campaign: ReviewCampaign) -> list[ReviewerCount]:
    """Return the counts by name. Other people's changes are missing for up to a minute."""
    kept = _kept(campaign.pk)
    if kept is not None:
        return kept[0]
    counts = _counted(campaign)
    _keep(campaign.pk, counts, until=time.time() + KEPT_SECONDS)
    return counts


def note_decisions(campaign: ReviewCampaign, decided: Mapping[str, int]) -> None:
    """Apply decisions to the cached counts. `decided` is the change in the number of decided rows, by
    reviewer.
    """
    transaction.on_commit(lambda: _note(campaign.pk, decided))


def forget_counts(campaign: ReviewCampaign) -> None:
    """Clear the cached counts when the transaction commits."""
    transaction.on_commit(lambda: cache.delete(_key(campaign.pk)))


def _note(pk: UUID, decided: Mapping[str, int]) -> None:
    kept = _kept(pk)
    if kept is None:
        return
    counts = [each._replace(left=each.left - decided.get(each.name, 0)) for each in kept[0]]
    # Keep the expiry. Otherwise someone who decides continually would never see other people's changes.
    _keep(pk, counts, until=kept[1])


def _kept(pk: UUID) -> tuple[list[ReviewerCount], float] | None:
    """The cached counts, and their expiry in seconds since 1970."""
    kept = cache.get(_key(pk))
    return None if kept is None else ([ReviewerCount(*each) for each in kept["counts"]], kept["until"])


def _keep(pk: UUID, counts: list[ReviewerCount], *, until: float) -> None:
    remaining = until - time.time()
    if remaining > 0:
        cache.set(_key(pk), {"counts": counts, "until": until}, remaining)


def _counted(campaign: ReviewCampaign) -> list[ReviewerCount]:
    rows = campaign.rows.order_by().values_list("reviewer_name")
    counted = rows.annotate(total=Count("pk"), left=Count("pk", filter=Q(decision="")))
    return sorted(ReviewerCount(name or NOBODY, total, left) for name, total, left in counted)


def _key(pk: UUID) -> str:
    return f"review-reviewer-counts:{pk}"
