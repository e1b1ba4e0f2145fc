"""Counts who can use which AWS service, over all users and roles of the accounts that a viewer sees."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby, islice
from typing import Final, NamedTuple

from django.db.models import Max, Min, Sum

from iam.access.escalation_calculation import stored_calculation
from iam.access.escalation_calculation.models import ServiceUse
from iam.access.escalation_calculation.path_records import FORMAT
from iam.access.index_cache import cached
from iam.mirror.display_names import display_name, with_people
from iam.mirror.models import Account
from iam.mirror.queries.result_cache import KeptResults
from iam.mirror.snapshot import snapshot
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.index.classes import IndexedPrincipal, PrincipalClass
from iam.policy.index.counts import ActionCount
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.index import PolicyIndex
from iam.policy.index.masks import ActionRange
from iam.policy.index.question import PEOPLE_AND_ROLES
from iam.policy.request import PrincipalKind
from iam.search_words import folded

Accounts = frozenset[str] | None
Ranges = tuple[list[tuple[str, ActionRange]], list[int]]
"""The services in the order of their actions, and the first action number of each."""
USER: Final = PrincipalKind.USER


@dataclass(slots=True)
class ServiceCounts:
    """The number of users and of roles that can use a service, and of both together by access level."""

    prefix: str
    title: str
    users: int
    roles: int
    levels: dict[AccessLevel, int]


@dataclass(frozen=True, slots=True)
class UsableServices:
    """The usable services by title, and the total numbers of users and roles.

    `calculated_at` is the time of the oldest count; None if it was counted just now.
    """

    services: tuple[ServiceCounts, ...]
    users: int
    roles: int
    calculated_at: datetime | None = None


_sums: KeptResults[UsableServices] = KeptResults(most=16)


def forget() -> None:
    """Clear the cached sums."""
    _sums.forget()


class ServiceAccessGroup(NamedTuple):
    """Principals of one account with the same access to a service; `part` has the bits of the actions."""

    account: str
    kind: PrincipalKind
    members: Sequence[IndexedPrincipal]
    part: AllowedActionSets


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """A user or role that can use a service, with its counts by access level."""

    pk: int
    account: str
    arn: str
    name: str
    display: str
    kind: PrincipalKind
    levels: dict[AccessLevel, ActionCount]

    @property
    def list_position(self) -> tuple[str, str]:
        """The sort key in the list."""
        return self.account, self.arn


@dataclass(frozen=True, slots=True)
class ServiceUserFilter:
    """A filter on the principals that can use a service: by account (None: all), access level, kind
    and text.
    """

    accounts: Accounts
    at: datetime | None = None
    levels: tuple[AccessLevel, ...] = ()
    kind: PrincipalKind | None = None
    text: str = ""

    @property
    def unfiltered(self) -> ServiceUserFilter:
        """The same filter without level, kind and text."""
        return replace(self, levels=(), kind=None, text="")


@dataclass(frozen=True, slots=True)
class ServiceUsagePage:
    """A page of rows; `users` and `roles` count all matches."""

    rows: list[ServiceUser]
    has_after: bool
    users: int
    roles: int


def uses(accounts: Accounts, *, at: datetime | None) -> UsableServices:
    """The services that principals of these accounts can use.

    For now, a worker's last count; for a past moment, counted from the index. Raises BeingCalculatedError if
    an account is not counted yet.
    """
    if at is None:
        return _kept_uses(accounts)
    with snapshot(at, accounts=accounts, may_lag=True) as index:
        return cached(index, ("uses", accounts), lambda: uses_in(index, accounts))


def _kept_uses(accounts: Accounts) -> UsableServices:
    coverage = stored_calculation.services_coverage(accounts)
    if coverage.waiting:
        stored_calculation.nudge()
        # A worker may already have counted it.
        coverage = stored_calculation.services_coverage(accounts)
    if coverage.waiting or coverage.has_nothing:
        raise stored_calculation.BeingCalculatedError(
            stored_calculation.SERVICES, is_unsynced=not coverage.waiting
        )
    connected = Account.objects.filter(removed_at__isnull=True)
    rows = ServiceUse.objects.filter(format=FORMAT, account__in=connected.values("account_id"))
    rows = rows if accounts is None else rows.filter(account__in=accounts)
    state = rows.aggregate(
        Min("calculated_at"), Max("calculated_at"), Sum("revision"), Sum("users"), Sum("roles")
    )
    return _sums.get_or_make((accounts, *state.values()), lambda: _summed(rows))


def _summed(rows: Iterable[ServiceUse]) -> UsableServices:
    """The sum of the accounts' counts."""
    uses = list(rows)
    services: dict[str, ServiceCounts] = {}
    for row in uses:
        for prefix, (users, roles, levels) in row.services.items():
            use = _counts_of(prefix, services)
            use.users += users
            use.roles += roles
            for level, many in levels.items():
                use.levels[AccessLevel(level)] += many
    oldest = min((row.calculated_at for row in uses), default=None)
    return UsableServices(
        _ordered(services.values()), sum(row.users for row in uses), sum(row.roles for row in uses), oldest
    )


