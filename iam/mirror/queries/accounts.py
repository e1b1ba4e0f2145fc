"""Queries for the accounts that a viewer can see, and their freshness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Subquery, When

from iam.compiled_queries import SCOPES_KEPT, CompiledQuery, columns, instance
from iam.guard import Right, Viewer, ViewerScope
from iam.guard.viewer import ANY_ACCOUNT
from iam.mirror.models import Account, Entity, Kind, Section
from iam.mirror.queries.moments import incomplete_sections, is_incomplete
from iam.planned_reads import PlannedRead
from iam.prepared_statements import QueryParam

SWITCH_LIMIT = 12
NEVER_READ = (None, False)
COLUMNS = columns(Account)


def connected_accounts() -> list[Account]:
    """Return all connected accounts, regardless of viewer, by name."""
    return list(Account.objects.filter(removed_at__isnull=True).order_by("name", "pk"))


def visible_accounts(viewer: Viewer) -> QuerySet[Account]:
    """Return the accounts in which the viewer can see something."""
    return accounts_within(viewer.scope)


def disconnected_accounts(viewer: Viewer) -> QuerySet[Account]:
    """Return the disconnected accounts in which the viewer could see something."""
    return _reached(viewer.scope, Account.objects.filter(removed_at__isnull=False))


def accounts_within(scope: ViewerScope) -> QuerySet[Account]:
    """Return the accounts in which something is visible in this scope."""
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
    """Return the connected account in an IAM user's ARN, if its users were synced and don't include this ARN,
    or None.
    """
    number = user_arn.split(":")[4] if user_arn.count(":") > 4 else ""
    account = Account.objects.filter(account_id=number, removed_at__isnull=True).first()
    users = Entity.objects.filter(account=account, kind=Kind.USER, gone_at__isnull=True)
    if account is None or not users.exists() or users.filter(arn=user_arn).exists():
        return None
    return account


def gatehouse_role_arns() -> frozenset[str]:
    """Return the roles with which Gatehouse reads and changes the connected accounts, with one query."""
    roles = Account.objects.filter(removed_at__isnull=True).values_list("role_arn", "write_role_arn")
    return frozenset(filter(None, chain.from_iterable(roles)))


def accounts_to_change(viewer: Viewer) -> QuerySet[Account]:
    """Return the accounts in which the viewer can request changes and Gatehouse can write."""
    numbers = {number for right, number in viewer.grants if right is Right.REQUEST_CHANGE}
    may_write = ~Q(write_role_arn="") | Q(source="environment")
    accounts = accounts_within(viewer.asks).filter(may_write).exclude(source="export").order_by("name", "id")
    return accounts if ANY_ACCOUNT in numbers else accounts.filter(account_id__in=numbers)


def whole_accounts(viewer: Viewer) -> QuerySet[Account]:
    """Return those of these accounts that the viewer can see whole, in which they can grant access to
    outsiders.
    """
    scope = viewer.asks
    accounts = accounts_to_change(viewer)
    return accounts if scope.accounts is None else accounts.filter(account_id__in=scope.accounts)


@dataclass(frozen=True, slots=True)
class AccountFrame:
    """The accounts in the frame of a page: the chosen one, a few to switch to, the oldest observation, and
    whether a section could not be synced recently.
    """

    chosen: Account | None
    accounts: list[Account]
    more: bool
    oldest: datetime | None
    is_incomplete: bool = False

    @property
    def links(self) -> tuple[tuple[str, str, str], ...]:
        """ID, name and formatted ID of each account to switch to."""
        return tuple((a.account_id, a.name, a.display_id) for a in self.accounts)

    @property
    def current(self) -> tuple[str, ...]:
        """ID, name and formatted ID of the chosen account, or an empty tuple for all accounts."""
        return (self.chosen.account_id, self.chosen.name, self.chosen.display_id) if self.chosen else ()


def frame(viewer: Viewer, *, account_id: str) -> AccountFrame:
    """Return the frame with one query. The chosen account comes first, so that it is always included."""
    rows = frame_read(viewer, account_id=account_id).rows()
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


def frame_read(viewer: Viewer, *, account_id: str) -> PlannedRead:
    """Return the read of `frame`."""
    return _accounts_of_frame(viewer.scope).planned(chosen=account_id)


@lru_cache(maxsize=SCOPES_KEPT)
def _accounts_of_frame(scope: ViewerScope) -> CompiledQuery:
    """Return the query for the frame: for all accounts, the oldest sync of users and whether one is
    incomplete; the same for each account, with its columns. The account in the parameter `chosen` comes
    first.
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
