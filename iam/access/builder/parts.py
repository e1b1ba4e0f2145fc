"""The choice in the builder as data: a part per service with actions, resources and conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.letter_case import fold

MAX_PARTS: Final = 20
MAX_ARNS: Final = 40
MAX_WHENS: Final = 20
MAX_VALUES: Final = 60
MAX_LENGTH: Final = 2048


@dataclass(frozen=True, slots=True)
class BuilderCondition:
    """A condition.

    With `where_known`, actions without the key go into a statement without the condition.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    where_known: bool = False

    @property
    def block_position(self) -> tuple[str, str]:
        """The position in a Condition block, which must be unique within a statement."""
        return fold(self.operator), fold(self.key)


@dataclass(frozen=True, slots=True)
class ServicePart:
    """The permissions for one service.

    `actions` are sorted catalogue names; `everywhere` means any resource, regardless of `arns`.
    """

    service: str
    actions: tuple[str, ...] = ()
    everywhere: bool = False
    arns: tuple[str, ...] = ()
    whens: tuple[BuilderCondition, ...] = field(default=())

    @property
    def mask(self) -> int:
        """The actions as a bit mask."""
        bits = 0
        for action in self.actions:
            bits |= catalogue().mask(action)
        return bits

    def of_level(self, level: AccessLevel) -> tuple[str, ...]:
        """The chosen actions of an access level."""
        return tuple(action for action in self.actions if catalogue().level(action) is level)


def level_actions(service: str, level: AccessLevel) -> tuple[str, ...]:
    """All actions of an access level of a service."""
    known = catalogue()
    return known.names(known.mask_of_service(service) & known.mask_of_level(level))


def ordered(actions: Sequence[str], *, service: str) -> tuple[str, ...]:
    """Sorted, distinct catalogue names; names that are not actions of the service are dropped."""
    known = catalogue()
    bits = 0
    for action in actions:
        if "*" not in action and "?" not in action:
            bits |= known.mask(action)
    return known.names(bits & known.mask_of_service(service))


def parts_json(parts: Sequence[ServicePart]) -> list[dict[str, Any]]:
    """The parts as JSON, for a draft or a hidden field."""
    return [
        {
            "service": part.service,
            "actions": [action.partition(":")[2] for action in part.actions],
            "everywhere": part.everywhere,
            "arns": list(part.arns),
            "whens": [[w.operator, w.key, list(w.values), w.where_known] for w in part.whens],
        }
        for part in parts
    ]


def parts_from(value: Any) -> tuple[ServicePart, ...]:
    """Parse untrusted JSON; invalid or excessive content is dropped."""
    if not isinstance(value, list):
        return ()
    parsed_parts = (_part(item) for item in value[:MAX_PARTS] if isinstance(item, Mapping))
    return tuple(part for part in parsed_parts if part is not None)


def _part(value: Mapping[str, Any]) -> ServicePart | None:
    service = value.get("service")
    if not isinstance(service, str) or not catalogue().has_service(service):
        return None
    service = fold(service)
    return ServicePart(
        service=service,
        actions=ordered(
            [f"{service}:{text}" for text in _texts(value.get("actions"), most=2000)], service=service
        ),
        everywhere=value.get("everywhere") is True,
        arns=tuple(dict.fromkeys(_texts(value.get("arns"), most=MAX_ARNS))),
        whens=_whens(value.get("whens")),
    )


def _whens(value: Any) -> tuple[BuilderCondition, ...]:
    whens_by_key: dict[tuple[str, str], BuilderCondition] = {}
    for item in value[:MAX_WHENS] if isinstance(value, list) else ():
        if not isinstance(item, list) or len(item) != 4:
            continue
        operator, key, values, where_known = item
        if isinstance(operator, str) and isinstance(key, str):
            when = BuilderCondition(
                operator[:80], key[:512], tuple(_texts(values, most=MAX_VALUES)), where_known is True
            )
            whens_by_key.setdefault(when.block_position, when)
    return tuple(whens_by_key.values())


def _texts(value: Any, *, most: int) -> list[str]:
    if not isinstance(value, list):
        return []
    return [item[:MAX_LENGTH] for item in value[:most] if isinstance(item, str)]
