"""Which readings that a list rests on are missing or old, so that the list can say what it does not show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from iam.guard import Right
from iam.mirror.models import Account, Section, SectionState
from iam.mirror.queries.accounts import visible_accounts
from iam.mirror.queries.lists.core import Lens, Listing

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """A section of an account that the last reading did not complete; `permission` is the action that AWS denied."""

    account: Account
    section: str
    state: str
    permission: str
    since: datetime | None
    read_at: datetime | None


def gaps(listing: Listing, lens: Lens) -> tuple[list[Gap], bool]:
    """At most a few sections that are not complete today, the most serious first, and whether there are more: one query."""
    bad = Section.objects.filter(
        name__in=listing.sections,
        state__in=[SectionState.PARTIAL, SectionState.DENIED, SectionState.FAILED, SectionState.HELD],
    )
    where = (
        Q(account=lens.account) if lens.account else Q(account__in=visible_accounts(lens.viewer).values("pk"))
    )
    rows = list(
        bad.filter(where).select_related("account").order_by("account__name", "account", "name")[: SHOWN + 1]
    )
    found = [
        Gap(
            account=row.account,
            section=row.name,
            state=row.state,
            permission=row.permission
            if lens.viewer.may(Right.SEE_ACCOUNT, account_id=row.account.account_id)
            else "",
            since=row.bad_since,
            read_at=row.observed_at,
        )
        for row in rows
    ]
    return found[:SHOWN], len(rows) > SHOWN
