"""Calculates how much of AWS's quotas each recipient has left, from the mirror."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.changes.operations.inline_policy import SIZES
from iam.changes.quotas import quota_of
from iam.mirror.models import Account, Edge, EdgeKind, Entity, InlinePolicy, Kind, valid_at

USUAL: Final = 10
"""The default quota of managed policies per user, group or role, and of groups per user.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
WORDS: Final = {Kind.USER.value: "User", Kind.GROUP.value: "Group", Kind.ROLE.value: "Role"}


@dataclass(frozen=True, slots=True)
class ReceiverRoom:
    """Usage and limits of one recipient: groups, managed policies, and characters of inline policies."""

    groups: int
    most_groups: int
    attached: int
    most_attached: int
    inline: int
    most_inline: int

    @property
    def for_group(self) -> bool:
        """True if one more group is allowed."""
        return self.groups < self.most_groups

    def for_policies(self, number: int) -> bool:
        """True if this many more managed policies are allowed."""
        return self.attached + number <= self.most_attached

    def for_inline(self, size: int) -> bool:
        """True if this many more characters of inline policies are allowed."""
        return self.inline + size <= self.most_inline


def free_slots(account: Account, holders: Sequence[Entity]) -> dict[int, ReceiverRoom]:
    """The room of each recipient, by primary key. Three queries, and one for the quotas."""
    keys = [entity.pk for entity in holders]
    edges = Edge.objects.filter(
        valid_at(None), source__in=keys, kind__in=[EdgeKind.MEMBER, EdgeKind.ATTACHED]
    )
    counted = Counter(edges.values_list("source_id", "kind"))
    characters: Counter[int] = Counter()
    texts = InlinePolicy.objects.filter(valid_at(None), owner__in=keys)
    for owner, text in texts.values_list("owner_id", "document__text"):
        characters[owner] += SIZES["user"].size(text)
    most_groups = quota_of(account, "GroupsPerUserQuota", default=USUAL)
    limits = {kind: _limits(account, kind) for kind in {entity.kind for entity in holders}}
    return {
        entity.pk: ReceiverRoom(
            groups=counted[entity.pk, EdgeKind.MEMBER],
            most_groups=most_groups,
            attached=counted[entity.pk, EdgeKind.ATTACHED],
            most_attached=limits[entity.kind][0],
            inline=characters[entity.pk],
            most_inline=limits[entity.kind][1],
        )
        for entity in holders
    }


def _limits(account: Account, kind: str) -> tuple[int, int]:
    word = WORDS[kind]
    return (
        quota_of(account, f"AttachedPoliciesPer{word}Quota", default=USUAL),
        quota_of(account, f"{word}PolicySizeQuota", default=SIZES[kind].limit),
    )
