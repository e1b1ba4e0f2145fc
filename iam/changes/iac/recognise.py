"""Recognizes by tags, paths and names whether Terraform or CloudFormation manages an entity, with the reason
for the guess.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
(aws:cloudformation:stack-name)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from iam.mirror.models import Entity, EntityState, TagSet, valid_at

TERRAFORM: Final = "Terraform"
CLOUDFORMATION: Final = "CloudFormation"
_STACK: Final = "aws:cloudformation:stack-name"
_TAGS: Final = frozenset(
    {"managedby", "managed-by", "managed_by", "provisioner", "provisionedby", "createdby", "iac", "tool"}
)
_WORDS: Final = {
    "terraform": TERRAFORM,
    "opentofu": TERRAFORM,
    "tofu": TERRAFORM,
    "terragrunt": TERRAFORM,
    "cloudformation": CLOUDFORMATION,
    "cdk": CLOUDFORMATION,
    "sam": CLOUDFORMATION,
}
_GENERATED: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*-[A-Za-z][A-Za-z0-9]*-[A-Z0-9]{12,13}")
"""Stack, logical id, and twelve or thirteen characters: how CloudFormation names resources without a given
name.
"""


@dataclass(frozen=True, slots=True)
class IacManagement:
    """The program that manages an entity, its resource there, and the evidence."""

    tool: str
    arn: str
    evidence: str


def managed_by(*, name: str, path: str, tags: Mapping[str, str], arn: str = "") -> IacManagement | None:
    """The management indicated by name, path and tags; None if there is no evidence."""
    if _STACK in tags:
        return IacManagement(CLOUDFORMATION, arn, f"it is part of the stack {tags[_STACK]}")
    for key, value in tags.items():
        tool = _tool_of(key, value)
        if tool:
            sign = f"its tag {key} says {value}" if value else f"it has the tag {key}"
            return IacManagement(tool, arn, sign)
    for segment in path.strip("/").lower().split("/"):
        if segment in _WORDS:
            return IacManagement(_WORDS[segment], arn, f"it lies under the path {path}")
    if _GENERATED.fullmatch(name):
        return IacManagement(CLOUDFORMATION, arn, "it has a name as CloudFormation makes them")
    return None


def _tool_of(key: str, value: str) -> str:
    lowered, lowered_value = key.lower(), value.lower()
    if lowered in ("terraform", "tf", "opentofu") and lowered_value not in ("false", "no", "0"):
        return TERRAFORM
    if lowered in _TAGS:
        return next(
            (tool for word, tool in _WORDS.items() if word in re.split(r"[^a-z]+", lowered_value)), ""
        )
    return ""


def managed_entity(arns: Iterable[str], *, account: int) -> IacManagement | None:
    """The first of these entities of an account that a program manages. At most three queries."""
    entities = list(
        Entity.objects.filter(account=account, arn__in=list(arns), gone_at__isnull=True).order_by("id")
    )
    if not entities:
        return None
    pks = [entity.pk for entity in entities]
    tags = dict(TagSet.objects.filter(valid_at(None), entity__in=pks).values_list("entity_id", "tags"))
    paths = dict(EntityState.objects.filter(valid_at(None), entity__in=pks).values_list("entity_id", "path"))
    managers = (
        managed_by(
            name=entity.name, path=paths.get(entity.pk, "/"), tags=tags.get(entity.pk) or {}, arn=entity.arn
        )
        for entity in entities
    )
    return next((manager for manager in managers if manager), None)
