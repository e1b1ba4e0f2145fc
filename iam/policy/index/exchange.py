"""Principals as they would be if only policy texts changed: some of their documents are replaced.

No principal is placed again for this: recording documents and their holders in the index takes longer than
everything that a receipt needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain

from iam.policy.index.classes import (
    IndexedPrincipal,
    PolicyBundle,
    PrincipalClass,
    PrincipalLimits,
    PrincipalProfile,
)
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.holdings import Held
from iam.policy.index.rows import PolicyHoldings, PolicyRow, RowChanges
from iam.policy.index.shard import AccountShard

Exchanged = Mapping[IndexedDocument, IndexedDocument]
"""The replacements by replaced document."""


def exchanged_by(
    shard: AccountShard, changes: RowChanges, *, doc_of: Callable[[PolicyRow], IndexedDocument]
) -> Exchanged | None:
    """The documents that the changes replace, for all holders in the account alike.

    None if the changes do anything else, or if the effect differs between principals, by how they hold a
    document or by their own attributes.
    """
    if changes.principals or changes.groups or changes.gone:
        return None
    exchanged: dict[IndexedDocument, IndexedDocument] = {}
    fresh = {row.id: row for row in changes.policies if shard.policies.get(row.id) != row}
    for number, row in fresh.items():
        before, after = shard.policy_doc(number), doc_of(row)
        # A document that isn't synced is identified by its policy's name.
        if number not in shard.policies or before.problems or after.problems or after.is_marked:
            return None
        if exchanged.setdefault(before, after) is not after:
            return None
    digests = {doc.digest for doc in exchanged}
    if any(row.digest in digests for row in shard.policies.values() if row.id not in fresh):
        return None
    return None if holds_inline(digests, (group.grants for group in shard.groups.values())) else exchanged


def holds_inline(digests: Collection[str], holders: Iterable[PolicyHoldings]) -> bool:
    """True if one of the holders has one of the documents as an inline policy, which stays."""
    inline = chain.from_iterable(grants.inline for grants in holders if grants.inline)
    return any(digest in digests for _, digest in inline)


class DocumentExchange:
    """Replaces the same documents for all principals that hold them."""

    def __init__(self, exchanged: Exchanged) -> None:
        self._exchanged = exchanged
        self._profiles: dict[PrincipalProfile, PrincipalProfile] = {}
        self._limits: dict[PrincipalLimits, PrincipalLimits] = {}

    def member(self, member: IndexedPrincipal) -> IndexedPrincipal:
        """The principal after the replacement."""
        profile = member.cls.profile
        exchanged = self._profiles.get(profile)
        if exchanged is None:
            exchanged = self._profiles[profile] = self._exchanged_for(profile)
        return member.of_class(PrincipalClass(exchanged, member.account))

    def held(self, before: Held) -> Held:
        """The documents after the replacement."""
        exchanged = self._exchanged
        after = {doc: marks for doc, marks in before.items() if doc not in exchanged}
        after.update((exchanged[doc], None) for doc in before if doc in exchanged)
        return after

    def _exchanged_for(self, profile: PrincipalProfile) -> PrincipalProfile:
        docs = {self._exchanged.get(doc, doc) for doc in profile.bundle.docs}
        bundle = PolicyBundle(tuple(sorted(docs, key=id)))
        # The replacements have no marks.
        marked = tuple([each for each in profile.marked if each.doc not in self._exchanged])
        return PrincipalProfile(bundle, marked, self.limits(profile.limits))

    def limits(self, limits: PrincipalLimits) -> PrincipalLimits:
        """The limits after the replacement."""
        boundary = limits.boundary
        if boundary is None or boundary not in self._exchanged:
            return limits
        known = self._limits.get(limits)
        if known is None:
            bound = self._exchanged[boundary]
            known = PrincipalLimits(limits.flags, bound, (), limits.levels, limits.level_marks, limits.sort)
            self._limits[limits] = known
        return known
