"""Who is meant, and which IAM users are theirs, in all accounts: by the directory, and by the address in the tag of the users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from django.db.models import Q

from iam.directory.models import Identity, Person, RuleKind, TeamRule
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, EntityState, Kind, TagSet, valid_at
from iam.mirror.naming import display_name
from iam.mirror.queries.visibility import visible_entities

EMAIL: Final = "email"
NAME: Final = "displayname"


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person with the users that are theirs. `why` says of each user (by number) how that is known. `person_id` None: nobody of the directory."""

    name: str
    email: str
    person_id: UUID | None
    users: tuple[Entity, ...]
    why: dict[int, str]
    unseen: int = 0
    """Users of theirs that are left out, since whoever asks does not reach them."""


def somebody(user: Entity) -> Somebody:
    """Whose a user of the mirror is, with all their users; a handful of queries."""
    return people_of([user])[0]


def people_of(users: Sequence[Entity]) -> list[Somebody]:
    """Whose each of some users is, in their order; the same queries, whatever their number."""
    tags = _tags(users)
    owners = dict(
        Identity.objects.filter(user_arn__in=[one.arn for one in users]).values_list("user_arn", "person_id")
    )
    addresses = {one.pk: tags.get(one.pk, {}).get(EMAIL, "").lower() for one in users}
    people = Person.objects.filter(
        Q(pk__in=set(owners.values())) | Q(email__in={text for text in addresses.values() if text})
    )
    by_id = {one.pk: one for one in people}
    by_email = {one.email.lower(): one for one in by_id.values()}
    found = []
    for user in users:
        owner = owners.get(user.arn)
        person = by_id.get(owner) if owner else by_email.get(addresses[user.pk])
        found.append((user, person, person.email.lower() if person else addresses[user.pk]))
    theirs = _theirs([(person, email) for _, person, email in found])
    return [
        _one(user, person, email, tags.get(user.pk, {}), known)
        for (user, person, email), known in zip(found, theirs, strict=True)
    ]


def reach_of(viewer: Viewer) -> Viewer:
    """The same viewer, who sees just those for whom they may ask."""
    return replace(viewer, scope=viewer.asks)


def within(people: Sequence[Somebody], *, viewer: Viewer, more: Sequence[Entity] = ()) -> list[Somebody]:
    """The same people with the users for whom the viewer may ask, and with `more` for the first of them; two queries."""
    pks = {user.pk for one in people for user in one.users}
    reached = set(visible_entities(reach_of(viewer)).filter(pk__in=pks).values_list("pk", flat=True))
    found = []
    for place, one in enumerate(people):
        users = tuple(user for user in one.users if user.pk in reached)
        added = tuple(more) if place == 0 else ()
        why = one.why | {user.pk: "same name, chosen" for user in added}
        found.append(replace(one, users=(*users, *added), why=why, unseen=len(one.users) - len(users)))
    return found


def user_for(viewer: Viewer, pk: int) -> Entity | None:
    """The user, if the viewer may ask for changes to them."""
    living = visible_entities(reach_of(viewer)).filter(kind=Kind.USER, gone_at__isnull=True)
    return living.select_related("account").filter(pk=pk).first()


def meant_by(viewer: Viewer, texts: Iterable[str]) -> dict[str, list[Entity]]:
    """The users whom each text means (an address, a user name, an ARN) and whom the viewer may ask for; a few queries."""
    wanted = {text: text.strip() for text in texts}
    lowered = {text.lower() for text in wanted.values() if text}
    living = visible_entities(reach_of(viewer)).filter(kind=Kind.USER, gone_at__isnull=True)
    tied = Identity.objects.filter(person__email__in=lowered).values_list("person__email", "user_arn")
    by_mail: dict[str, set[str]] = {}
    for email, arn in tied:
        by_mail.setdefault(email.lower(), set()).add(arn)
    tagged = _tagged(lowered)
    pks = {pk for some in tagged.values() for pk in some}
    arns = {arn for some in by_mail.values() for arn in some} | {
        text for text in wanted.values() if text.startswith("arn:")
    }
    names = {text for text in wanted.values() if text}
    rows = living.filter(Q(pk__in=pks) | Q(arn__in=arns) | Q(name__in=names)).select_related("account")
    users = list(rows.order_by("account__name", "pk"))
    found = {}
    for text, said in wanted.items():
        mail = said.lower()
        mailed = by_mail.get(mail, set())
        tagged_here = tagged.get(mail, set())
        found[text] = [
            one for one in users if said in (one.name, one.arn) or one.arn in mailed or one.pk in tagged_here
        ]
    return found


