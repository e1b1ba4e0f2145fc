"""Finds when the grants on a page were last used, by the actions that they allow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from iam.access.grants.grant_statements import documents_of
from iam.access.grants.grant_use import COUNTED, MOST_ENTRIES, holders_in
from iam.access.grants.models import GIVING, Grant, LedgerEntry
from iam.access.last_uses import UNKNOWN, HeldStatements, HeldUse, last_uses

MOST_ON_PAGE: Final = 1_000


def last_uses_of(grants: Iterable[Grant], *, now: datetime) -> dict[UUID, HeldUse]:
    """The last use of each grant that gives permissions now. Ten queries, independent of the number of
    grants.

    Grants without permissions of users or roles are left out.
    """
    giving = [grant.pk for grant in grants if grant.state in GIVING]
    rows = LedgerEntry.objects.filter(
        part__grant__in=giving,
        sort__in=COUNTED,
        since__isnull=False,
        until__isnull=True,
        entity__isnull=False,
    ).select_related("entity__account", "part")
    entries = list(rows.order_by("pk")[: MOST_ON_PAGE + 1]) if giving else []
    by_grant: dict[UUID, list[LedgerEntry]] = {}
    for entry in entries:
        by_grant.setdefault(entry.part.grant_id, []).append(entry)
    if len(entries) > MOST_ON_PAGE:
        return dict.fromkeys(by_grant, UNKNOWN)
    documents = documents_of(entries)
    uses = {}
    holdings = {}
    for grant, own in by_grant.items():
        if len(own) > MOST_ENTRIES:
            uses[grant] = UNKNOWN
        else:
            given_at = min(entry.since for entry in own if entry.since)
            holdings[grant] = HeldStatements(holders_in(own), documents.statements(own), given_at)
    return uses | (last_uses(holdings, now=now) if holdings else {})
