"""Finds the person who is offboarded or changes team, and their IAM users in all accounts, according to
`iam.linking`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from uuid import UUID

from django.db.models import Q

from iam.directory.models import RuleKind, TeamRule
from iam.guard import Viewer
from iam.linking.ownership import DOUBTS, LinkedUser, UserOwnership, owners_of, users_of
from iam.mirror.display_names import display_name
from iam.mirror.models import Edge, EdgeKind, Entity, EntityState, Kind, TagSet, valid_at
from iam.mirror.queries.visibility import visible_entities


@dataclass(frozen=True, slots=True)
class LeaverUsers:
    """A person with their users. `why` explains for each user (by number) how that is known. `person_id` None
    means that the person isn't in the directory.
    """

    name: str
    email: str
    person_id: UUID | None
    users: tuple[Entity, ...]
    why: dict[int, str]
    unseen: int = 0
    """The number of their users that are left out because the requester can't reach them."""


def leaver_of(user: Entity) -> LeaverUsers:
    """Return the owner of a mirror user with all their users, with a handful of queries."""
    return people_of([user])[0]


def people_of(users: Sequence[Entity]) -> list[LeaverUsers]:
    """Return the owner of each user, in order. The number of queries is constant."""
    owners = owners_of(users)
    tags = _tags(users)
    people = {owner.person.pk: owner.person for owner in owners.values() if owner.person}
    addresses = {owner.address for owner in owners.values() if owner.person is None}
    users_by_owner = users_of(list(people.values()), addresses=addresses)
    return [_leaver_user(user, owners[user.pk], tags.get(user.pk, {}), users_by_owner) for user in users]


def reach_of(viewer: Viewer) -> Viewer:
    """Return the viewer limited to what they can request changes for."""
    return replace(viewer, scope=viewer.asks)


def limited_to_viewer(
    people: Sequence[LeaverUsers], *, viewer: Viewer, more: Sequence[Entity] = ()
) -> list[LeaverUsers]:
    """Return the people with only the users that the viewer can request changes for, adding `more` to the
    first person. Two queries.
    """
    all_users = chain.from_iterable(person.users for person in people)
    pks = {user.pk for user in all_users}
    reachable = set(visible_entities(reach_of(viewer)).filter(pk__in=pks).values_list("pk", flat=True))
    limited = []
    for place, person in enumerate(people):
        users = [user for user in person.users if user.pk in reachable]
        unseen = len(person.users) - len(users)
        why = dict(person.why)
        if place == 0:
            users += more
            why |= {user.pk: "same name, chosen" for user in more}
        limited.append(replace(person, users=tuple(users), why=why, unseen=unseen))
    return limited


def user_for(viewer: Viewer, pk: int) -> Entity | None:
    """Return the user if the viewer can request changes to them, or None."""
    living = visible_entities(reach_of(viewer)).filter(kind=Kind.USER, gone_at__isnull=True)
    return living.select_related("account").filter(pk=pk).first()


def same_name(person: LeaverUsers, *, viewer: Viewer) -> list[Entity]:
    """Return users of other accounts with the same name and no owner, and users matched to several people
    including this one. Someone must decide whether they belong to this person.
    """
    names = {user.name for user in person.users}
    accounts = [user.account_id for user in person.users]
    alike = Q(name__in=names) & ~Q(account__in=accounts)
    if person.person_id is not None:
        alike |= Q(sign__standing__in=DOUBTS, sign__said__icontains=str(person.person_id))
    living = visible_entities(reach_of(viewer)).filter(alike, kind=Kind.USER, gone_at__isnull=True)
    rows = living.exclude(pk__in=[user.pk for user in person.users]).select_related("account")
    users = list(rows.order_by("account__name", "pk")[:20])
    owners = owners_of(users)
    return [user for user in users if owners[user.pk].person is None and not owners[user.pk].address]


def teams_of(users: Sequence[Entity]) -> list[str]:
    """Return the slugs of the teams that the users are part of now, by name."""
    groups = {
        (number, name)
        for number, name in Edge.objects.filter(
            valid_at(None), kind=EdgeKind.MEMBER, source__in=users
        ).values_list("account__account_id", "target__name")
    }
    paths = EntityState.objects.filter(valid_at(None), entity__in=users).values_list(
        "account__account_id", "path"
    )
    lie = list(paths)
    teams = set()
    for rule in TeamRule.objects.select_related("team"):
        if rule.kind == RuleKind.GROUP:
            fits = any(name == rule.value and rule.account_id in ("", number) for number, name in groups)
        else:
            start = f"/{rule.value.strip('/')}/" if rule.value.strip("/") else "/"
            fits = any(path.startswith(start) and rule.account_id in ("", number) for number, path in lie)
        if fits:
            teams.add(rule.team.slug)
    return sorted(teams)


def _leaver_user(
    user: Entity,
    known: UserOwnership,
    tags: dict[str, str],
    theirs: Mapping[UUID | str, Sequence[LinkedUser]],
) -> LeaverUsers:
    person = known.person
    person_id = person.pk if person else None
    key: UUID | str = person_id or known.address
    owned = theirs.get(key, ()) if key else ()
    why = {owned_user.user.pk: owned_user.ownership.words for owned_user in owned}
    users = [owned_user.user for owned_user in owned]
    if user.pk not in why:
        users.insert(0, user)
        why[user.pk] = "chosen"
    name = person.name if person else display_name(user.name, tags)
    address = person.email.lower() if person else known.address
    return LeaverUsers(name, address, person_id, tuple(users), why)


def _tags(users: Sequence[Entity]) -> dict[int, dict[str, str]]:
    """Return the tags of users, with keys in lower case."""
    rows = TagSet.objects.filter(valid_at(None), entity__in=users).values_list("entity_id", "tags")
    return {pk: {key.lower(): str(value) for key, value in tag_values.items()} for pk, tag_values in rows}
