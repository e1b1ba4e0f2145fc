"""The figures that several pages show: overview, lists, tabs and accounts get each of them here, so that they
agree.

A figure is counted at the end of a sync and kept. What was written to the mirror since, for instance by a
change of our own, makes the kept figures of its account out of date: they are counted again when a page asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import BigAutoField, Count, F, FilteredRelation, Q, QuerySet

from iam.compiled_queries import SCOPES_KEPT, CompiledQuery, QueryParam, instance
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

NOW_ONLY = frozenset(f"{PEOPLE.name}.{name}" for name, tab in PEOPLE.tabs.items() if not tab.is_past)
QUOTA_SECTIONS = {
    "Users": USERS,
    "Groups": GROUPS,
    "Roles": ROLES,
    "InstanceProfiles": INSTANCE_PROFILES,
    "ServerCertificates": SERVER_CERTIFICATES,
}
"""The names by which AWS counts what is in use of a quota, each with the section that it comes from."""
CUSTOMER_POLICIES = "customer_policies"
_identities = KeptResults[dict[int, int]]()
_numbers = KeptResults["FigureTotals"]()
LIVE = 8
"""So many accounts are counted for one page; the others show what was counted at the end of their last
sync.
"""


def forget() -> None:
    """Drop everything that is kept."""
    _identities.forget()
    _numbers.forget()


@dataclass(frozen=True, slots=True)
class FigureTotals:
    """Figures by name (see iam.mirror.pull.numbers); `uncounted` accounts are not in them."""

    values: dict[str, int]
    uncounted: int = 0

    def of(self, start: str) -> dict[str, int]:
        """The figures under a name: `people`, by tab; `mfa`, by type."""
        return {
            name.removeprefix(f"{start}."): number
            for name, number in self.values.items()
            if name.startswith(f"{start}.")
        }


def figures(context: ListContext, *, written: State | None = None) -> FigureTotals:
    """What the overview shows, and the tabs of the lists too; kept while nothing is written, for at most a
    minute. `written` is the `generation`, where the caller has asked for it already.
    """
    written = written or generation(context)
    scope = scope_key(context)
    if context.at is None and _sees_whole(context):
        # Keys get old and users inactive without anything being written.
        minute = context.now.replace(second=0, microsecond=0)
        return _numbers.get_or_make(
            (scope, written, minute), lambda: _sum(_kept_by_account(context), now=context.now)
        )
    values = kept_counts(number_queries(context), about=f"figures {scope} {written}")
    if _sees_whole(context):
        values = values | _kept_then(context)
    return FigureTotals(values)


def _kept_then(context: ListContext) -> dict[str, int]:
    """The figures that rest on last use, as they were kept at a past moment: what they were counted from has
    no history.
    """
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
    """The count of each tab of a list, and under "" that of the wanted rows.

    The tabs of IAM users depend on how old keys and sign-ins are: they come from the same count as the
    overview.
    """
    if listing is not PEOPLE or context.at is not None or not _sees_whole(context):
        return tab_counts(listing, context, wanted, generation=generation(context))
    accounts = _kept_by_account(context)
    totals = _sum(accounts, now=context.now)
    known = {} if totals.uncounted else totals.of(listing.name)
    writes = sum(cached.writes for cached in accounts)
    return tab_counts(listing, context, wanted, generation=writes, known=known)


def generation(context: ListContext) -> State:
    """Another value after whatever is written to the mirror of the accounts that are shown."""
    numbers = [context.account.account_id] if context.account else None
    return state_of(numbers)


def _sees_whole(context: ListContext) -> bool:
    """True if all that the context shows are whole accounts, so that the sum over accounts is the count of
    the list.
    """
    scope = context.viewer.scope
    if scope.accounts is None:
        return True
    return context.account is not None and context.account.account_id in scope.accounts


@dataclass(frozen=True, slots=True)
class CachedFigures:
    """What is kept of one account: the figures (None: none yet), and whether something was written since they
    were counted.
    """

    account: Account
    values: dict[str, int] | None
    writes: int
    is_current: bool


def _kept_by_account(context: ListContext) -> list[CachedFigures]:
    """What is kept of each account that the context shows: one query."""
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
    """The accounts within a scope, or (None) the one of the parameter `account`, each after its kept figures
    and when they were counted.
    """
    accounts = (
        Account.objects.filter(pk=QueryParam("account", BigAutoField()))
        if scope is None
        else accounts_within(scope)
    )
    return CompiledQuery(lambda: with_kept_figures(accounts).values_list("kept_values", "kept_at", *COLUMNS))


def with_kept_figures(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """The accounts with the figures that are kept of each (`kept_values`), and when they were counted
    (`kept_at`).
    """
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
    """The figures by account: one query for each account to which something was written since, for at most
    `LIVE` of them.
    """
    figures_by_account: dict[int, dict[str, int]] = {}
    outdated: list[CachedFigures] = []
    for cached in accounts:
        if cached.values is not None:
            figures_by_account[cached.account.pk] = cached.values
        if not cached.is_current:
            outdated.append(cached)
    # Accounts without any figures come first: without a count they would be missing from the sums.
    outdated.sort(key=lambda cached: bool(cached.values))
    for cached in outdated[:LIVE]:
        number = cached.account.pk
        context = ListContext(viewer=EVERYTHING, account=cached.account, now=now)
        about = f"figures {number} {cached.writes}"
        figures_by_account[number] = kept_counts(number_queries(context), about=about)
    return figures_by_account


def identities_of(accounts: Iterable[Any]) -> dict[int, int]:
    """How many IAM users and roles each account has, by its id; the accounts come `with_kept_figures`. At
    most one query, none while nothing is written to those that it is for.
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
    """How many entities of each section there are, as the lists count them, and CUSTOMER_POLICIES: one query.

    A section without entities of its own, such as the credential report, is not in it; nor is the
    organization of a member account, which AWS lists for the management account alone.
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
    """What is in use of AWS's quotas, by the names of GetAccountSummary, from `section_counts`: one query.

    Only what comes from the synced sections: AWS's own summary is as old as its last sync.
    """
    used = {name: counts[section] for name, section in QUOTA_SECTIONS.items() if section in synced}
    if POLICIES in synced:
        own = EntityState.objects.filter(valid_at(at), account=account, kind=Kind.POLICY, category="customer")
        versions = PolicyVersion.objects.filter(valid_at(at), policy__in=own.values("entity"))
        used["Policies"] = counts[CUSTOMER_POLICIES]
        used["PolicyVersionsInUse"] = versions.count()
    return used
