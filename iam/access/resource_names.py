"""Suggests resource names while somebody writes a permission, from what the viewer sees of the mirror."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from iam.access.builder.build import resource_fits
from iam.access.builder.rows import pattern_of, row_of
from iam.access.templates.parameters import TemplateParameter
from iam.guard import Viewer
from iam.mirror.models import KINDS_BY_ARN, Entity, InlinePolicy, Kind, PolicyVersion, valid_at
from iam.mirror.queries.visibility import visible_entities
from iam.policy.catalogue import ResourceType
from iam.search_words import folded

ARN: Final = re.compile(r'"(arn:[a-z-]+:[^"\\]{1,600})"')
LOOKED_AT: Final = 400
"""The maximum number of policy texts to search."""


@dataclass(frozen=True, slots=True)
class ArnSuggestion:
    """A suggested ARN with a note on its origin."""

    arn: str
    note: str


def resources_known(
    viewer: Viewer,
    *,
    service: str,
    types: Sequence[ResourceType],
    accounts: Sequence[str],
    text: str,
    most: int,
) -> list[ArnSuggestion]:
    """Resources of these types whose ARN contains the text.

    IAM resources come from the mirror, others from the policies of these accounts.
    """
    seen = [number for number in accounts if viewer.scope.sees_account(number)]
    typed = text.strip().lower()
    if service == "iam":
        return _identities(viewer, types, seen, typed)[:most]
    return _most_named(service, types, seen, typed)[:most]


def _identities(
    viewer: Viewer, types: Sequence[ResourceType], accounts: Sequence[str], typed: str
) -> list[ArnSuggestion]:
    kinds = [resource_type.name for resource_type in types if resource_type.name in KINDS_BY_ARN]
    rows = visible_entities(viewer).filter(
        kind__in=kinds, gone_at__isnull=True, account__account_id__in=accounts, search__contains=folded(typed)
    )
    entities: Iterable[Entity] = rows.select_related("account").order_by("name", "pk")[:20]
    return [
        ArnSuggestion(entity.arn, f"{Kind(entity.kind).label} in {entity.account.name}")
        for entity in entities
    ]


def _most_named(
    service: str, types: Sequence[ResourceType], accounts: Sequence[str], typed: str
) -> list[ArnSuggestion]:
    """Suggestions ordered by the number of policies that name them."""
    counted: Counter[str] = Counter()
    for body in _texts(service, accounts):
        counted.update({arn for arn in ARN.findall(body) if f":{service}:" in arn})
    patterns = [resource_type.arn for resource_type in types]
    fitting = [
        (arn, times)
        for arn, times in counted.items()
        if typed in arn.lower()
        and _is_a_name(arn)
        and any(resource_fits(arn, pattern) for pattern in patterns)
    ]
    fitting.sort(key=lambda pair: (-pair[1], pair[0]))
    return [
        ArnSuggestion(arn, f"Named in {times} {'policy' if times == 1 else 'policies'}")
        for arn, times in fitting
    ]


def _is_a_name(arn: str) -> bool:
    """True if the ARN is specific: its last segment has more than wildcards, and it contains no variable."""
    return bool(arn.split(":", 5)[-1].strip("*/:?")) and "${" not in arn


def _texts(service: str, accounts: Sequence[str]) -> set[str]:
    """Policy texts of these accounts that name a resource of the service."""
    here = {"account__account_id__in": accounts, "document__text__contains": f":{service}:"}
    managed = PolicyVersion.objects.filter(valid_at(None), is_default=True, **here)
    inline = InlinePolicy.objects.filter(valid_at(None), **here)
    texts = set(managed.values_list("document__text", flat=True).distinct()[:LOOKED_AT])
    texts.update(inline.values_list("document__text", flat=True).distinct()[:LOOKED_AT])
    return texts


def names_known(
    viewer: Viewer, *, parameter: TemplateParameter, accounts: Sequence[str], most: int
) -> list[str]:
    """Suggested values for a template parameter, by its resource type; empty if it has none."""
    service, colon, kind = parameter.resource.partition(":")
    pattern = pattern_of(service, kind) if colon else ""
    if not pattern:
        return []
    types = [ResourceType(kind, pattern)]
    suggestions = resources_known(
        viewer, service=service, types=types, accounts=accounts, text="", most=most * 3
    )
    names = (_last(suggestion.arn, service=service, pattern=pattern) for suggestion in suggestions)
    taken = dict.fromkeys(name for name in names if name and _is_taken(parameter, name))
    return list(taken)[:most]


def _last(arn: str, *, service: str, pattern: str) -> str:
    row = row_of(arn, service=service)
    if pattern_of(service, row.type) != pattern:
        return ""
    return arn if not row.values else list(row.values.values())[-1]


def _is_taken(parameter: TemplateParameter, value: str) -> bool:
    try:
        parameter.check(value)
    except ValueError:
        return False
    return True
