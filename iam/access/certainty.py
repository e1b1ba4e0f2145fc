"""Rates the certainty of answers: an answer is confirmed only if everything that could change it is
synced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db.models import CharField, FilteredRelation, Q, Value

from iam.mirror.models import Account, Section, SectionState
from iam.mirror.models.accounts import unknown_at
from iam.mirror.pull.sections import GROUPS, ORGANIZATION, POLICIES, ROLES, USERS
from iam.mirror.queries.past_accounts import connected_at
from iam.phrases import joined
from iam.policy.index.classes import IndexedPrincipal, PolicyBundle
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import ALONE

DECIDING_SECTIONS: Final = {
    USERS: "users",
    GROUPS: "groups",
    ROLES: "roles",
    POLICIES: "managed policies",
}
"""Mirror sections whose rows can allow or deny something, with their words for sentences."""
UNREAD_POLICY: Final = "a policy of it couldn’t be read"
SCPS_UNREAD: Final = "SCPs weren’t synced"
"""The only clause about policies that can restrict access but never give it."""

NO_SECTION: Final = Value(None, output_field=CharField(null=True))


class Certainty(StrEnum):
    """How certain an answer is.

    CONDITIONAL depends on values of the request; UNCONFIRMED depends on data that is not synced.
    """

    CONFIRMED = "confirmed"
    CONDITIONAL = "conditional"
    UNCONFIRMED = "unconfirmed"


def unread_by_account(
    index: PolicyIndex, *, accounts: Collection[str] | None = None, at: datetime | None = None
) -> dict[str, tuple[str, ...]]:
    """Clauses about data that is not fully synced and could change an answer ("SCPs weren't synced"), by
    account.

    Includes accounts that were never synced and so are not in the index. For a past moment, only data not
    synced by then counts, because the result of later syncs is not stored. One query.
    """
    complete: dict[str, set[str | None]] = {number: set() for number in index.accounts}
    for number, section in _complete_sections(at):
        complete.setdefault(number, set()).add(section)
    unread: dict[str, tuple[str, ...]] = {}
    for number, sections in complete.items():
        if accounts is not None and number not in accounts:
            continue
        missing = [words for name, words in DECIDING_SECTIONS.items() if name not in sections]
        clauses = [f"{joined(missing)} weren’t fully synced"] if missing else []
        shard = index.accounts.get(number)
        is_alone = shard is not None and shard.standing == ALONE and ORGANIZATION not in sections
        if is_alone or (shard is not None and not shard.standing.is_known):
            clauses.insert(0, SCPS_UNREAD)
        if clauses:
            unread[number] = tuple(clauses)
    return unread


def _complete_sections(at: datetime | None) -> Iterable[tuple[str, str | None]]:
    """Pairs of account ID and fully synced section; the section is None for accounts without one."""
    names = (*DECIDING_SECTIONS, ORGANIZATION)
    if at:
        known = Section.objects.filter(name__in=names).exclude(unknown_at(at)).order_by()
        accounts = Account.objects.filter(connected_at(at)).values_list("account_id", NO_SECTION)
        return accounts.union(known.values_list("account__account_id", "name"), all=True)
    is_whole = Q(sections__name__in=names, sections__state=SectionState.COMPLETE)
    accounts = Account.objects.filter(removed_at__isnull=True)
    rows = accounts.annotate(whole=FilteredRelation("sections", condition=is_whole))
    return rows.values_list("account_id", "whole__name")


class UnreadSources:
    """The unsynced data that could change an answer, for an index that does not change meanwhile."""

    def __init__(self, index: PolicyIndex, *, at: datetime | None = None) -> None:
        self.accounts: Mapping[str, tuple[str, ...]] = unread_by_account(index, at=at)
        self._bundles: Collection[PolicyBundle] = set(index.register.unreadable_bundles())
        self.has_policies = bool(self._bundles)

    def about_members(self, members: Iterable[IndexedPrincipal]) -> tuple[str, ...]:
        """The clauses for these principals, without duplicates."""
        clauses: dict[str, None] = {}
        for member in members:
            clauses |= dict.fromkeys(self.accounts.get(member.account, ()))
            if member.cls.profile.bundle in self._bundles:
                clauses[UNREAD_POLICY] = None
        return tuple(clauses)


def certainty_of(*, is_sure: bool, unread: Collection[str]) -> Certainty:
    """The certainty of a result. A condition takes precedence, because it remains even when everything is
    synced.
    """
    if not is_sure:
        return Certainty.CONDITIONAL
    return Certainty.UNCONFIRMED if unread else Certainty.CONFIRMED
