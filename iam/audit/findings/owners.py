"""Finds the owners of findings: the person or team behind a user, or the owner in the tags of the subject."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from iam.audit.findings.models import AuditFinding
from iam.directory.models import Identity, NamedOwner, OwnedKind, OwnedUser, Person
from iam.linking.key_owners import own_owners
from iam.linking.known_owners import owners_known
from iam.mirror.models import Entity, Kind, TagSet, valid_at
from iam.search_words import folded, matches, spellings


def owners_of(findings: Collection[AuditFinding]) -> dict[int, str]:
    """The known owners of findings, by primary key; several names if a finding names access keys of several
    owners.
    """
    return {number: ", ".join(names) for number, names in owner_names(findings).items()}


def owned_by(text: str) -> Q:
    """The findings about what this person or team owns, by displayed name or email address.

    Candidates are verified by the function that determines owners.
    """
    names = {text, *Person.objects.filter(email__iexact=text).values_list("name", flat=True)}
    candidates: set[int] = set()
    for name in names:
        candidates.update(_named_or_linked(name), _tagged(name))
    wanted = {folded(name) for name in names}
    entities = [pk for pk, owner in owners_known(candidates).items() if folded(owner.name) in wanted]
    owned = Q(entity__in=entities)
    named = NamedOwner.objects.filter(kind=OwnedKind.KEY).values("subject")
    keys = Entity.objects.filter(kind=Kind.ACCESS_KEY, aws_id__in=named, owner__isnull=False)
    about_keys = list(_about_keys(keys.values("owner")))
    if not about_keys:
        return owned
    chosen = []
    for number, owners in owner_names(about_keys).items():
        if not wanted.isdisjoint(map(folded, owners)):
            chosen.append(number)
    others = ~Q(pk__in=[finding.pk for finding in about_keys])
    return (owned & others) | Q(pk__in=chosen)


def owner_names(findings: Collection[AuditFinding]) -> dict[int, list[str]]:
    """By primary key of the finding: the owner of its subject, or the owners of the access keys it names.

    If it also names a password, the owner of the user comes first.
    """
    subjects = {finding.pk: finding.entity_id for finding in findings if finding.entity_id}
    if not subjects:
        return {}
    of_entities = {pk: owner.name for pk, owner in owners_known(subjects.values()).items()}
    owners: dict[int, list[str]] = {}
    for number, entity in subjects.items():
        if entity in of_entities:
            owners[number] = [of_entities[entity]]
    keys = Entity.objects.filter(kind=Kind.ACCESS_KEY, owner__in=set(subjects.values()))
    of_keys = own_owners(keys.values("aws_id"))
    if not of_keys:
        return owners
    for finding in _about_keys(set(subjects.values())).filter(pk__in=list(subjects)):
        of_user = of_entities.get(finding.entity_id or 0, "")
        names = [of_keys.get(row["key"], of_user) for row in finding.evidence["keys"]]
        if finding.evidence.get("password"):
            names.insert(0, of_user)
        owners[finding.pk] = list(dict.fromkeys(filter(None, names)))
    return owners


def _about_keys(users: Any) -> QuerySet[AuditFinding]:
    """The findings about users that name access keys."""
    rows = AuditFinding.objects.filter(entity__in=users, evidence__has_key="keys")
    return rows.only("entity", "evidence")


def _named_or_linked(name: str) -> Iterable[int]:
    """Return the entities that a person or team of this name owns: as named owner, as linked users, and as
    users of the team.
    """
    named = NamedOwner.objects.filter(matches(name, "person__name", "team__name", by="iexact"))
    linked = Identity.objects.filter(matches(name, "person__name", by="iexact"))
    owned = OwnedUser.objects.filter(matches(name, "team__name", by="iexact"))
    same = Q(aws_id__in=named.values("subject")) | Q(arn__in=linked.values("user_arn"))
    rows = Entity.objects.filter(same | Q(aws_id__in=owned.values("aws_id")))
    return rows.values_list("pk", flat=True)


def _tagged(name: str) -> Iterable[int]:
    """Return the subjects of findings that have a tag containing this text."""
    is_written = Q()
    for spelling in spellings(name):
        # SQLite compares the JSON text as stored, PostgreSQL the parsed JSON.
        written = json.dumps(spelling, ensure_ascii=connection.vendor == "sqlite")[1:-1]
        is_written |= Q(written__icontains=written)
    about = AuditFinding.objects.filter(entity__isnull=False).values("entity")
    current = TagSet.objects.filter(valid_at(None), entity__in=about)
    tagged = current.annotate(written=Cast("tags", TextField())).filter(is_written)
    return tagged.values_list("entity_id", flat=True)
