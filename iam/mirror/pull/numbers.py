"""The numbers of an account that the overview adds up. They are counted at the end of a pull, and stored as a
fact with history.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from iam.guard import Viewer, ViewerScope
from iam.mirror.models import Account, AccountFact, Kind, UserCredentials, valid_at
from iam.mirror.pull.account_facts import load_facts
from iam.mirror.pull.apply import lock_account
from iam.mirror.pull.facts import ObservationTimes
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.counts import count
from iam.mirror.queries.lists.groups import GROUPS
from iam.mirror.queries.lists.people import PEOPLE
from iam.mirror.queries.lists.policies import POLICIES
from iam.mirror.queries.lists.roles import ROLES
from iam.mirror.queries.lists.rows import of_account
from iam.mirror.queries.visibility import visible

NUMBERS = "numbers"
MFA_SORTS: dict[str, tuple[str, ...]] = {
    "strong": ("security-key", "hardware", "several"),
    "app": ("virtual",),
    "unknown": ("unknown",),
    "none": ("none",),
    "unread": ("unread",),
}
EVERYTHING = Viewer(person_id=UUID(int=0), name="", email="", scope=ViewerScope(accounts=None))
"""A viewer of all accounts, so that counts don't depend on who looks."""


RECOUNT = timedelta(hours=1)
"""Recount after this time even without writes, because access keys age and users become inactive."""


def keep_numbers(account: Account, *, at: datetime) -> None:
    """Count, and store the numbers as the current ones. Does nothing while the stored ones are up to date."""
    with transaction.atomic():
        lock_account(account)
        kept = AccountFact.objects.filter(valid_at(None), account=account, name=NUMBERS)
        before = kept.values_list("observed_at", flat=True).first()
        is_unchanged = Account.objects.filter(pk=account.pk, counted_writes=F("writes"))
        if before and at - before < RECOUNT and is_unchanged.exists():
            return
        load_facts(
            account,
            {NUMBERS: numbers_of(account, at=None, now=at)},
            seen=ObservationTimes(at=at, after=before),
        )
        kept.update(observed_at=at)
        Account.objects.filter(pk=account.pk).update(counted_writes=F("writes"))


def numbers_of(account: Account, *, at: datetime | None, now: datetime) -> dict[str, int]:
    """The numbers by name, from one query: `people.…` for each tab, `mfa.…` for each of `MFA_SORTS` (of users
    with a password), `groups`, `roles` and `policies`.
    """
    return count(number_queries(ListContext(viewer=EVERYTHING, at=at, account=account, now=now)))


def number_queries(context: ListContext) -> dict[str, Any]:
    """What is counted, by name, as the viewer of the context sees it."""
    queries: dict[str, Any] = {
        f"people.{name}": lambda tab=tab: tab.counts(context).values("pk")
        for name, tab in PEOPLE.tabs_for(context).items()
    }
    queries |= {
        f"mfa.{name}": lambda sorts=sorts: _with_mfa(context, sorts) for name, sorts in MFA_SORTS.items()
    }
    for listing in (GROUPS, ROLES, POLICIES):
        queries[listing.name] = lambda tab=listing.tabs["all"]: tab.counts(context).values("pk")
    return queries


def _with_mfa(context: ListContext, sorts: tuple[str, ...]) -> QuerySet[Any, Any]:
    rows = UserCredentials.objects.filter(
        valid_at(context.at), of_account(context), has_password=True, mfa__in=sorts
    )
    return visible(rows, context.viewer, entity="user", kinds=(Kind.USER,)).values("pk")
