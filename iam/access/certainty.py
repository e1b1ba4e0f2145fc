"""How certain an answer is: confirmed only where everything that could stop it was synced."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from iam.mirror.models import Section, SectionState
from iam.mirror.models.accounts import unknown_at
from iam.mirror.pull.sections import GROUPS, ORGANIZATION, POLICIES, ROLES, USERS
from iam.policy.index.classes import Member, PolicyBundle
from iam.policy.index.index import Index
from iam.policy.index.rows import ALONE

DECIDING_SECTIONS: Final = {
    USERS: "users",
    GROUPS: "groups",
    ROLES: "roles",
    POLICIES: "managed policies",
}
"""Sections whose rows can allow or deny something, with the words of a sentence."""
UNREAD_POLICY: Final = "a policy of it couldn’t be read"


class Certainty(StrEnum):
    """CONDITIONAL depends on something about the request; UNCONFIRMED on something that was not synced."""

    CONFIRMED = "confirmed"
    CONDITIONAL = "conditional"
    UNCONFIRMED = "unconfirmed"


def unread_by_account(
    index: Index, *, accounts: Collection[str] | None = None, at: datetime | None = None
) -> dict[str, tuple[str, ...]]:
    """What was not synced whole and could stop access, as clauses ("SCPs weren't synced"), by account; one
    query.

    Of a past moment only what had not been synced by then, since how later syncs ended is not kept.
    """
    rows = Section.objects.filter(name__in=(*DECIDING_SECTIONS, ORGANIZATION))
    rows = rows.exclude(unknown_at(at)) if at else rows.filter(state=SectionState.COMPLETE)
    complete = set(rows.values_list("account__account_id", "name"))
    unread: dict[str, tuple[str, ...]] = {}
    for number, shard in index.accounts.items():
        if accounts is not None and number not in accounts:
            continue
        clauses = list(_missing_sections(number, complete))
        is_alone = shard.standing == ALONE and (number, ORGANIZATION) not in complete
        if is_alone or not shard.standing.is_known:
            clauses.insert(0, "SCPs weren’t synced")
        if clauses:
            unread[number] = tuple(clauses)
    return unread


def _missing_sections(number: str, complete: Collection[tuple[str, str]]) -> Iterable[str]:
    missing = [words for name, words in DECIDING_SECTIONS.items() if (number, name) not in complete]
    if missing:
        yield f"{_joined(missing)} weren’t fully synced"


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


class UnreadSources:
    """Everything unread that could stop a principal, for an index that does not change meanwhile."""

    def __init__(self, index: Index, *, at: datetime | None = None) -> None:
        self._by_account = unread_by_account(index, at=at)
        self._bundles: Collection[PolicyBundle] = set(index.register.unreadable_bundles())

    @property
    def accounts(self) -> Mapping[str, tuple[str, ...]]:
        """The clauses by account."""
        return self._by_account

    @property
    def has_policies(self) -> bool:
        """Whether principals of one account may differ: some hold a policy that could not be read."""
        return bool(self._bundles)

    def about_members(self, members: Iterable[Member]) -> tuple[str, ...]:
        """The clauses about some principals, each once."""
        clauses: dict[str, None] = {}
        for member in members:
            clauses |= dict.fromkeys(self._by_account.get(member.account, ()))
            if member.cls.profile.bundle in self._bundles:
                clauses[UNREAD_POLICY] = None
        return tuple(clauses)


def certainty_of(*, is_sure: bool, unread: Collection[str]) -> Certainty:
    """A condition goes first: it would remain even when everything is synced."""
    if not is_sure:
        return Certainty.CONDITIONAL
    return Certainty.UNCONFIRMED if unread else Certainty.CONFIRMED
