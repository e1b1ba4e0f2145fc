"""The states of entities: one row from what several sections say, so that each may change its own attributes only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any

from iam.mirror.models import EntityState
from iam.mirror.pull import bulk, temporal
from iam.mirror.pull.census import Known
from iam.mirror.pull.facts import Found, Seen
from iam.mirror.pull.temporal import STATES, Current, Values

_AT = {name: position for position, name in enumerate(STATES.values)}


def state_of(found: Found, *, attrs: dict[str, Any]) -> Values:
    """The values of a state row, its digest last."""
    facts = (
        found.name, found.path, found.arn, found.created_at, found.category, found.document, attrs,
    )  # fmt: skip
    return (
        found.kind, found.name, found.name.lower(), found.path, found.arn, found.created_at, found.category,
        found.document, attrs, _digest(facts),
    )  # fmt: skip


def _digest(facts: tuple[Any, ...]) -> str:
    return blake2b(bulk.canonical(facts).encode(), digest_size=16).hexdigest()


def load_states(
    members: list[tuple[Known, Found]],
    *,
    account_id: int,
    seen: Seen,
    fresh: Collection[int],
    after: temporal.After,
) -> set[int]:
    """Load the states of what was found; the entities that changed."""
    current = temporal.current_rows(
        STATES, owners=[known.id for known, _ in members if known.id not in fresh]
    )
    wanted = {
        known.id: {(): state_of(found, attrs=_attrs(found, current.get(known.id, {}).get(())))}
        for known, found in members
    }
    change = temporal.difference(STATES, wanted=wanted, current=current, at=seen.at)
    temporal.write(STATES, change, account_id=account_id, seen=seen, after=after)
    return change.owners


def _attrs(found: Found, current: Current | None) -> dict[str, Any]:
    if not found.keeps or current is None:
        return found.attrs
    old: dict[str, Any] = current.values[_AT["attrs"]]
    kept = {name: old[name] for name in found.keeps if name in old and name not in found.attrs}
    return {**kept, **found.attrs}


def load_attrs(
    patches: Mapping[int, dict[str, Any]], *, account_id: int, kind: str, seen: Seen, after: temporal.After
) -> set[int]:
    """Set some attributes of current states of one kind and leave the others; the entities that changed."""
    rows = EntityState.objects.filter(account_id=account_id, kind=kind, valid_to__isnull=True)
    touched = [
        entity_id
        for entity_id, attrs in rows.values_list("entity_id", "attrs").iterator(chunk_size=5000)
        if entity_id in patches and any(attrs.get(n) != v for n, v in patches[entity_id].items())
    ]
    current = temporal.current_rows(STATES, owners=touched)
    wanted = {owner: {(): _patched(current[owner][()], patches[owner])} for owner in touched}
    change = temporal.difference(STATES, wanted=wanted, current=current, at=seen.at)
    temporal.write(STATES, change, account_id=account_id, seen=seen, after=after)
    return change.owners


def _patched(current: Current, patch: dict[str, Any]) -> Values:
    values = list(current.values)
    values[_AT["attrs"]] = {**values[_AT["attrs"]], **patch}
    names = ("name", "path", "arn", "created_at", "category", "document_id", "attrs")
    values[_AT["digest"]] = _digest(tuple(values[_AT[name]] for name in names))
    return tuple(values)
