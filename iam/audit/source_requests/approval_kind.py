"""CloudTrail source requests as a kind of audit request."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db.models import QuerySet

from iam.audit.approval_requests.kinds import RequestKind, decided_rows, waiting_rows
from iam.audit.source_requests.models import SourceRequest
from iam.notify.pages import MessagePage, path_of


def _within(rows: QuerySet[SourceRequest], _numbers: Collection[str]) -> QuerySet[SourceRequest]:
    """Return no rows. A bucket can contain events of any account, so only people who decide in all accounts
    can decide.
    """
    return rows.none()


def _title(row: SourceRequest) -> str:
    return f"{row.get_act_display()} CloudTrail source: {row.name}"


SOURCE_REQUEST: Final[RequestKind[SourceRequest]] = RequestKind(
    name="trail-source",
    label="CloudTrail source",
    waiting=waiting_rows(SourceRequest),
    within=_within,
    accounts_of=lambda row: (),
    title=_title,
    path=lambda row: path_of(MessagePage.SOURCE_REQUEST, row.pk),
    decided=decided_rows(SourceRequest),
)
