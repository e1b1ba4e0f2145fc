"""The figures that several pages share, so that overview, lists, tabs and accounts agree.

A figure is counted at the end of a sync and stored. Later writes to the mirror, for example by a change, make
an account's stored figures outdated; then they are counted again when a page needs them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import BigAutoField, Count, F, FilteredRelation, Q, QuerySet

from iam.compiled_queries import SCOPES_KEPT, CompiledQuery, instance
from iam.guard import ViewerScope
from iam.mirror.models import Account, AccountFact, EntityState, Kind, PolicyVersion, valid_at
from iam.mirror.pull.numbers import EVERYTHING, NUMBERS, RECOUNT, number_queries
from iam.mirror.pull.sections import (
    GROUPS,
    INSTANCE_PROFILES,
    KINDS,
    MFA_DEVICES,
    ORGANIZATION,
    POLICIES,
    ROLES,
    SERVER_CERTIFICATES,
    USER_MFA,
    USERS,
)
from iam.mirror.queries.accounts import COLUMNS, accounts_within
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import ListDefinition, ListQuery
from iam.mirror.queries.lists.counts import kept_counts, scope_key, tab_counts
from iam.mirror.queries.lists.people import PEOPLE
from iam.mirror.queries.result_cache import KeptResults, State, state_of
from iam.prepared_statements import QueryParam

NOW_ONLY = frozenset(f"{PEOPLE.name}.{name}" for name, tab in PEOPLE.tabs.items() if not tab.is_past)
QUOTA_SECTIONS = {
    "Users": USERS,
    "Groups": GROUPS,
    "Roles": ROLES,
    "InstanceProfiles": INSTANCE_PROFILES,
    "ServerCertificates": SERVER_CERTIFICATES,
}
"""AWS's names of quota usage, with the section of each."""
CUSTOMER_POLICIES = "customer_policies"
_identities = KeptResults[dict[int, int]]()
_numbers = KeptResults["FigureTotals"]()
LIVE = 8
"""Maximum number of accounts to count for one page. The others show the figures of their last sync."""


def forget() -> None:
    """Clear the caches."""
    _identities.forget()
    _numbers.forget()


@dataclass(frozen=True, slots=True)
class FigureTotals:
    """Figures by name (see iam.mirror.pull.numbers). `uncounted` is the number of accounts that are not
    included.
    """

    values: dict[str, int]
    uncounted: int = 0

    def of(self, start: str) -> dict[str, int]:
        """Return the figures with a prefix: `people` by tab, `mfa` by type."""
        return {
            name.removeprefix(f"{start}."): number
            for name, number in self.values.items()
            if name.startswith(f"{start}.")
        }


def figures(context: ListContext, *, written: State | None = None) -> FigureTotals:
    """Return the figures of the overview and of the lists' tabs. They are cached while nothing is written,
    for at most a minute. `written` is the `generation` if the caller has it.
    """
    written = written or generation(context)
    scope = scope_key(context)
    if context.at is None and _sees_whole(context):
        # Keys become old and users inactive without any write.
        minute = context.now.replace(second=0, microsecond=0)
        return _numbers.get_or_make(
            (scope, written, minute), lambda: _sum(_kept_by_account(context), now=context.now)
        )
    values = kept_counts(number_queries(context), about=f"figures {scope} {written}")
    if _sees_whole(context):
        values = values | _kept_then(context)
    return FigureTotals(values)


def _kept_then(context: ListContext) -> dict[str, int]:
    """Return the stored figures about last use at a past time, because usage has no history."""
    facts = AccountFact.objects.filter(valid_at(context.at), name=NUMBERS, account__removed_at__isnull=True)
    if context.account:
        facts = facts.filter(account=context.account)
    total: Counter[str] = Counter()
    for value in facts.values_list("value", flat=True):
        for name, number in (value or {}).items():
            if name in NOW_ONLY:
                total[name] += number
    return dict(total)


def list_counts(listing: ListDefinition, context: ListContext, wanted: ListQuery) -> dict[str, int]:
    """Return the count of each tab of a list, and under "" that of the filtered rows.

    The tabs of IAM users depend on the age of keys and sign-ins, so they use the overview's count.
    """
    if listing is not PEOPLE or context.at is not None or not _sees_whole(context):
        return tab_counts(listing, context, wanted, generation=generation(context))
    accounts = _kept_by_account(context)
    totals = _sum(accounts, now=context.now)
    known = {} if totals.uncounted else totals.of(listing.name)
    writes = sum(cached.writes for cached in accounts)
    return tab_counts(listing, context, wanted, generation=writes, known=known)


def generation(context: ListContext) -> State:
    """Return a value that changes with each write to the mirror of the shown accounts."""
    numbers = [context.account.account_id] if context.account else None
    return state_of(numbers)


def _sees_whole(context: ListContext) -> bool:
    """Return True if the context shows whole accounts, so that the sum over accounts equals the count of the
    list.
    """
    scope = context.viewer.scope
    if scope.accounts is None:
        return True
    return context.account is not None and context.account.account_id in scope.accounts


@dataclass(frozen=True, slots=True)
class CachedFigures:
    """The stored figures of an account (None: none yet), and whether they are current."""

    account: Account
    values: dict[str, int] | None
    writes: int
    is_current: bool


