"""Finds the policy statements that the permissions of grants consist of today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from iam.access.grants.models import LedgerEntry, PermissionSort
from iam.mirror.models import Edge, EdgeKind, Entity, InlinePolicy, Kind, PolicyVersion, valid_at
from iam.policy.compiled import CompiledStatement, PolicyKind, compile_set
from iam.policy.document import read


@dataclass(frozen=True, slots=True)
class GrantDocuments:
    """Policy texts that the permissions of grants refer to, by primary key.

    `texts` are of managed policies, `inline` of holders and groups by policy name, `attached` are the
    policies attached to groups. `numbers` are the primary keys of groups and policies that ledger entries
    know only by ARN.
    """

    texts: dict[int, str]
    inline: dict[int, dict[str, str]] = field(default_factory=dict)
    attached: dict[int, list[int]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def statements(self, entries: Iterable[LedgerEntry]) -> dict[int, tuple[CompiledStatement, ...]]:
        """The compiled statements of these entries, by the primary key of the holder."""
        by_holder: dict[int, list[str]] = {}
        for entry in entries:
            assert entry.entity_id is not None
            by_holder.setdefault(entry.entity_id, []).extend(self._texts_of(entry))
        return {holder: _compiled(texts) for holder, texts in by_holder.items()}

    def _texts_of(self, entry: LedgerEntry) -> list[str]:
        """The documents of one permission, as far as the mirror has them."""
        if entry.sort == PermissionSort.INLINE:
            text = self.inline.get(entry.entity_id or 0, {}).get(entry.target)
            return [] if text is None else [text]
        target = entry.target_entity_id or self.numbers.get(entry.target, 0)
        if entry.sort == PermissionSort.ATTACHED:
            return self._texts_of_policies([target])
        # For a group membership: the group's attached and inline policies.
        attached = self._texts_of_policies(self.attached.get(target, ()))
        return [*attached, *self.inline.get(target, {}).values()]

    def _texts_of_policies(self, policies: Iterable[int]) -> list[str]:
        return [self.texts[policy] for policy in policies if policy in self.texts]


def documents_of(entries: Sequence[LedgerEntry]) -> GrantDocuments:
    """Load the documents of these entries. Three queries, and one more if groups or policies are known only
    by ARN.
    """
    targets = {entry.target_entity_id for entry in entries if entry.target_entity_id is not None}
    named = [entry for entry in entries if entry.target_entity_id is None and entry.target[:4] == "arn:"]
    numbers = _numbers(named) if named else {}
    targets.update(numbers.values())
    now = valid_at(None)
    attached: dict[int, list[int]] = {}
    edges = Edge.objects.filter(now, kind=EdgeKind.ATTACHED, source__in=targets)
    for group, policy in edges.values_list("source", "target"):
        attached.setdefault(group, []).append(policy)
    wanted = targets.union(*attached.values())
    versions = PolicyVersion.objects.filter(now, policy__in=wanted, is_default=True)
    texts = dict(versions.values_list("policy", "document__text"))
    documents = GrantDocuments(texts, attached=attached, numbers=numbers)
    owners = targets | {entry.entity_id for entry in entries}
    rows = InlinePolicy.objects.filter(now, owner__in=owners)
    for owner, name, text in rows.values_list("owner_id", "name", "document__text"):
        documents.inline.setdefault(owner, {})[name] = text
    return documents


def _numbers(entries: Sequence[LedgerEntry]) -> dict[str, int]:
    """The primary keys of existing groups and policies that entries name, by ARN. One query."""
    rows = Entity.objects.filter(
        account__in={entry.account_id for entry in entries},
        arn__in={entry.target for entry in entries},
        kind__in=(Kind.GROUP, Kind.POLICY),
        gone_at__isnull=True,
    )
    return dict(rows.values_list("arn", "pk"))


def _compiled(texts: Iterable[str]) -> tuple[CompiledStatement, ...]:
    documents = [("", read(text)) for text in dict.fromkeys(texts)]
    return compile_set(documents, kind=PolicyKind.IDENTITY).statements
