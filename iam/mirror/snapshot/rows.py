"""Reads the input of the index: the users, roles, groups and managed policies valid at a moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from iam.mirror.models import Edge, EdgeKind, EntityState, InlinePolicy, Kind, PolicyVersion, TagSet, valid_at
from iam.mirror.pull.bulk import chunks
from iam.policy.index.rows import NO_TAGS, GroupRow, PolicyHoldings, PolicyRow, PrincipalRow, RowChanges

PRINCIPALS: Final = (Kind.USER.value, Kind.ROLE.value)
KINDS: Final = (*PRINCIPALS, Kind.GROUP.value, Kind.POLICY.value)
EDGES: Final = (EdgeKind.MEMBER.value, EdgeKind.ATTACHED.value, EdgeKind.BOUNDARY.value)
COLUMNS: Final = ("account_id", "entity_id", "kind", "arn", "document_id")
UNIQUE_ID: Final = "entity__aws_id"
BATCH_SIZE: Final = 10_000
Tags = Mapping[str, str]


@dataclass(slots=True)
class _GrantParts:
    """The parts of a `PolicyHoldings` while they are collected."""

    inline: list[tuple[str, str]] = field(default_factory=list)
    attached: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    boundary: int | None = None


class SnapshotRows:
    """The rows of some accounts at a moment. `accounts` and `entities` are primary keys; None means no
    restriction.

    Equal grants and equal tags share one object, since most principals have the same as others.
    """

    def __init__(
        self,
        at: datetime | None,
        *,
        accounts: Collection[int] | None = None,
        entities: Collection[int] | None = None,
    ) -> None:
        self._at, self._accounts, self._entities = at, accounts, entities
        self._grants: dict[PolicyHoldings, PolicyHoldings] = {}
        self._same_tags: dict[frozenset[tuple[str, str]], Tags] = {}

    def by_account(self) -> dict[int, RowChanges]:
        """The rows by primary key of the account, for accounts that have some."""
        states = list(self._states())
        owners = None if self._entities is None else [row[1] for row in states]
        held_by_owner = self._held(owners)
        digests = dict(
            self._rows(PolicyVersion, "policy_id", owners, "policy_id", "document_id", is_default=True)
        )
        tags = dict(self._rows(TagSet, "entity_id", owners, "entity_id", "tags"))
        changes_by_account: dict[int, RowChanges] = {}
        for account, entity, kind, arn, trust, aws_id in states:
            rows = changes_by_account.get(account)
            if rows is None:
                rows = changes_by_account[account] = RowChanges([], [], [], ())
            if kind == Kind.POLICY:
                _list(rows.policies).append(PolicyRow(entity, arn, digests.get(entity)))
            elif kind == Kind.GROUP:
                _list(rows.groups).append(
                    GroupRow(entity, arn.rpartition("/")[2], self._grants_of(held_by_owner.get(entity)))
                )
            else:
                grants, own_tags = self._grants_of(held_by_owner.get(entity)), self._tags_of(tags.get(entity))
                _list(rows.principals).append(PrincipalRow(entity, arn, aws_id, grants, own_tags, trust))
        return changes_by_account

    def _states(self) -> Iterator[tuple[Any, ...]]:
        states = EntityState.objects.filter(valid_at(self._at), kind__in=KINDS)
        if self._entities is not None:
            for chunk in chunks(self._entities):
                yield from states.filter(entity_id__in=chunk).values_list(*COLUMNS, UNIQUE_ID)
        elif self._accounts is not None:
            yield from _stream(states.filter(account_id__in=self._accounts).values_list(*COLUMNS, UNIQUE_ID))
        else:
            # The join for unique IDs costs as much as the rows, so only use it where they are needed.
            for row in _stream(states.exclude(kind__in=PRINCIPALS).values_list(*COLUMNS)):
                yield *row, ""
            yield from _stream(states.filter(kind__in=PRINCIPALS).values_list(*COLUMNS, UNIQUE_ID))

    def _held(self, owners: list[int] | None) -> dict[int, _GrantParts]:
        held_by_source: dict[int, _GrantParts] = {}
        for source, kind, target in self._rows(
            Edge, "source_id", owners, "source_id", "kind", "target_id", kind__in=EDGES
        ):
            holder = held_by_source.get(source)
            if holder is None:
                holder = held_by_source[source] = _GrantParts()
            if kind == EdgeKind.MEMBER:
                holder.groups.append(target)
            elif kind == EdgeKind.ATTACHED:
                holder.attached.append(target)
            else:
                holder.boundary = target
        for owner, name, document in self._rows(
            InlinePolicy, "owner_id", owners, "owner_id", "name", "document_id"
        ):
            holder = held_by_source.get(owner)
            if holder is None:
                holder = held_by_source[owner] = _GrantParts()
            holder.inline.append((name, document))
        return held_by_source

    def _rows(
        self, model: Any, owner: str, owners: list[int] | None, *columns: str, **also: Any
    ) -> Iterator[tuple[Any, ...]]:
        rows = model.objects.filter(valid_at(self._at), **also)
        if owners is None:
            if self._accounts is not None:
                rows = rows.filter(account_id__in=self._accounts)
            yield from _stream(rows.values_list(*columns))
            return
        for chunk in chunks(owners):
            yield from rows.filter(**{f"{owner}__in": chunk}).values_list(*columns)

    def _grants_of(self, holder: _GrantParts | None) -> PolicyHoldings:
        if holder is None:
            return _NOTHING
        # The database returns them in any order, which must not make equal grants differ.
        holder.inline.sort()
        holder.attached.sort()
        holder.groups.sort()
        grants = PolicyHoldings(
            tuple(holder.inline), tuple(holder.attached), tuple(holder.groups), holder.boundary
        )
        return self._grants.setdefault(grants, grants)

    def _tags_of(self, tags: Tags | None) -> Tags:
        if not tags:
            return NO_TAGS
        return self._same_tags.setdefault(frozenset(tags.items()), tags)


_NOTHING: Final = PolicyHoldings()


def digests_of(
    rows: RowChanges, *, policies: Mapping[int, PolicyRow], groups: Iterable[GroupRow] = ()
) -> set[str]:
    """The digests of the documents that an index must contain before it takes the rows. `policies` and
    `groups` are all of the account's.
    """
    digests: set[str] = set()
    used: set[int] = set()
    for principal in rows.principals:
        if principal.trust is not None:
            digests.add(principal.trust)
    holders: list[PrincipalRow | GroupRow] = [*rows.principals, *rows.groups, *groups]
    for grants in (row.grants for row in holders):
        digests.update(digest for _, digest in grants.inline)
        used.update(grants.attached)
        if grants.boundary is not None:
            used.add(grants.boundary)
    used.update(row.id for row in rows.policies)
    return digests | {policies[number].digest or "" for number in used if number in policies} - {""}


def _list(rows: Iterable[Any]) -> list[Any]:
    assert isinstance(rows, list)
    return rows


def _stream(rows: QuerySet[Any, Any]) -> Iterator[tuple[Any, ...]]:
    return rows.iterator(chunk_size=BATCH_SIZE)