def _kept_by_account(context: ListContext) -> list[CachedFigures]:
    """Return the stored figures of each account in the context, with one query."""
    if context.account:
        rows = _kept_figures(None).rows(account=context.account.pk)
    else:
        rows = _kept_figures(context.viewer.scope).rows()
    kept_counts = []
    for values, kept_at, *columns in rows:
        account = instance(Account, columns)
        is_current = account.writes == account.counted_writes and kept_at and context.now - kept_at < RECOUNT
        kept_counts.append(CachedFigures(account, values, account.writes, bool(is_current)))
    return kept_counts


@lru_cache(maxsize=SCOPES_KEPT)
def _kept_figures(scope: ViewerScope | None) -> CompiledQuery:
    """Return the query for the accounts within a scope, or (None) the account in the parameter `account`,
    each with its stored figures and their time.
    """
    accounts = (
        Account.objects.filter(pk=QueryParam("account", BigAutoField()))
        if scope is None
        else accounts_within(scope)
    )
    return CompiledQuery(lambda: with_kept_figures(accounts).values_list("kept_values", "kept_at", *COLUMNS))


def with_kept_figures(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Return the accounts annotated with their stored figures (`kept_values`) and the time (`kept_at`)."""
    return accounts.annotate(
        kept=FilteredRelation("facts", condition=valid_at(None, prefix="facts__") & Q(facts__name=NUMBERS)),
        kept_values=F("kept__value"),
        kept_at=F("kept__observed_at"),
    )


def _sum(accounts: list[CachedFigures], *, now: datetime) -> FigureTotals:
    by_account = _brought_up_to_date(accounts, now=now)
    total: Counter[str] = Counter()
    for numbers in by_account.values():
        total.update(numbers)
    return FigureTotals(dict(total), uncounted=len(accounts) - len(by_account))


def _brought_up_to_date(accounts: list[CachedFigures], *, now: datetime) -> dict[int, dict[str, int]]:
    """Return the figures by account, counting at most `LIVE` outdated accounts with one query each."""
    figures_by_account: dict[int, dict[str, int]] = {}
    outdated: list[CachedFigures] = []
    for cached in accounts:
        if cached.values is not None:
            figures_by_account[cached.account.pk] = cached.values
        if not cached.is_current:
            outdated.append(cached)
    # Accounts without figures come first, because they would be missing from the sums.
    outdated.sort(key=lambda cached: bool(cached.values))
    for cached in outdated[:LIVE]:
        number = cached.account.pk
        context = ListContext(viewer=EVERYTHING, account=cached.account, now=now)
        about = f"figures {number} {cached.writes}"
        figures_by_account[number] = kept_counts(number_queries(context), about=about)
    return figures_by_account


def identities_of(accounts: Iterable[Any]) -> dict[int, int]:
    """Return the number of IAM users and roles per account id, for accounts read `with_kept_figures`. At most
    one query, none if nothing was written.
    """
    counted: dict[int, int] = {}
    outdated = {}
    for account in accounts:
        if account.kept_values and account.writes == account.counted_writes:
            counted[account.pk] = account.kept_values["people.all"] + account.kept_values["roles"]
        else:
            outdated[account.pk] = account.writes
    if outdated:
        about = frozenset(outdated.items())
        counted |= _identities.get_or_make(about, lambda: _counted_identities(outdated))
    return counted


def _counted_identities(accounts: Collection[int]) -> dict[int, int]:
    states = EntityState.objects.filter(valid_at(None), kind__in=(Kind.USER, Kind.ROLE), account__in=accounts)
    counts = dict(states.order_by().values_list("account").annotate(number=Count("pk")))
    return {account: counts.get(account, 0) for account in accounts}


def section_counts(account: Account, *, at: datetime | None) -> dict[str, int]:
    """Return the number of entities per section, as in the lists, and CUSTOMER_POLICIES, with one query.

    Sections without entities of their own, such as the credential report, are left out, as is the
    organization of a member account, which AWS only lists for the management account.
    """
    states = EntityState.objects.filter(valid_at(at), account=account).order_by()
    by_kind: Counter[str] = Counter()
    by_category: Counter[tuple[str, str]] = Counter()
    for kind, category, number in states.values_list("kind", "category").annotate(number=Count("pk")):
        by_kind[kind] += number
        by_category[kind, category] = number
    counts = {section: sum(by_kind[kind] for kind in kinds) for section, kinds in KINDS.items()}
    if not counts[ORGANIZATION]:
        del counts[ORGANIZATION]
    virtual = by_category[Kind.MFA_DEVICE, "virtual"]
    return counts | {
        MFA_DEVICES: virtual,
        USER_MFA: by_kind[Kind.MFA_DEVICE] - virtual,
        CUSTOMER_POLICIES: by_category[Kind.POLICY, "customer"],
    }


def quota_usage(
    account: Account, counts: Mapping[str, int], *, synced: Collection[str], at: datetime | None
) -> dict[str, int]:
    """Return the usage of AWS quotas by the names in GetAccountSummary, from `section_counts`, with one
    query.

    Only synced sections are included, because AWS's own summary can be older.
    """
    used = {name: counts[section] for name, section in QUOTA_SECTIONS.items() if section in synced}
    if POLICIES in synced:
        own = EntityState.objects.filter(valid_at(at), account=account, kind=Kind.POLICY, category="customer")
        versions = PolicyVersion.objects.filter(valid_at(at), policy__in=own.values("entity"))
        used["Policies"] = counts[CUSTOMER_POLICIES]
        used["PolicyVersionsInUse"] = versions.count()
    return used
