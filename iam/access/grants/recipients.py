"""Finds the people who receive a grant: by their own users, as members of a group, or through a role they can
assume.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from iam.access.grants.models import Grant, LedgerEntry, PermissionSort
from iam.directory.models import Identity, Person
from iam.mirror.models import Edge, EdgeKind, EntityState, valid_at
from iam.policy.statements import statements_in
from iam.policy.trust_principals import read_principals

Place = tuple[str, str]
"""Account ID and account name."""


@dataclass(slots=True)
class ReceivedAccess:
    """The accounts in which somebody receives access, with sentences on how to use access that they don't
    hold directly.
    """

    places: set[Place] = field(default_factory=set)
    how: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class GrantRecipients:
    """People who receive the same access in the same accounts in the same way."""

    people: tuple[Person, ...]
    places: tuple[Place, ...]
    how: tuple[str, ...]


def recipients_of(grant: Grant, *, has_ended: bool = False) -> list[GrantRecipients]:
    """All active people who have access by the grant or, with `has_ended`, had it; grouped by what a mail can
    say to them.

    Group members are those of today. For a role, only users that its trust policy names are known; who uses a
    role that trusts a whole account, a provider or another role is unknown.
    """
    entries = LedgerEntry.objects.filter(part__grant=grant, since__isnull=False)
    if not has_ended:
        entries = entries.filter(until__isnull=True)
    by_arn: dict[str, ReceivedAccess] = defaultdict(ReceivedAccess)
    for entry in entries.select_related("entity", "account", "change", "part").order_by("pk"):
        # A caller's permission to assume the role is in their own account, but the access is where the role
        # is.
        if entry.account_id == entry.part.account_id:
            _add_receivers(entry, by_arn)
    by_person: dict[UUID, ReceivedAccess] = defaultdict(ReceivedAccess)
    for person_id, arn in Identity.objects.filter(user_arn__in=by_arn).values_list("person_id", "user_arn"):
        by_person[person_id].places |= by_arn[arn].places
        by_person[person_id].how |= by_arn[arn].how
    return _grouped(by_person)


def _grouped(by_person: Mapping[UUID, ReceivedAccess]) -> list[GrantRecipients]:
    """Group people by accounts and by how they get the access."""
    groups: dict[tuple[tuple[Place, ...], tuple[str, ...]], list[Person]] = defaultdict(list)
    for person in Person.objects.filter(pk__in=by_person, is_active=True).order_by("pk"):
        received = by_person[person.pk]
        places = tuple(sorted(received.places, key=lambda place: place[1]))
        how = tuple(sorted(received.how))
        groups[places, how].append(person)
    return [GrantRecipients(tuple(people), places, how) for (places, how), people in groups.items()]


def _add_receivers(entry: LedgerEntry, by_arn: dict[str, ReceivedAccess]) -> None:
    """Add the people who receive one permission."""
    # Use the current ARN, so that renamed entities are found.
    arn = entry.entity.arn if entry.entity and entry.entity.gone_at is None else entry.holder_arn
    place = (entry.account.account_id, entry.account.name)
    name = arn.rpartition("/")[2]
    arns, how = [arn], ""
    if ":group/" in arn:
        arns, how = list(_members(entry)), f"In {place[1]}, you get it as a member of the group {name}."
    elif ":role/" in arn:
        arns, how = list(_assumers(entry)), f"To use it in {place[1]}, switch to the role {name} ({arn})."
    for user_arn in arns:
        by_arn[user_arn].places.add(place)
        if how:
            by_arn[user_arn].how.add(how)


def _members(entry: LedgerEntry) -> Iterable[str]:
    members = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, target=entry.entity_id)
    return members.values_list("source__arn", flat=True)


def _assumers(entry: LedgerEntry) -> Iterator[str]:
    """The users that the trust policy names: in the statement that the grant added or, if the role itself is
    a recipient, in all statements.
    """
    for statement in _trust_statements(entry):
        if statement.get("Effect") != "Allow" or "Principal" not in statement:
            continue
        if entry.sort == PermissionSort.TRUST and statement.get("Sid") != entry.target:
            continue
        for principal in read_principals(statement["Principal"]):
            if principal.kind == "user":
                yield principal.text


def _trust_statements(entry: LedgerEntry) -> list[Mapping[str, Any]]:
    """The trust statements that the change wrote, which outlive the role; for other permissions of a role,
    the current ones.
    """
    params = entry.change.params if entry.change else {}
    if entry.sort == PermissionSort.TRUST:
        text = params.get("document")
    elif entry.sort == PermissionSort.ROLE:
        text = params.get("trust")
    else:
        state = EntityState.objects.filter(valid_at(None), entity=entry.entity_id).select_related("document")
        role = state.first() if entry.entity_id else None
        text = role.document.text if role and role.document else None
    return [*statements_in(json.loads(text))] if text else []
