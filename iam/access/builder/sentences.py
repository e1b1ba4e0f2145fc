"""Describes the choice in the builder in sentences and as a bar of access levels. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from iam.access.builder.build import build
from iam.access.builder.parts import ServicePart, level_actions
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.document import read
from iam.policy.sentences import PolicySentence, sentences_of


def sentences_of_part(part: ServicePart, *, account_id: str = "") -> tuple[PolicySentence, ...]:
    """The sentences for a part, from the statements built from it; empty while it has no effect."""
    built = build([part])
    return sentences_of(built.text, account_id=account_id) if built.statements else ()


def quarters(part: ServicePart) -> str:
    """The chosen share of each access level in quarters, at least one if anything is chosen."""
    bars = []
    for level in AccessLevel:
        bars.append(quarter(len(part.of_level(level)), len(level_actions(part.service, level))))
    return " ".join(map(str, bars))


def quarter(chosen: int, every: int) -> int:
    """The chosen share of a level in quarters: 0 for nothing, 4 only for everything."""
    if not chosen:
        return 0
    return 4 if chosen == every else min(3, max(1, chosen * 4 // every))


def quarters_of(document: Mapping[str, Any]) -> str:
    """The bar of a document over all services in its Allow statements; for each level, the maximum of any
    service.
    """
    mask = 0
    for statement in read(document).statements:
        if statement.allows and not statement.is_not_action:
            for pattern in statement.actions:
                mask |= catalogue().mask(pattern)
    services = {name.partition(":")[0] for name in catalogue().names(mask)}
    bars = [_bar_of_service(service, mask) for service in services]
    return " ".join(str(max(column)) for column in zip(*bars, strict=True)) if bars else "0 0 0 0 0"


def _bar_of_service(service: str, mask: int) -> Sequence[int]:
    known = catalogue()
    of_service = known.mask_of_service(service)
    bar = []
    for level in AccessLevel:
        of_level = of_service & known.mask_of_level(level)
        bar.append(quarter((mask & of_level).bit_count(), of_level.bit_count()))
    return bar
