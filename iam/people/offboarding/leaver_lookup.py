"""Who leaves or moves, and which IAM users are theirs, in all accounts, as `iam.linking` says."""

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
    """A person with the users that are theirs. `why` says of each user (by number) how that is known.
    `person_id` None: nobody of the directory.
    """

    name: str
    email: str
    person_id: UUID | None
    users: tuple[Entity, ...]
    why: dict[int, str]
    unseen: int = 0
    """Users of theirs that are left out, since anyone who asks does not reach them."""


def leaver_of(user: Entity) -> LeaverUsers:
    """Whose a user of the mirror is, with all their users; a handful of queries."""
    return people_of([user])[0]


def people_of(users: Sequence[Entity]) -> list[LeaverUsers]:
    """Whose each of some users is, in their order; the same queries, whatever their number."""
    owners = owners_of(users)
    tags = _tags(users)
    people = {owner.person.pk: owner.person for owner in owners.values() if owner.person}
    addresses = {owner.address for owner in owners.values() if owner.person is None}
    users_by_owner = users_of(list(people.values()), addresses=addresses)
    return [_leaver_user(user, owners[user.pk], tags.get(user.pk, {}), users_by_owner) for user in users]


def reach_of(viewer: Viewer) -> Viewer:
    """The same viewer, who sees just those for whom they may ask."""
    return replace(viewer, scope=viewer.asks)


def limited_to_viewer(
    people: Sequence[LeaverUsers], *, viewer: Viewer, more: Sequence[Entity] = ()
) -> list[LeaverUsers]:
    """The same people with the users for whom the viewer may ask, and with `more` for the first of them; two
    queries.
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
    """The user, if the viewer may ask for changes to them."""
    living = visible_entities(reach_of(viewer)).filter(kind=Kind.USER, gone_at__isnull=True)
    return living.select_related("account").filter(pk=pk).first()


def same_name(person: LeaverUsers, *, viewer: Viewer) -> list[Entity]:
    """Users of other accounts who have the same name and no owner, and those who are matched to several
    people, this one among them: someone has to decide whether they are this person's.
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
    """The slugs of the teams that the users are part of now, by name."""
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
    """The tags of users, their keys in small letters."""
    rows = TagSet.objects.filter(valid_at(None), entity__in=users).values_list("entity_id", "tags")
    return {pk: {key.lower(): str(value) for key, value in tag_values.items()} for pk, tag_values in rows}
