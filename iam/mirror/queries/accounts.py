"""Accounts as a viewer sees them, and how fresh they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Subquery, When

from iam.compiled_queries import SCOPES_KEPT, CompiledQuery, QueryParam, columns, instance
from iam.guard import Right, Viewer, ViewerScope
from iam.guard.viewer import ANY_ACCOUNT
from iam.mirror.models import Account, Entity, Kind, Section
from iam.mirror.queries.moments import incomplete_sections, is_incomplete

SWITCH_LIMIT = 12
NEVER_READ = (None, False)
COLUMNS = columns(Account)


def connected_accounts() -> list[Account]:
    """All that are connected, for any viewer, by name."""
    return list(Account.objects.filter(removed_at__isnull=True).order_by("name", "pk"))


def visible_accounts(viewer: Viewer) -> QuerySet[Account]:
    """The accounts in which the viewer may see anything at all."""
    return accounts_within(viewer.scope)


def disconnected_accounts(viewer: Viewer) -> QuerySet[Account]:
    """The accounts that were disconnected, of those in which the viewer saw anything at all."""
    return _reached(viewer.scope, Account.objects.filter(removed_at__isnull=False))


def accounts_within(scope: ViewerScope) -> QuerySet[Account]:
    """The accounts in which who has this scope may see anything at all."""
    return _reached(scope, Account.objects.filter(removed_at__isnull=True))


def _reached(scope: ViewerScope, accounts: QuerySet[Account]) -> QuerySet[Account]:
    if scope.accounts is None:
        return accounts
    numbers = set(scope.accounts) | {arn.split(":")[4] for arn in scope.user_arns}
    teams = {account for account, _ in scope.groups | scope.paths | scope.owned}
    if "" in teams:
        return accounts
    return accounts.filter(account_id__in=numbers | teams)


def account_without(user_arn: str) -> Account | None:
    """The connected account of an ARN of an IAM user, if its users were synced and there is none of this ARN
    among them.
    """
    number = user_arn.split(":")[4] if user_arn.count(":") > 4 else ""
    account = Account.objects.filter(account_id=number, removed_at__isnull=True).first()
    users = Entity.objects.filter(account=account, kind=Kind.USER, gone_at__isnull=True)
    if account is None or not users.exists() or users.filter(arn=user_arn).exists():
        return None
    return account


def gatehouse_role_arns() -> frozenset[str]:
    """The roles by which Gatehouse itself reads and changes the connected accounts: one query."""
    roles = Account.objects.filter(removed_at__isnull=True).values_list("role_arn", "write_role_arn")
    return frozenset(filter(None, chain.from_iterable(roles)))


def accounts_to_change(viewer: Viewer) -> QuerySet[Account]:
    """The accounts in which the viewer may ask, and Gatehouse may write."""
    numbers = {number for right, number in viewer.grants if right is Right.REQUEST_CHANGE}
    may_write = ~Q(write_role_arn="") | Q(source="environment")
    accounts = accounts_within(viewer.asks).filter(may_write).exclude(source="export").order_by("name", "id")
    return accounts if ANY_ACCOUNT in numbers else accounts.filter(account_id__in=numbers)


def whole_accounts(viewer: Viewer) -> QuerySet[Account]:
    """Those of them that the viewer sees whole, so that outsiders may be let in there."""
    scope = viewer.asks
    accounts = accounts_to_change(viewer)
    return accounts if scope.accounts is None else accounts.filter(account_id__in=scope.accounts)


@dataclass(frozen=True, slots=True)
class AccountFrame:
    """What the frame of a page shows of accounts: the chosen one, a few to switch to, the oldest observation,
    and whether a part of one of them could not be synced lately.
    """

    chosen: Account | None
    accounts: list[Account]
    more: bool
    oldest: datetime | None
    is_incomplete: bool = False

    @property
    def links(self) -> tuple[tuple[str, str, str], ...]:
        """Number, name and printed number of each account to switch to."""
        return tuple((a.account_id, a.name, a.display_id) for a in self.accounts)

    @property
    def current(self) -> tuple[str, ...]:
        """The same of the chosen one; () for all accounts."""
        return (self.chosen.account_id, self.chosen.name, self.chosen.display_id) if self.chosen else ()


def frame(viewer: Viewer, *, account_id: str) -> AccountFrame:
    """One query, whatever the number of accounts: the chosen one comes first and so is always among those
    read.
    """
    rows = _accounts_of_frame(viewer.scope).rows(chosen=account_id)
    accounts = [instance(Account, values) for _, _, _, _, *values in rows]
    chosen = accounts[0] if accounts and accounts[0].account_id == account_id else None
    of_all, of_first = (rows[0][:2], rows[0][2:4]) if rows else (NEVER_READ, NEVER_READ)
    read_at, is_incomplete_now = of_first if chosen else of_all
    return AccountFrame(
        chosen=chosen,
        accounts=sorted(accounts[:SWITCH_LIMIT], key=lambda a: (a.name, a.pk)),
        more=len(accounts) > SWITCH_LIMIT,
        oldest=read_at,
        is_incomplete=bool(is_incomplete_now),
    )


@lru_cache(maxsize=SCOPES_KEPT)
def _accounts_of_frame(scope: ViewerScope) -> CompiledQuery:
    """Of all accounts when the users of the one that is longest ago were read, and whether one is incomplete;
    the same of each account, and its columns. The one of the parameter `chosen` comes first.
    """
    within = accounts_within(scope)
    users = Section.objects.filter(name="users", observed_at__isnull=False)
    oldest = users.filter(account__in=within.values("pk")).order_by("observed_at").values("observed_at")
    incomplete = incomplete_sections().filter(account__in=within.values("pk"))
    of_account = users.filter(account=OuterRef("pk")).values("observed_at")
    is_chosen = Case(When(account_id=QueryParam("chosen", CharField()), then=0), default=1)
    return CompiledQuery(
        lambda: within.order_by(is_chosen, "name", "id").values_list(
            Subquery(oldest[:1]),
            Exists(incomplete),
            Subquery(of_account[:1]),
            is_incomplete("pk"),
            *COLUMNS,
        )[: SWITCH_LIMIT + 1]
    )
