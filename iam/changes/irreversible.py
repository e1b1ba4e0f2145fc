"""Lists what AWS can't restore, or restores differently, as declared by the operations."""

from __future__ import annotations

from dataclasses import dataclass

from iam.changes.operations import REGISTRY
from iam.changes.operations.spec import PermanentLoss
from iam.changes.operations.subject import KINDS


@dataclass(frozen=True, slots=True)
class RecreatedItem:
    """Something that can be recreated after deletion, and what will differ."""

    deed: str
    sentence: str


def losses() -> list[PermanentLoss]:
    """Every irreversible operation, by what it does."""
    losses = [operation.loss for operation in REGISTRY.values() if operation.loss is not None]
    return sorted(losses, key=lambda loss: loss.deed.lower())


def returns() -> list[RecreatedItem]:
    """Every operation that can be undone but leaves a difference."""
    returns = [
        RecreatedItem(_deed(operation.slug, operation.subject_kind), operation.undo_caveat)
        for operation in REGISTRY.values()
        if operation.undo_caveat and operation.loss is None
    ]
    return sorted(returns, key=lambda item: item.deed.lower())


def _deed(slug: str, kind: str) -> str:
    thing, _, verb = slug.partition(".")
    if verb != "delete":
        return f"Delete a {verb.removeprefix('delete_')} of a {KINDS[kind].noun}"
    noun = "service-linked role" if thing == "service_linked_role" else KINDS[kind].noun
    return f"Delete {'an' if noun[0] in 'aeioO' else 'a'} {noun}"
