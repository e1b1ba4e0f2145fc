"""Determines which accounts a calculation covers; for others, pages must not say that there is no one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.access.certainty import SCPS_UNREAD
from iam.compiled_queries import CompiledQuery
from iam.mirror.models import Account, EntityState, Kind, Section, valid_at
from iam.mirror.models.accounts import unknown_at
from iam.mirror.pull.sections import ROLES, USERS
from iam.mirror.queries.past_accounts import connected_at
from iam.planned_reads import PlannedRead

Accounts = frozenset[str] | None
PRINCIPAL_SECTIONS: Final = (USERS, ROLES)
PRINCIPAL_KINDS: Final = (Kind.USER, Kind.ROLE)


def unsynced_accounts(at: datetime | None = None) -> set[str]:
    """The connected accounts without known users and roles whose users or roles were never fully synced by a
    moment (None: now).

    One query.
    """
    is_connected = connected_at(at) if at else Q(removed_at__isnull=True)
    connected = Account.objects.filter(is_connected)
    known = Section.objects.filter(account=OuterRef("pk")).exclude(unknown_at(at))
    synced = [Exists(known.filter(name=name)) for name in PRINCIPAL_SECTIONS]
    states = EntityState.objects.filter(
        valid_at(at), entity__account=OuterRef("pk"), kind__in=PRINCIPAL_KINDS
    )
    return set(connected.exclude(*synced).exclude(Exists(states)).values_list("account_id", flat=True))


@dataclass(frozen=True, slots=True)
class CalculationCoverage:
    """What a calculation knows of the visible connected accounts.

    `covered` were calculated; in `unsynced` ones, users or roles were never synced; `waiting` ones were
    connected or first synced afterwards. `unread` is what is not synced in covered accounts; `has_unreadable`
    is true if a policy could not be parsed.
    """

    covered: int = 0
    unsynced: int = 0
    waiting: int = 0
    unread: tuple[str, ...] = ()
    has_unreadable: bool = False

    @property
    def is_whole(self) -> bool:
        """True if it covers all of them."""
        return not self.unsynced and not self.waiting

    @property
    def may_miss_someone(self) -> bool:
        """True if someone may have unknown access, so that no page says that no one has. Missing SCPs don't
        count: they only restrict access.
        """
        gives = [text for text in self.unread if not text.startswith(SCPS_UNREAD)]
        return bool(gives) or self.has_unreadable or not self.is_whole

    @property
    def has_nothing(self) -> bool:
        """True if there are accounts and it covers none of them."""
        return not self.covered and not self.is_whole

    def words(self, what: str) -> list[str]:
        """What is not known, in sentences: 'Users and roles of 2 accounts weren't synced yet, so who can ...
        there is unknown.'.
        """
        sentences = []
        if self.unsynced:
            sentences.append(f"Users and roles of {_accounts(self.unsynced)} weren’t synced yet")
        if self.waiting:
            verb = "isn’t" if self.waiting == 1 else "aren’t"
            sentences.append(f"{_accounts(self.waiting)} {verb} part of the last calculation")
        return [f"{sentence}, so {what} there is unknown." for sentence in sentences]


NOTHING_COVERED: Final = CalculationCoverage()


def coverage_of(counts: Mapping[str, Any], accounts: Accounts) -> CalculationCoverage:
    """The coverage of a current calculation, from its counts by account. One query, or two if something is
    missing.
    """
    connected = {number for (number,) in connected_read().rows() if accounts is None or number in accounts}
    missing = connected.difference(counts)
    if not missing:
        return CalculationCoverage(len(connected))
    unsynced = len(missing & unsynced_accounts())
    return CalculationCoverage(len(connected) - len(missing), unsynced, len(missing) - unsynced)


def unread_words(
    unread: Mapping[str, Collection[str]], counts: Mapping[str, Any] | None, accounts: Accounts
) -> Iterator[str]:
    """What was not synced of the accounts that a calculation has counts of (None: of all): 'SCPs weren't
    synced for 2 accounts'.
    """
    numbers: Counter[str] = Counter()
    for number, clauses in unread.items():
        if (counts is None or number in counts) and (accounts is None or number in accounts):
            numbers.update(clauses)
    for clause, many in sorted(numbers.items()):
        yield f"{clause} for {_accounts(many)}"


def _accounts(number: int) -> str:
    return "1 account" if number == 1 else f"{number:,} accounts"


def connected_read() -> PlannedRead:
    """Return the read of the IDs of connected accounts."""
    return _CONNECTED.planned()


def _connected() -> QuerySet[Account, Any]:
    return Account.objects.filter(removed_at__isnull=True).values_list("account_id")


_CONNECTED: Final = CompiledQuery(_connected)
