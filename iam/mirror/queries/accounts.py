"""Accounts as a viewer sees them, and how fresh they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, Q, QuerySet

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
    """Two queries, whatever the number of accounts."""
    accounts = list(visible_accounts(viewer).order_by("name", "id")[: SWITCH_LIMIT + 1])
    chosen = next((a for a in accounts if a.account_id == account_id), None)
    if account_id and not chosen:
        chosen = visible_accounts(viewer).filter(account_id=account_id).first()
    shown = Q(account=chosen) if chosen else Q(account__in=accounts)
    oldest = Section.objects.filter(shown, observed_at__isnull=False, name="users").aggregate(
        o=Min("observed_at")
    )["o"]
    return Frame(
        chosen=chosen, accounts=accounts[:SWITCH_LIMIT], more=len(accounts) > SWITCH_LIMIT, oldest=oldest
    )
