"""The operations by their slug: they name their way back by it, so that no two modules import each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from iam.changes.operations.spec import OperationSpec
from iam.mirror.models import Account

if TYPE_CHECKING:
    from iam.changes.operations.base import Operation

REGISTRY: Final[dict[str, OperationSpec]] = {}
_CLASSES: Final[dict[str, type[Operation]]] = {}


def register(classes: Iterable[type[Operation]]) -> None:
    """Enter every operation of these classes. Raises ValueError for a slug that is taken."""
    for operation_class in classes:
        for spec in operation_class.specs():
            if spec.slug in REGISTRY:
                raise ValueError(f"Two operations have the slug {spec.slug}.")
            REGISTRY[spec.slug] = spec
            _CLASSES[spec.slug] = operation_class


def class_of(slug: str) -> type[Operation]:
    """The class that carries out an operation."""
    return _CLASSES[slug]


def restore(slug: str, *, account: Account, params: Mapping[str, Any]) -> Operation:
    """The operation that a row holds. Raises KeyError for a slug and TypeError for params that this
    version does not know."""
    return _CLASSES[slug].from_params(account, params, spec=REGISTRY[slug])