def _counts_of(prefix: str, services: dict[str, ServiceCounts]) -> ServiceCounts:
    """The counts of a service, created with zeros if missing."""
    counts = services.get(prefix)
    if counts is None:
        levels = dict.fromkeys(AccessLevel, 0)
        counts = services[prefix] = ServiceCounts(prefix, catalogue().title(prefix), 0, 0, levels)
    return counts


def _ordered(services: Iterable[ServiceCounts]) -> tuple[ServiceCounts, ...]:
    return tuple(sorted(services, key=lambda use: (use.title.lower(), use.prefix)))


def _classes(index: PolicyIndex, accounts: Accounts) -> Iterator[PrincipalClass]:
    numbers = index.accounts.keys() if accounts is None else accounts & index.accounts.keys()
    for number in sorted(numbers):
        yield from index.accounts[number].classes.values()


def _users_and_roles(
    index: PolicyIndex, accounts: Accounts
) -> Iterator[tuple[Sequence[IndexedPrincipal], AllowedActionSets]]:
    """Users and roles, grouped by equal access."""
    classes = (cls for cls in _classes(index, accounts) if cls.profile.limits.flags[0] in PEOPLE_AND_ROLES)
    return index.effective().by_class(classes)


def uses_in(index: PolicyIndex, accounts: Accounts) -> UsableServices:
    """Count the usable services in an index by visiting all principals. The caller must hold the index."""
    space = index.effective().space
    # Keyed by identity: most principals share one object, and comparing sets of all actions takes longer than
    # counting people.
    tallies: dict[int, _Tally] = {}
    for members, allowed in _users_and_roles(index, accounts):
        tally = tallies.get(id(allowed))
        if tally is None:
            tally = tallies[id(allowed)] = _Tally(allowed)
        tally.add(members)
    services: dict[str, ServiceCounts] = {}
    ranges = list(space.services.items()), [service.first for service in space.services.values()]
    for tally in tallies.values():
        users, roles = tally.users, tally.roles
        for prefix, levels in _levels_of(tally.found.allowed_mask & ~space.without_permission, ranges):
            use = _counts_of(prefix, services)
            use.users += users
            use.roles += roles
            for level in levels:
                use.levels[level] += users + roles
    every = tallies.values()
    return UsableServices(
        _ordered(services.values()), sum(tally.users for tally in every), sum(tally.roles for tally in every)
    )


class _Tally:
    """The number of users and roles with the same access.

    It keeps the access object alive, so that its id stays unique.
    """

    __slots__ = ("found", "roles", "users")

    def __init__(self, allowed: AllowedActionSets) -> None:
        self.found, self.users, self.roles = allowed, 0, 0

    def add(self, members: Sequence[IndexedPrincipal]) -> None:
        """Add members, all of one kind."""
        if members[0].kind is USER:
            self.users += len(members)
        else:
            self.roles += len(members)


def _levels_of(allowed: int, ranges: Ranges) -> Iterator[tuple[str, list[AccessLevel]]]:
    """The services with listed actions in the set, each with the access levels of these actions.

    Jumps from service to service, because most principals can use few of the hundreds of services.
    """
    services, firsts = ranges
    last = services[-1][1]
    end = last.first + last.size
    begin = 0
    rest = allowed & (1 << end) - 1
    while rest:
        lowest_bit = rest & -rest
        action = begin + lowest_bit.bit_length() - 1
        prefix, (first, size, levels) = services[bisect_right(firsts, action) - 1]
        of_service = rest >> first - begin & (1 << size) - 1
        yield prefix, [level for level, mask in levels.items() if of_service & mask]
        rest >>= first + size - begin
        begin = first + size


