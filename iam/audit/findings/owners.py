"""Who a finding is for: the person or team behind its user, or whom the tags of its subject name."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.db import connection
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from iam.audit.findings.models import AuditFinding
from iam.directory.models import Identity, NamedOwner, OwnedUser, Person
from iam.linking.known_owners import owners_known
from iam.mirror.models import Entity, TagSet, valid_at


def owners_of(entities: Iterable[int]) -> dict[int, str]:
    """The owners of users, roles and others by their number, as far as they are known."""
    return {number: owner.name for number, owner in owners_known(entities).items()}


def entities_owned_by(text: str) -> list[int]:
    """Those about which there are findings and whose owner has this name, as pages show it, or this email
    address. Who could be meant is checked by the one answer to who owns something.
    """
    names = {text, *Person.objects.filter(email__iexact=text).values_list("name", flat=True)}
    candidates: set[int] = set()
    for name in names:
        candidates.update(_named_or_linked(name), _tagged(name))
    wanted = {name.casefold() for name in names}
    return sorted(number for number, owner in owners_of(candidates).items() if owner.casefold() in wanted)


def _named_or_linked(name: str) -> Iterable[int]:
    """What was named for a person or team of this name, their users, and the users of the team."""
    named = NamedOwner.objects.filter(Q(person__name__iexact=name) | Q(team__name__iexact=name))
    linked = Identity.objects.filter(person__name__iexact=name)
    owned = OwnedUser.objects.filter(team__name__iexact=name)
    same = Q(aws_id__in=named.values("subject")) | Q(arn__in=linked.values("user_arn"))
    rows = Entity.objects.filter(same | Q(aws_id__in=owned.values("aws_id")))
    return rows.values_list("pk", flat=True)


def _tagged(name: str) -> Iterable[int]:
    """What has a tag with this text, of that about which there are findings."""
    # SQLite has the text as it was written, PostgreSQL as it reads.
    written = json.dumps(name, ensure_ascii=connection.vendor == "sqlite")[1:-1]
    about = AuditFinding.objects.filter(entity__isnull=False).values("entity")
    current = TagSet.objects.filter(valid_at(None), entity__in=about)
    tagged = current.annotate(written=Cast("tags", TextField())).filter(written__icontains=written)
    return tagged.values_list("entity_id", flat=True)
