"""Finds the reviews and rows that a viewer sees: all rows if they see all its accounts, otherwise only those
they review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db.models import BigAutoField, CharField, Count, Exists, OuterRef, Q, QuerySet, UUIDField

from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.terms import ReviewTerms
from iam.compiled_queries import CompiledQuery
from iam.guard import Viewer
from iam.keyset import KeysetOrder, KeysetPlace, ParamPlace, RowPage, trim, window
from iam.people.runs.models import RunState
from iam.prepared_statements import QueryParam
from iam.search_words import matches

BY_SUBJECT: Final = KeysetOrder("subject", "id")
PAGE_SIZE: Final = 25
MAX_PRINTED: Final = 1000
"""The maximum number of rows on a printed page; an evidence pack has all."""
SHOWN: Final = (
    *(
        field.name
        for field in ReviewItem._meta.concrete_fields
        if field.name not in ("person", "target_entity")
    ),
    *(f"access__{name}" for name in ("lines", "more", "warning", "unread")),
    *("account__account_id", "account__name", "entity__kind", "entity__arn", "trial"),
)
"""The columns that a page shows. Rows have many more, and there are 25 per page."""
LIST_SIZE: Final = 200
FORMS_KEPT: Final = 64
"""The number of filter sets with cached statements."""
MAX_WAITING: Final = 1000
OPEN: Final = (RunState.DRAFT, RunState.SUBMITTING, RunState.RUNNING, RunState.WAITING)


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A filter on rows: `tab` is open, decided, trial or "" for all; `is_mine` selects the viewer's rows."""

    tab: str = "open"
    is_mine: bool = False
    text: str = ""
    kind: str = ""
    use: str = ""


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    """The number of rows and of decided rows; with `is_own`, those of one reviewer."""

    total: int = 0
    decided: int = 0
    is_own: bool = False

    @property
    def left(self) -> int:
        """The number of undecided rows."""
        return self.total - self.decided


def sees_whole(viewer: Viewer, campaign: ReviewCampaign) -> bool:
    """True if they see all of a review."""
    numbers = ReviewTerms.from_json(campaign.terms).accounts
    if not numbers:
        return viewer.sees_accounts and viewer.scope.sees_everything
    return viewer.sees_accounts and all(viewer.scope.sees_account(number) for number in numbers)


def visible_campaigns(viewer: Viewer, *, is_ended: bool) -> list[ReviewCampaign]:
    """Return the newest reviews that the viewer sees whole or reviews in, at most LIST_SIZE before filtering.
    Of drafts, only their own.
    """
    mine = ReviewItem.objects.filter(campaign=OuterRef("pk"), reviewer_id=viewer.person_id)
    rows = ReviewCampaign.objects.filter(~Q(state=RunState.DRAFT) | Q(requested_by=viewer.person_id))
    rows = rows.filter(state__in=OPEN) if not is_ended else rows.exclude(state__in=OPEN)
    rows = rows.annotate(is_reviewer=Exists(mine)).order_by("-created_at", "-id")
    campaigns = rows[:LIST_SIZE]
    return [each for each in campaigns if each.is_reviewer or sees_whole(viewer, each)]


def find_campaign(viewer: Viewer, pk: UUID) -> ReviewCampaign | None:
    """Return the review if the viewer sees it, otherwise None."""
    campaign: ReviewCampaign | None = next(iter(_CAMPAIGN.objects(pk=pk)), None)
    if campaign is None or (campaign.state == RunState.DRAFT and campaign.requested_by != viewer.person_id):
        return None
    if sees_whole(viewer, campaign):
        return campaign
    mine = ReviewItem.objects.filter(campaign=campaign, reviewer_id=viewer.person_id)
    return campaign if mine.exists() else None


_CAMPAIGN: Final = CompiledQuery(lambda: ReviewCampaign.objects.filter(pk=QueryParam("pk", UUIDField())))


def visible_rows(viewer: Viewer, campaign: ReviewCampaign) -> QuerySet[ReviewItem]:
    """Return the rows that the viewer sees."""
    rows = ReviewItem.objects.filter(campaign=campaign)
    return rows if sees_whole(viewer, campaign) else rows.filter(reviewer_id=viewer.person_id)


