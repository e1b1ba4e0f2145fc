"""Which readings that a list rests on are missing or old, so that the list can say what it does not show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import BigAutoField, Q

from iam.guard import Right, Scope
from iam.mirror.models import Account, Section, SectionState
from iam.mirror.queries.accounts import COLUMNS, accounts_within
from iam.mirror.queries.lists.core import Lens, Listing
from iam.prepared import SCOPES_KEPT, Slot, Statement, instance

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
    statement = _incomplete(listing.sections, None if lens.account else lens.viewer.scope)
    rows = statement.rows(account=lens.account.pk) if lens.account else statement.rows()
    found = []
    for section, state, permission, since, read_at, *values in rows[:SHOWN]:
        account = instance(Account, values)
        may_see = lens.viewer.may(Right.SEE_ACCOUNT, account_id=account.account_id)
        found.append(Gap(account, section, state, permission if may_see else "", since, read_at))
    return found, len(rows) > SHOWN


@lru_cache(maxsize=SCOPES_KEPT)
def _incomplete(sections: tuple[str, ...], scope: Scope | None) -> Statement:
    """The sections within a scope, or (None) of the account of the slot `account`."""
    bad = Section.objects.filter(
        name__in=sections,
        state__in=[SectionState.PARTIAL, SectionState.DENIED, SectionState.FAILED, SectionState.HELD],
    )
    where = (
        Q(account__in=accounts_within(scope).values("pk"))
        if scope is not None
        else Q(account=Slot("account", BigAutoField()))
    )
    columns = ("name", "state", "permission", "bad_since", "observed_at", *(f"account__{c}" for c in COLUMNS))
    return Statement(
        lambda: (
            bad.filter(where).order_by("account__name", "account", "name").values_list(*columns)[: SHOWN + 1]
        )
    )