def same_name(person: Somebody, *, viewer: Viewer) -> list[Entity]:
    """Users of other accounts who have the same name, and whom nothing else ties to the person: somebody has to say whether they are theirs."""
    names = {one.name for one in person.users}
    living = visible_entities(reach_of(viewer)).filter(kind=Kind.USER, gone_at__isnull=True, name__in=names)
    rows = living.exclude(pk__in=[one.pk for one in person.users]).exclude(
        account__in=[one.account_id for one in person.users]
    )
    tied = set(Identity.objects.filter(user_arn__in=rows.values("arn")).values_list("user_arn", flat=True))
    found = list(rows.select_related("account").order_by("account__name", "pk")[:20])
    tags = _tags(found)
    return [one for one in found if one.arn not in tied and not tags.get(one.pk, {}).get(EMAIL)]


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
    found = set()
    for rule in TeamRule.objects.select_related("team"):
        if rule.kind == RuleKind.GROUP:
            fits = any(name == rule.value and rule.account_id in ("", number) for number, name in groups)
        else:
            start = f"/{rule.value.strip('/')}/" if rule.value.strip("/") else "/"
            fits = any(path.startswith(start) and rule.account_id in ("", number) for number, path in lie)
        if fits:
            found.add(rule.team.slug)
    return sorted(found)


def _theirs(wanted: Sequence[tuple[Person | None, str]]) -> list[list[tuple[Entity, str]]]:
    """For each: (user, how that is known)."""
    identities: dict[UUID, set[str]] = {}
    rows = Identity.objects.filter(person__in=[one.pk for one, _ in wanted if one])
    for person_id, arn in rows.values_list("person_id", "user_arn"):
        identities.setdefault(person_id, set()).add(arn)
    tagged = _tagged({email for _, email in wanted if email})
    arns = {arn for some in identities.values() for arn in some}
    pks = {pk for some in tagged.values() for pk in some}
    living = Entity.objects.filter(
        Q(arn__in=arns) | Q(pk__in=pks),
        kind=Kind.USER,
        gone_at__isnull=True,
        account__removed_at__isnull=True,
    )
    users = list(living.select_related("account").order_by("account__name", "pk"))
    owned = dict(
        Identity.objects.filter(user_arn__in=[one.arn for one in users]).values_list("user_arn", "person_id")
    )
    found = []
    for person, email in wanted:
        own = identities.get(person.pk, set()) if person else set()
        mailed = tagged.get(email, set())
        rows_of = []
        for one in users:
            if one.arn in own:
                rows_of.append((one, "linked to the person"))
            elif one.pk in mailed and owned.get(one.arn) in (None, person.pk if person else None):
                rows_of.append((one, f"tagged {email}"))
        found.append(rows_of)
    return found


def _one(
    user: Entity, person: Person | None, email: str, tags: dict[str, str], known: list[tuple[Entity, str]]
) -> Somebody:
    why = {one.pk: said for one, said in known}
    users = [one for one, _ in known]
    if user.pk not in why:
        users.insert(0, user)
        why[user.pk] = "chosen"
    name = person.name if person else tags.get(NAME) or display_name(user.name) or user.name
    return Somebody(name, email, person.pk if person else None, tuple(users), why)


def _tags(users: Sequence[Entity]) -> dict[int, dict[str, str]]:
    """The tags of users, their keys in small letters."""
    rows = TagSet.objects.filter(valid_at(None), entity__in=users).values_list("entity_id", "tags")
    return {pk: {key.lower(): str(value) for key, value in held.items()} for pk, held in rows}


def _tagged(emails: set[str]) -> dict[str, set[int]]:
    """The users who have one of the addresses in their tag."""
    found: dict[str, set[int]] = {}
    if not emails:
        return found
    rows = TagSet.objects.filter(valid_at(None), entity__kind=Kind.USER, entity__gone_at__isnull=True)
    if len(emails) == 1:
        (email,) = emails
        rows = rows.filter(tags__icontains=email)
    for pk, held in rows.values_list("entity_id", "tags"):
        for key, value in held.items():
            if key.lower() == EMAIL and str(value).lower() in emails:
                found.setdefault(str(value).lower(), set()).add(pk)
    return found
