"""The numbers of an account that the overview adds up: counted when a pull ends, and kept as a fact in
time.
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
"""Counts what there is, anyone who asks."""


RECOUNT = timedelta(hours=1)
"""Access keys get old and users become inactive without anything being written."""


def keep_numbers(account: Account, *, at: datetime) -> None:
    """Count, and make the numbers the current ones; nothing is done while the kept ones are up to date."""
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
    """Numbers by name, from one query: `people.…` for each tab, `mfa.…` for each of `MFA_SORTS` (of users
    with a password), `groups`, `roles` and `policies`.
    """
    return count(number_queries(ListContext(viewer=EVERYTHING, at=at, account=account, now=now)))


def number_queries(context: ListContext) -> dict[str, Any]:
    """What is counted, by name, through the eyes of the context."""
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
