"""The queries of the overview that depend only on the viewer and the account, to be sent at once."""

from __future__ import annotations

from collections.abc import Iterator

from console.dashboard.attention import matters_reads
from console.dashboard.evidence import evidence_reads
from console.dashboard.waiting_counts import waiting_read
from iam.audit.findings.queries import state_read, worst_read
from iam.guard import Right
from iam.mirror.queries.account_lists import need_read
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.freshness import unsynced_read
from iam.mirror.queries.moments import moments_read
from iam.mirror.queries.overview import news_read
from iam.mirror.queries.result_cache import writes_read
from iam.planned_reads import PlannedRead


def overview_reads(context: ListContext) -> Iterator[PlannedRead]:
    """Yield the reads of the overview for now; at a past time, it reads less and one by one."""
    if context.at is not None:
        return
    viewer, account = context.viewer, context.account
    if account is None:
        yield writes_read()
    yield news_read(context)
    yield moments_read(account, at=None)
    yield waiting_read(viewer, account=account)
    if viewer.may(Right.SEE_ACCOUNT):
        yield need_read(viewer, account=account)
    yield from evidence_reads(viewer)
    yield state_read()
    yield worst_read(viewer, account)
    yield unsynced_read(context)
    yield from matters_reads(viewer, account=account)
