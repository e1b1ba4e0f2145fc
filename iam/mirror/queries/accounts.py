"""Accounts as a viewer sees them, and how fresh they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, OuterRef, QuerySet, Subquery, When

from iam.guard import Viewer
from iam.mirror.models import Account, Section

SWITCH_LIMIT = 12


def visible_accounts(viewer: Viewer) -> QuerySet[Account]:
    """The accounts in which the viewer may see anything at all."""
    accounts = Account.objects.filter(removed_at__isnull=True)
    scope = viewer.scope
    if scope.accounts is None:
        return accounts
    numbers = set(scope.accounts) | {arn.split(":")[4] for arn in scope.user_arns}
    teams = {account for account, _ in scope.groups | scope.paths}
    if "" in teams:
        return accounts
    return accounts.filter(account_id__in=numbers | teams)


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame of a page shows of accounts: the chosen one, a few to switch to, and the oldest observation."""

    chosen: Account | None
    accounts: list[Account]
    more: bool
    oldest: datetime | None


def frame(viewer: Viewer, *, account_id: str) -> Frame:
    """One query, whatever the number of accounts: the chosen one comes first and so is always among those read."""
    users = Section.objects.filter(account=OuterRef("pk"), name="users", observed_at__isnull=False)
    is_chosen = Case(When(account_id=account_id, then=0), default=1)
    rows = (
        visible_accounts(viewer)
        .annotate(users_read_at=Subquery(users.values("observed_at")[:1]))
        .order_by(is_chosen, "name", "id")
    )
    found = list(rows[: SWITCH_LIMIT + 1])
    chosen = found[0] if found and found[0].account_id == account_id else None
    shown = [chosen] if chosen else found
    read = [a.users_read_at for a in shown if a.users_read_at]
    return Frame(
        chosen=chosen,
        accounts=sorted(found[:SWITCH_LIMIT], key=lambda a: (a.name, a.pk)),
        more=len(found) > SWITCH_LIMIT,
        oldest=min(read, default=None),
    )
