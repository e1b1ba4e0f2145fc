"""The list of accounts and the counts of its tabs, with a constant number of queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db.models import (
    BigAutoField,
    Case,
    Count,
    DateTimeField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from iam import keyset
from iam.compiled_queries import SCOPES_KEPT, CompiledQuery
from iam.guard import Viewer, ViewerScope
from iam.mirror.accounts.validation import INTERVALS
from iam.mirror.models import Account, Pull, Section
from iam.mirror.models.accounts import AccountSource, PullState, unknown_at
from iam.mirror.pull.sections import USERS
from iam.mirror.queries.account_facts import NOT_GOOD, facts_in_order, with_newest_pull
from iam.mirror.queries.freshness import FreshnessFacts, patience
from iam.mirror.queries.past_accounts import (
    called_then,
    connected_at,
    needed_attention,
)
from iam.planned_reads import PlannedRead
from iam.prepared_statements import QueryParam
from iam.search_words import matches

PAGE_SIZE = 50
ORDER = keyset.KeysetOrder("sort", "id")
ALL, ATTENTION, REMOVED = "", "attention", "disconnected"


def readable_accounts(viewer: Viewer) -> QuerySet[Account]:
    """Return the connected accounts that the viewer can see whole."""
    return _scoped(viewer).filter(removed_at__isnull=True)


def accounts_by_need(viewer: Viewer, *, account: Account | None = None) -> list[tuple[int, bool]]:
    """Return the ids of the `readable_accounts`, or one of them, each with whether it needs attention: those
    first, then by name. One query.
    """
    return [(pk, bool(needs)) for pk, needs in need_read(viewer, account=account).rows()]


def need_read(viewer: Viewer, *, account: Account | None) -> PlannedRead:
    """Return the read of `accounts_by_need`."""
    by_need = _by_need(viewer.scope, is_one=account is not None)
    wanted = account.pk if account else 0
    return by_need.planned(account=wanted, **_oldest_by_slot())


@lru_cache(maxsize=SCOPES_KEPT)
def _by_need(scope: ViewerScope, *, is_one: bool) -> CompiledQuery:
    accounts = _accounts_in_scope(scope).filter(removed_at__isnull=True)
    if is_one:
        accounts = accounts.filter(pk=QueryParam("account", BigAutoField()))
    annotated = accounts.annotate(needs=Case(When(_needs_attention(_oldest_slot), then=1), default=0))
    by_need = annotated.order_by("-needs", "name", "id")
    return CompiledQuery(lambda: by_need.values_list("pk", "needs"))


def _oldest_by_slot() -> dict[str, datetime]:
    now = datetime.now(tz=UTC)
    return {_slot_name(minutes): now - patience(minutes) for minutes in (None, *INTERVALS)}


def _oldest_slot(minutes: int | None) -> QueryParam:
    return QueryParam(_slot_name(minutes), DateTimeField())


def _slot_name(minutes: int | None) -> str:
    return f"oldest_{minutes or 0}"


def _scoped(viewer: Viewer) -> QuerySet[Account]:
    return _accounts_in_scope(viewer.scope)


def _accounts_in_scope(scope: ViewerScope) -> QuerySet[Account]:
    accounts = Account.objects.all()
    return accounts if scope.accounts is None else accounts.filter(account_id__in=scope.accounts)


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """The filters of the list: words in name, alias, ID or organizational unit, and a state."""

    text: str = ""
    state: str = ALL

    def apply(self, viewer: Viewer, *, at: datetime | None = None) -> QuerySet[Account]:
        """Return the matching accounts, unordered. For a past time, those connected then."""
        accounts = _scoped(viewer).filter(_in_state(self.state, at))
        return accounts.filter(_matching(self.text, at)) if self.text.strip() else accounts


def _in_state(state: str, at: datetime | None) -> Q:
    if at is not None:
        connected = connected_at(at)
        return connected & needed_attention(at) if state == ATTENTION else connected
    if state == REMOVED:
        return Q(removed_at__isnull=False)
    connected = Q(removed_at__isnull=True)
    return connected & needs_attention(datetime.now(tz=UTC)) if state == ATTENTION else connected


def _matching(text: str, at: datetime | None) -> Q:
    words = text.split()
    digits = "".join(words).replace("-", "")
    number = Q(account_id__contains=digits) if digits.isdecimal() else Q(pk__in=[])
    condition = Q()
    for word in words:
        called = called_then(word, at=at) if at else matches(word, "alias", "organization_path")
        condition &= matches(word, "name") | called
    return condition | number


def needs_attention(now: datetime) -> Q:
    """Return the condition for accounts that need attention: a section was denied, on hold or incomplete, the
    account can't be read, or its data is old.
    """
    return _needs_attention(lambda minutes: now - patience(minutes))


def _needs_attention(oldest: Callable[[int | None], Any]) -> Q:
    """Return this condition. `oldest` maps an account's sync interval in minutes (None: the default) to the
    time before which data is old.
    """
    sections = Section.objects.filter(account=OuterRef("pk"))
    bad_sections = sections.filter(state__in=NOT_GOOD)
    old_users = sections.filter(_old(oldest), name=USERS)
    pulls = Pull.objects.filter(account=OuterRef("pk")).order_by("-created_at")
    last_state = Subquery(pulls.values("state")[:1])
    has_failed = Exact(last_state, Value(PullState.FAILED))
    is_connected = ~Q(source=AccountSource.EXPORT)
    return is_connected & (Q(Exists(bad_sections)) | Q(Exists(old_users)) | Q(has_failed))


def _never_synced(at: datetime | None = None) -> Q:
    """Accounts whose users had not been synced by a moment (None: by now)."""
    users = Section.objects.filter(account=OuterRef("pk"), name=USERS)
    return ~Q(Exists(users.exclude(unknown_at(at))))


def _old(oldest: Callable[[int | None], Any]) -> Q:
    old = Q(account__pull_every__isnull=True, observed_at__lt=oldest(None))
    for minutes in INTERVALS:
        old |= Q(account__pull_every=minutes, observed_at__lt=oldest(minutes))
    return old


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A page of accounts, with the places before and after it."""

    rows: list[FreshnessFacts]
    before: keyset.KeysetPlace | None
    after: keyset.KeysetPlace | None


