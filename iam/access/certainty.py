"""How certain an answer is: confirmed only where everything that could stop it was synced."""

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
"""Sections whose rows can allow or deny something, with the words of a sentence."""
UNREAD_POLICY: Final = "a policy of it couldn’t be read"
SCPS_UNREAD: Final = "SCPs weren’t synced"
"""The only clause about what can take access away, and never give it."""

NO_SECTION: Final = Value(None, output_field=CharField(null=True))


class Certainty(StrEnum):
    """CONDITIONAL depends on something about the request; UNCONFIRMED on something that was not synced."""

    CONFIRMED = "confirmed"
    CONDITIONAL = "conditional"
    UNCONFIRMED = "unconfirmed"


def unread_by_account(
    index: PolicyIndex, *, accounts: Collection[str] | None = None, at: datetime | None = None
) -> dict[str, tuple[str, ...]]:
    """What was not synced whole and could stop or give access, as clauses ("SCPs weren't synced"), by
    account; one query. An account of which nothing was synced yet is not in the index, but here.

    Of a past moment only what had not been synced by then, since how later syncs ended is not kept.
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
    """(number, section) of what was synced whole; (number, None) of an account of which nothing was."""
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
    """Everything unread that could stop a principal, for an index that does not change meanwhile.

    `accounts` are the clauses by account; `has_policies`: principals of one account may differ, since some
    hold a policy that could not be read.
    """

    def __init__(self, index: PolicyIndex, *, at: datetime | None = None) -> None:
        self.accounts: Mapping[str, tuple[str, ...]] = unread_by_account(index, at=at)
        self._bundles: Collection[PolicyBundle] = set(index.register.unreadable_bundles())
        self.has_policies = bool(self._bundles)

    def about_members(self, members: Iterable[IndexedPrincipal]) -> tuple[str, ...]:
        """The clauses about some principals, each once."""
        clauses: dict[str, None] = {}
        for member in members:
            clauses |= dict.fromkeys(self.accounts.get(member.account, ()))
            if member.cls.profile.bundle in self._bundles:
                clauses[UNREAD_POLICY] = None
        return tuple(clauses)


def certainty_of(*, is_sure: bool, unread: Collection[str]) -> Certainty:
    """A condition goes first: it would remain even when everything is synced."""
    if not is_sure:
        return Certainty.CONDITIONAL
    return Certainty.UNCONFIRMED if unread else Certainty.CONFIRMED