def rows_page(
    viewer: Viewer,
    campaign: ReviewCampaign,
    wanted: RowFilter,
    *,
    after: KeysetPlace | None = None,
    size: int = PAGE_SIZE,
) -> RowPage[ReviewItem]:
    """A page of rows by subject. One query, compiled once per set of filters."""
    form = replace(wanted, kind=wanted.kind and "?", use=wanted.use and "?")
    values: dict[str, Any] = {"campaign": campaign.pk, "viewer": viewer.person_id}
    values |= {"kind": wanted.kind, "use": wanted.use}
    if after:
        values |= {"subject": after.value, "pk": after.pk}
    compiled = _rows_page if not wanted.text else _rows_page.__wrapped__
    query = compiled(form, is_whole=sees_whole(viewer, campaign), is_first=after is None, size=size)
    return trim(query.objects(**values), order=BY_SUBJECT, size=size, after=after, before=None)


@lru_cache(maxsize=FORMS_KEPT)
def _rows_page(form: RowFilter, *, is_whole: bool, is_first: bool, size: int) -> CompiledQuery:
    viewer = QueryParam("viewer", UUIDField())
    rows = ReviewItem.objects.filter(campaign=QueryParam("campaign", UUIDField()))
    if not is_whole:
        rows = rows.filter(reviewer_id=viewer)
    rows = _filtered(rows, form, viewer, QueryParam("kind", CharField()), QueryParam("use", CharField()))
    shown = rows.select_related("access", "account", "entity", "trial").only(*SHOWN)
    place = (
        None if is_first else ParamPlace(QueryParam("subject", CharField()), QueryParam("pk", BigAutoField()))
    )
    return CompiledQuery(lambda: window(shown, order=BY_SUBJECT, size=size, after=place))


def filtered(rows: QuerySet[ReviewItem], viewer: Viewer, wanted: RowFilter) -> QuerySet[ReviewItem]:
    """The matching rows."""
    return _filtered(rows, wanted, viewer.person_id, wanted.kind, wanted.use)


def _filtered(
    rows: QuerySet[ReviewItem],
    wanted: RowFilter,
    viewer: UUID | QueryParam,
    kind: str | QueryParam,
    use: str | QueryParam,
) -> QuerySet[ReviewItem]:
    """The matching rows; values can be supplied when the query runs."""
    if wanted.tab == "open":
        rows = rows.filter(decision="")
    if wanted.tab == "decided":
        rows = rows.exclude(decision="")
    if wanted.tab == "trial":
        rows = rows.filter(trial__isnull=False)
    if wanted.is_mine:
        rows = rows.filter(reviewer_id=viewer)
    if wanted.kind:
        rows = rows.filter(subject_kind=kind)
    if wanted.use:
        rows = rows.filter(use=use)
    if wanted.text:
        rows = rows.filter(matches(wanted.text, "subject", "target_name", "person_name"))
    return rows


def progress_of(campaign: ReviewCampaign) -> ReviewProgress:
    """The progress of a review. No query."""
    return ReviewProgress(campaign.facts.get("rows", 0), campaign.decided)


def progress_for(viewer: Viewer, campaigns: Sequence[ReviewCampaign]) -> dict[UUID, ReviewProgress]:
    """Return the progress of reviews as a person sees it: of their own rows in reviews that they don't see
    whole.

    At most one query.
    """
    progress = {}
    own = []
    for campaign in campaigns:
        progress[campaign.pk] = progress_of(campaign)
        if not sees_whole(viewer, campaign):
            own.append(campaign.pk)
    if own:
        rows = ReviewItem.objects.filter(campaign__in=own, reviewer_id=viewer.person_id).order_by()
        counted = rows.values("campaign").annotate(total=Count("pk"), left=Count("pk", filter=Q(decision="")))
        for pk, total, left in counted.values_list("campaign", "total", "left"):
            progress[pk] = ReviewProgress(total, total - left, is_own=True)
    return progress


def waiting_for(viewer: Viewer) -> int:
    """Return the number of rows that wait for the viewer's decision, counted up to MAX_WAITING + 1."""
    running = ReviewCampaign.objects.filter(state=RunState.RUNNING).values("pk")
    rows = ReviewItem.objects.filter(reviewer_id=viewer.person_id, decision="", campaign__in=running)
    return rows[: MAX_WAITING + 1].count()