def page_of(
    prefix: str, wanted: ServiceUserFilter, *, after: tuple[str, str] = ("", ""), size: int
) -> ServiceUsagePage:
    """A page of principals that can use a service, by account and ARN."""
    with snapshot(wanted.at, accounts=wanted.accounts, may_lag=True) as index:
        space = index.effective().space
        rows: list[ServiceUser] = []
        counts = dict.fromkeys(PEOPLE_AND_ROLES, 0)
        for account, alike in groupby(
            _same_use_by_account(index, prefix, wanted.accounts), key=lambda each: each.account
        ):
            fitting = list(_matching_filter(alike, wanted, space.services[prefix]))
            for each in fitting:
                counts[each.kind] += len(each.members)
            if account >= after[0]:
                more = _sorted_rows(fitting, space.services[prefix], after)
                rows += islice(more, size + 1 - len(rows))
    shown = _with_people(rows[:size])
    return ServiceUsagePage(shown, len(rows) > size, counts[PrincipalKind.USER], counts[PrincipalKind.ROLE])


def _with_people(rows: Sequence[ServiceUser]) -> list[ServiceUser]:
    """The rows with display names of people. One query."""
    called = with_people({row.pk: (row.name, row.display) for row in rows if row.kind is USER})
    return [replace(row, display=called.get(row.pk, row.display)) for row in rows]


def every_row(prefix: str, wanted: ServiceUserFilter) -> Iterator[ServiceUser]:
    """All matching rows, account by account. The index is released before the rows are yielded."""
    with snapshot(wanted.at, accounts=wanted.accounts, may_lag=True) as index:
        service = index.effective().space.services[prefix]
        alike_rows = list(
            _matching_filter(_same_use_by_account(index, prefix, wanted.accounts), wanted, service)
        )
    for _, alike in groupby(alike_rows, key=lambda each: each.account):
        yield from _sorted_rows(list(alike), service, ("", ""))


def _same_use_by_account(
    index: PolicyIndex, prefix: str, accounts: Accounts
) -> tuple[ServiceAccessGroup, ...]:
    """The principals that can use a service, account by account; cached while the index is unchanged."""
    return cached(index, ("alike", prefix, accounts), lambda: tuple(_find_alike(index, prefix, accounts)))


def _find_alike(index: PolicyIndex, prefix: str, accounts: Accounts) -> Iterator[ServiceAccessGroup]:
    space = index.effective().space
    first, size, _ = space.services[prefix]
    own_actions = ((1 << size) - 1) & ~(space.without_permission >> first)
    # Keyed by identity, since members share these objects. Keeping each object prevents reuse of its id.
    parts: dict[int, tuple[AllowedActionSets, AllowedActionSets]] = {}
    for members, allowed in _users_and_roles(index, accounts):
        known = parts.get(id(allowed))
        if known is None:
            masks = [mask >> first & own_actions for mask in allowed]
            known = parts[id(allowed)] = allowed, AllowedActionSets(*masks)
        _, part = known
        if part.allowed_mask:
            yield ServiceAccessGroup(members[0].account, members[0].kind, members, part)


def _matching_filter(
    alike: Iterator[ServiceAccessGroup] | tuple[ServiceAccessGroup, ...],
    wanted: ServiceUserFilter,
    service: ActionRange,
) -> Iterator[ServiceAccessGroup]:
    mask = 0
    for level in wanted.levels:
        mask |= service.levels[level]
    text = folded(wanted.text)
    for each in alike:
        if (wanted.kind and each.kind is not wanted.kind) or (
            wanted.levels and not each.part.allowed_mask & mask
        ):
            continue
        if not text:
            yield each
            continue
        members = [
            member
            for member in each.members
            if text in folded(member.arn) or text in folded(_display(member))
        ]
        if members:
            yield each._replace(members=members)


def _sorted_rows(
    alike: Sequence[ServiceAccessGroup], service: ActionRange, after: tuple[str, str]
) -> Iterator[ServiceUser]:
    members = []
    for each in alike:
        members += [
            (member.arn, member, each.part) for member in each.members if (each.account, member.arn) > after
        ]
    for arn, principal, part in sorted(members, key=lambda row: row[0]):
        counts = {level: _count(part, mask) for level, mask in service.levels.items() if mask}
        yield ServiceUser(
            principal.id, principal.account, arn, principal.name, _display(principal), principal.kind, counts
        )


def _count(part: AllowedActionSets, mask: int) -> ActionCount:
    everywhere, limited, conditional = ((each & mask).bit_count() for each in part)
    return ActionCount(everywhere, limited, conditional, mask.bit_count())


def _display(member: IndexedPrincipal) -> str:
    """The display name: for a role, its name."""
    return display_name(member.name, member.tags) if member.kind is USER else member.name