def account_page(
    viewer: Viewer,
    wanted: AccountFilter,
    *,
    at: datetime | None = None,
    after: keyset.KeysetPlace | None = None,
    before: keyset.KeysetPlace | None = None,
    size: int = PAGE_SIZE,
) -> AccountPage:
    """Return a page of accounts by name with the facts for their freshness, now or at a time: three queries,
    or four for a past time.
    """
    accounts = with_newest_pull(wanted.apply(viewer, at=at), at=at).annotate(sort=Lower("name"))
    account_slice = keyset.page(accounts, order=ORDER, size=size, after=after, before=before)
    return AccountPage(
        rows=facts_in_order(account_slice.rows, at=at), before=account_slice.before, after=account_slice.after
    )


@dataclass(frozen=True, slots=True)
class TabCounts:
    """The number of accounts per tab, and of those that were not synced yet. For a past time, also how many
    were connected and disconnected since.
    """

    all: int
    attention: int
    removed: int = 0
    unsynced: int = 0
    come: int = 0
    gone: int = 0


def account_counts(viewer: Viewer, *, text: str = "", at: datetime | None = None) -> TabCounts:
    """Return all counts with one query."""
    if at is None and not text.strip():
        rows = _counts_now(viewer.scope).rows(**_oldest_by_slot())
        return TabCounts(*rows[0]) if rows else TabCounts(all=0, attention=0)
    accounts = _scoped(viewer)
    if text.strip():
        accounts = accounts.filter(_matching(text, at))
    here = Q(removed_at__isnull=True)
    wanted = {"all": _in_state(ALL, at), "attention": _in_state(ATTENTION, at)}
    wanted["unsynced"] = _in_state(ALL, at) & _never_synced(at)
    if at is None:
        wanted["removed"] = ~here
    else:
        wanted |= {"come": here & ~connected_at(at), "gone": connected_at(at) & ~here}
    return TabCounts(
        **accounts.aggregate(**{name: Count("pk", filter=which) for name, which in wanted.items()})
    )


@lru_cache(maxsize=SCOPES_KEPT)
def _counts_now(scope: ViewerScope) -> CompiledQuery:
    """Return the query with one row: all, attention, removed, unsynced."""
    here = Q(removed_at__isnull=True)
    counts = {
        "all": Count("pk", filter=here),
        "attention": Count("pk", filter=here & _needs_attention(_oldest_slot)),
        "removed": Count("pk", filter=~here),
        "unsynced": Count("pk", filter=here & _never_synced()),
    }
    together = _accounts_in_scope(scope).order_by().annotate(group=Value(1)).values("group")
    return CompiledQuery(lambda: together.annotate(**counts).values_list(*counts))
