"""Who a finding is for: the person or team behind its user, or whom the tags of its subject name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from iam.mirror.models import TagSet, valid_at
from iam.mirror.owners import people_and_owners

TAGS: Final = ("owner", "team")
"""Names of tags that tell an owner, in lower case, the more exact one first."""


def owners_of(entities: Iterable[int]) -> dict[int, str]:
    """The owners of users, roles and others by their number, as far as they are known: the team that owns a
    user, the person linked to it, or a tag. Two queries.
    """
    numbers = set(entities)
    if not numbers:
        return {}
    people, teams = people_and_owners(numbers)
    named = people | teams
    rows = TagSet.objects.filter(valid_at(None), entity__in=numbers - named.keys())
    for number, tags in rows.values_list("entity_id", "tags"):
        if owner := _tagged(tags):
            named[number] = owner
    return named


def _tagged(tags: Mapping[str, str]) -> str:
    by_name = {name.lower(): value.strip() for name, value in tags.items()}
    return next((by_name[name] for name in TAGS if by_name.get(name)), "")
