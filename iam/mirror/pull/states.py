"""Loads the states of entities: one row from several sections, each of which changes only its own
attributes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from iam.mirror.models import EntityState
from iam.mirror.pull import bulk, temporal
from iam.mirror.pull.entity_cache import EntityCache, EntityRow
from iam.mirror.pull.facts import FoundEntity, ObservationTimes
from iam.mirror.pull.temporal import STATES, CurrentRow, Values
from iam.mirror.pull.upsert_entities import is_newer

_AT = {name: position for position, name in enumerate(STATES.values)}


def state_of(aws_entity: FoundEntity, *, attrs: dict[str, Any]) -> Values:
    """The values of a state row, with its digest last."""
    facts = (
        aws_entity.name, aws_entity.path, aws_entity.arn, aws_entity.created_at, aws_entity.category,
        aws_entity.document, attrs,
    )  # fmt: skip
    return (
        aws_entity.kind, aws_entity.name, aws_entity.name.lower(), aws_entity.path, aws_entity.arn,
        aws_entity.created_at, aws_entity.category, aws_entity.document, attrs, _digest(facts),
    )  # fmt: skip


def _digest(facts: tuple[Any, ...]) -> str:
    return blake2b(bulk.canonical(facts).encode(), digest_size=16).hexdigest()


def load_states(
    members: list[tuple[EntityRow, FoundEntity]],
    *,
    account_id: int,
    seen: ObservationTimes,
    fresh: Collection[int],
    after: temporal.After,
) -> set[int]:
    """Load the states of entities that were found. Returns the changed entities."""
    current = temporal.current_rows(
        STATES, owners=[known.id for known, _ in members if known.id not in fresh]
    )
    _learn(members, current, at=seen.at)
    wanted = {
        known.id: {(): state_of(aws_entity, attrs=_attrs(aws_entity, current.get(known.id, {}).get(())))}
        for known, aws_entity in members
    }
    change = temporal.difference(STATES, wanted=wanted, current=current, at=seen.at)
    change.fresh = fresh
    temporal.write(STATES, change, account_id=account_id, seen=seen, after=after)
    return change.owners


def _learn(members: list[tuple[EntityRow, FoundEntity]], current: temporal.Rows, *, at: datetime) -> None:
    """Fill attributes that were unknown into the current states, as `load_attrs` does. An upload, for
    example, lacks them.
    """
    learned: list[bulk.Row] = []
    for known, aws_entity in members:
        old = current.get(known.id, {}).get(())
        if old is None or old.observed_at > at:
            continue
        patch = {name: aws_entity.attrs[name] for name in aws_entity.keeps if name in aws_entity.attrs}
        current[known.id][()] = _filled(old, patch, learned)
    bulk.update(EntityState, key="id", columns=("attrs", "digest"), rows=learned)


def _filled(old: CurrentRow, patch: Mapping[str, Any], learned: list[bulk.Row]) -> CurrentRow:
    """A current state with those attributes of the patch that it lacks; rows to write are added to
    `learned`.
    """
    new = {name: value for name, value in patch.items() if name not in old.values[_AT["attrs"]]}
    if not new:
        return old
    values = _patched(old, new)
    learned.append((old.id, bulk.canonical(values[_AT["attrs"]]), values[_AT["digest"]]))
    return old._replace(values=values)


def _attrs(aws_entity: FoundEntity, current: CurrentRow | None) -> dict[str, Any]:
    if not aws_entity.keeps or current is None:
        return aws_entity.attrs
    old: dict[str, Any] = current.values[_AT["attrs"]]
    kept = {name: old[name] for name in aws_entity.keeps if name in old and name not in aws_entity.attrs}
    return {**kept, **aws_entity.attrs}


def load_attrs(
    census: EntityCache, patches: Mapping[int, dict[str, Any]], *, kind: str, seen: ObservationTimes
) -> set[int]:
    """Set some attributes of current states of one kind; other attributes stay unchanged. Returns the changed
    entities.

    An attribute that was never known is filled into the current state: learning it is no change of the
    entity.
    """
    rows = EntityState.objects.filter(account=census.account, kind=kind, valid_to__isnull=True)
    touched: list[int] = []
    for entity_id, attrs in rows.values_list("entity_id", "attrs").iterator(chunk_size=5000):
        patch = patches.get(entity_id)
        if patch is None or all(name in attrs and attrs[name] == value for name, value in patch.items()):
            continue
        if not is_newer(census.by_pk[entity_id], seen.at):
            touched.append(entity_id)
    current = temporal.current_rows(STATES, owners=touched)
    learned: list[bulk.Row] = []
    wanted: dict[int, dict[temporal.Key, Values]] = {}
    for owner in touched:
        filled = _filled(current[owner][()], patches[owner], learned)
        current[owner][()] = filled
        wanted[owner] = {(): _patched(filled, patches[owner])}
    bulk.update(EntityState, key="id", columns=("attrs", "digest"), rows=learned)
    change = temporal.difference(STATES, wanted=wanted, current=current, at=seen.at)
    temporal.write(STATES, change, account_id=census.account.pk, seen=seen)
    return change.owners


def _patched(current: CurrentRow, patch: dict[str, Any]) -> Values:
    values = list(current.values)
    values[_AT["attrs"]] = {**values[_AT["attrs"]], **patch}
    names = ("name", "path", "arn", "created_at", "category", "document_id", "attrs")
    values[_AT["digest"]] = _digest(tuple(values[_AT[name]] for name in names))
    return tuple(values)
