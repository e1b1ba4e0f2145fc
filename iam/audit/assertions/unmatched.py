"""Finds the entries of “Who is allowed” that match no user or role of the mirror now."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower

from iam.audit.assertions.terms import SSO_PATH, AllowedKind, AllowedPrincipal, AssertionTerms
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, TagSet
from iam.mirror.models.temporal import CURRENT
from iam.mirror.queries.accounts import visible_accounts
from iam.mirror.queries.visibility import visible_entities

ENTITY_KINDS: Final = {
    AllowedKind.USER: Kind.USER,
    AllowedKind.ROLE: Kind.ROLE,
    AllowedKind.GROUP: Kind.GROUP,
}
PRINCIPALS: Final = (Kind.USER, Kind.ROLE)


def unmatched(viewer: Viewer, terms: AssertionTerms) -> list[AllowedPrincipal]:
    """The allowed entries that match no one in the visible accounts that are checked.

    One query for all exact names of a kind, and one for each pattern and tag. A principal that wasn't synced
    isn't known.
    """
    accounts = visible_accounts(viewer)
    if terms.accounts:
        accounts = accounts.filter(account_id__in=terms.accounts)
    entities = visible_entities(viewer).filter(gone_at__isnull=True, account__in=accounts)
    missing: list[AllowedPrincipal] = []
    for kind in AllowedKind:
        entries = [each for each in terms.allowed if each.kind is kind]
        if not entries:
            continue
        if kind is AllowedKind.ACCOUNT:
            numbers = set(accounts.values_list("account_id", flat=True))
            missing += [each for each in entries if each.value not in numbers]
        elif kind is AllowedKind.TAG:
            missing += [each for each in entries if not _is_tag_used(each.value, entities)]
        elif kind is AllowedKind.PERMISSION_SET:
            missing += _unmatched_sets(entries, entities)
        else:
            missing += _unmatched_names(entries, _named(kind, entities))
    return missing


def _named(kind: AllowedKind, entities: QuerySet[Entity]) -> QuerySet[Entity]:
    """The entities that entries of this kind can name. A group without users allows no one."""
    rows = entities.filter(kind=ENTITY_KINDS[kind])
    if kind is AllowedKind.GROUP:
        members = Edge.objects.filter(CURRENT, kind=EdgeKind.MEMBER, target=OuterRef("pk"))
        rows = rows.filter(Exists(members))
    return rows


def _unmatched_names(entries: list[AllowedPrincipal], rows: QuerySet[Entity]) -> list[AllowedPrincipal]:
    exact = {each.value.lower() for each in entries if not _is_pattern(each.value)}
    known: set[str] = set()
    if exact:
        small: QuerySet[Any, Any] = rows.annotate(small=Lower("name"), small_arn=Lower("arn"))
        matching = small.filter(Q(small__in=exact) | Q(small_arn__in=exact))
        for name, arn in matching.values_list("small", "small_arn"):
            known |= {name, arn}
    missing = []
    for each in entries:
        is_known = each.value.lower() in known
        if _is_pattern(each.value):
            expression = _expression(each.value)
            is_known = rows.filter(Q(name__iregex=expression) | Q(arn__iregex=expression)).exists()
        if not is_known:
            missing.append(each)
    return missing


def _unmatched_sets(
    entries: Iterable[AllowedPrincipal], entities: QuerySet[Entity]
) -> list[AllowedPrincipal]:
    rows = entities.filter(kind=Kind.ROLE, arn__contains=SSO_PATH)
    roles = list(rows.values_list("name", "arn"))
    missing = []
    for each in entries:
        if not any(each.names(AllowedKind.ROLE.value, name, arn) for name, arn in roles):
            missing.append(each)
    return missing


def _is_tag_used(tag: str, entities: QuerySet[Entity]) -> bool:
    key, _, pattern = tag.partition("=")
    principals = entities.filter(kind__in=PRINCIPALS)
    tagged = TagSet.objects.filter(CURRENT, entity__in=principals.values("pk"), tags__has_key=key)
    values: QuerySet[Any, Any] = tagged.annotate(value=KeyTextTransform(key, "tags"))
    return any(fnmatchcase(value, pattern) for value in values.values_list("value", flat=True).distinct())


def _is_pattern(value: str) -> bool:
    return "*" in value or "?" in value


def _expression(pattern: str) -> str:
    """The regular expression of a pattern, in the syntax of both databases."""
    parts = {"*": ".*", "?": "."}
    return f"^{''.join(parts.get(sign) or re.escape(sign) for sign in pattern)}$"
