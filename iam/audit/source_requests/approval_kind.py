"""Requests about CloudTrail sources, as approvers meet them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db.models import QuerySet

from iam.audit.approval_requests.kinds import RequestKind, outcome_of
from iam.audit.source_requests.models import SourceRequest, SourceRequestState
from iam.notify.pages import MessagePage, path_of

DECIDED: Final = (SourceRequestState.APPROVED, SourceRequestState.DECLINED)


def _waiting() -> QuerySet[SourceRequest]:
    rows = SourceRequest.objects.filter(state=SourceRequestState.REQUESTED)
    return rows.order_by("requested_at", "pk")


def _within(rows: QuerySet[SourceRequest], _numbers: Collection[str]) -> QuerySet[SourceRequest]:
    """A bucket can hold the events of any account, so that only those decide who do so in all accounts."""
    return rows.none()


def _title(row: SourceRequest) -> str:
    return f"{row.get_act_display()} CloudTrail source: {row.name}"


SOURCE_REQUEST: Final[RequestKind[SourceRequest]] = RequestKind(
    name="trail-source",
    label="CloudTrail source",
    waiting=_waiting,
    within=_within,
    accounts_of=lambda row: (),
    title=_title,
    reason=lambda row: row.reason,
    path=lambda row: path_of(MessagePage.SOURCE_REQUEST, row.pk),
    asked=lambda row: (row.requested_name, row.requested_at),
    decided=lambda: SourceRequest.objects.filter(state__in=DECIDED),
    outcome=outcome_of,
)
