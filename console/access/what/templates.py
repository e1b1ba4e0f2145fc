"""The templates tab: tiles, and the fields of the chosen template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from console.access.what.state import WhatState
from console.web.access import ViewerRequest
from iam.access.builder.sentences import quarters_of
from iam.access.resource_names import names_known
from iam.access.templates.body import CATEGORIES, RISKS, TemplateBody, TemplateError
from iam.access.templates.models import TemplateOrigin
from iam.access.templates.parameters import TemplateParameter
from iam.access.templates.queries import OfferedTemplate, offer_of, offered_templates
from iam.search_words import folded, words_of

ICONS: Final = {
    "storage": "boxes",
    "compute": "rocket",
    "data": "database",
    "messaging": "send",
    "observe": "eye",
    "secrets": "lock",
    "money": "file-text",
    "security": "shield-check",
    "operations": "zap",
}
TONES: Final = {"low": "", "medium": "", "high": "warn"}
OFFERED: Final = 12


@dataclass(frozen=True, slots=True)
class TemplateTile:
    """A template to choose."""

    slug: str
    title: str
    description: str
    icon: str
    category: str
    levels: str
    risk: str
    tone: str
    is_chosen: bool
    is_ours: bool


@dataclass(frozen=True, slots=True)
class ParameterField:
    """A parameter as a form field."""

    name: str
    id: str
    label: str
    hint: str
    value: str
    default: str
    error: str
    example: str
    options: Sequence[str]
    is_many: bool
    is_next: bool = False


def tiles(state: WhatState) -> list[TemplateTile]:
    """Return the templates that contain every word of the search, and always the chosen one."""
    words = words_of(state.find)
    tiles = [_tile(offer, state) for offer in offered_templates()]
    return [
        tile
        for tile in tiles
        if tile.is_chosen
        or (
            (not state.kind or state.kind in (tile.category, "ours" if tile.is_ours else ""))
            and all(word in folded(f"{tile.title} {tile.description} {tile.slug}") for word in words)
        )
    ]


def _tile(offer: OfferedTemplate, state: WhatState) -> TemplateTile:
    version = offer.version
    return TemplateTile(
        slug=offer.slug,
        title=version.title,
        description=offer.body.description,
        icon=ICONS.get(version.category, "file-text"),
        category=version.category,
        levels=levels_of(version.digest, offer.body),
        risk=RISKS[version.risk],
        tone=TONES[version.risk],
        is_chosen=offer.slug == state.template,
        is_ours=offer.template.origin == TemplateOrigin.OWN,
    )


_LEVELS: dict[str, str] = {}


def levels_of(digest: str, body: TemplateBody) -> str:
    """Return the access levels of a template over all services, in quarters; cached, since a version never
    changes.
    """
    levels = _LEVELS.get(digest)
    if levels is None:
        levels = _LEVELS[digest] = quarters_of(body.render(body.samples))
    return levels


def chosen_view(
    request: ViewerRequest, state: WhatState, *, accounts: tuple[str, ...], strict: bool
) -> dict[str, Any] | None:
    """Return the chosen template with its fields; None if none is chosen."""
    offer = offer_of(state.template, number=state.version or None) if state.template else None
    if offer is None:
        return None
    body = offer.body
    errors = _errors(body, state)
    return {
        "slug": offer.slug,
        "title": body.title,
        "description": body.description,
        "number": offer.version.number,
        "hours": duration_words(body.hours),
        "risk": RISKS[body.risk],
        "tone": TONES[body.risk],
        "fields": _with_next(
            [
                _field(request, parameter, state, accounts, errors.get(parameter.name, ""), strict=strict)
                for parameter in body.parameters
            ]
        ),
        "is_retired": offer.template.retired_at is not None,
    }


def _with_next(fields: list[ParameterField]) -> list[ParameterField]:
    """Focus the first empty field while nothing is filled in yet."""
    if any(field.value and field.value != field.default for field in fields):
        return fields
    first = next((field.name for field in fields if not field.value), "")
    return [replace(field, is_next=field.name == first) for field in fields]


def _errors(body: TemplateBody, state: WhatState) -> dict[str, str]:
    names = {parameter.name for parameter in body.parameters}
    try:
        body.values({name: value for name, value in state.parameters.items() if name in names})
    except TemplateError as error:
        return error.fields
    return {}


def _field(
    request: ViewerRequest,
    parameter: TemplateParameter,
    state: WhatState,
    accounts: tuple[str, ...],
    error: str,
    *,
    strict: bool,
) -> ParameterField:
    value = state.parameters.get(parameter.name, parameter.default)
    shown_error = error if strict or value.strip() else ""
    return ParameterField(
        name=f"p-{state.template}-{parameter.name}",
        id=f"p-{parameter.name}",
        label=parameter.label,
        hint=parameter.hint,
        value=value,
        default=parameter.default,
        error=shown_error,
        example=parameter.sample,
        options=names_known(request.viewer, parameter=parameter, accounts=accounts, most=OFFERED),
        is_many=parameter.many,
    )


@lru_cache(maxsize=64)
def duration_words(hours: int) -> str:
    """Return '12 hours' or '7 days'; "" for 0."""
    if not hours:
        return ""
    if hours % 24:
        return f"{hours} hour{'' if hours == 1 else 's'}"
    return f"{hours // 24} day{'' if hours == 24 else 's'}"


KINDS: Final = (("", "All"), *CATEGORIES.items(), ("ours", "Ours"))
