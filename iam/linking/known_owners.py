"""Who owns a user, a role or a grant: the one answer that pages, findings and offboarding ask for. Nothing in
AWS changes, and an owner has no rights by it.

The first of these that is known: who was named in Gatehouse, the person whose user it is, the tags Owner and
Team, the owning team of a machine user. Someone who has left owns nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from iam.batches import batches
from iam.directory.models import Identity, NamedOwner, OwnedKind, OwnedUser, Person, Team
from iam.directory.owners import OwnedSubject, name_owner, remove_named_owner
from iam.directory.rules import DirectoryRuleError
from iam.guard import Right, Viewer
from iam.journal.services import GATEHOUSE
from iam.linking.owners import leads_team_of
from iam.mirror.models import Entity, Kind, TagSet, valid_at

TAGS: Final = ("owner", "team")
"""Names of tags that tell an owner, in lower case, the more exact one first."""
NAMED, LINKED, TAGGED, TEAM, OF_USER = "named", "linked", "tagged", "team", "user"
WORDS: Final[Mapping[str, str]] = {
    NAMED: "set in Gatehouse",
    LINKED: "linked person",
    TAGGED: "from a tag in AWS",
    TEAM: "owning team",
    OF_USER: "owner of the IAM user",
}
CHUNK: Final = 900
NOT_YOURS: Final = "You can set the owner only where you administer the account or lead the team."


@dataclass(frozen=True, slots=True)
class KnownOwner:
    """Who owns something, by name, and how that is known."""

    name: str
    source: str

    @property
    def words(self) -> str:
        """How it is known."""
        return WORDS[self.source]


def owners_known(
    entities: Iterable[int], *, tags: Mapping[int, Mapping[str, str]] | None = None
) -> dict[int, KnownOwner]:
    """The owners of users, roles and others by their numbers, as far as they are known; two to five queries
    for each 900, one less where their `tags` are known.
    """
    numbers = sorted(set(entities))
    owners: dict[int, KnownOwner] = {}
    for batch in batches(numbers, CHUNK):
        owners |= _known(Entity.objects.filter(pk__in=batch), tags)
    return owners


def _known(entities: QuerySet[Entity], tags: Mapping[int, Mapping[str, str]] | None) -> dict[int, KnownOwner]:
    linked = Identity.objects.filter(Q(aws_id="") | Q(aws_id=OuterRef("aws_id")), user_arn=OuterRef("arn"))
    named = NamedOwner.objects.filter(kind=OwnedKind.IDENTITY, subject=OuterRef("aws_id"))
    owned = OwnedUser.objects.filter(aws_id=OuterRef("aws_id"))
    rows = entities.annotate(
        named_person=Subquery(named.filter(person__is_active=True).values("person__name")[:1]),
        named_team=Subquery(named.values("team__name")[:1]),
        linked=Subquery(linked.filter(person__is_active=True).values("person__name")[:1]),
        owning=Subquery(owned.values("team__name")[:1]),
    )
    owners: dict[int, KnownOwner] = {}
    teams: dict[int, KnownOwner] = {}
    untold = []
    for pk, person, team, user_of, owning in rows.values_list(
        "pk", "named_person", "named_team", "linked", "owning"
    ):
        if person or team:
            owners[pk] = KnownOwner(person or team, NAMED)
        elif user_of:
            owners[pk] = KnownOwner(user_of, LINKED)
        else:
            untold.append(pk)
            if owning:
                teams[pk] = KnownOwner(owning, TEAM)
    if tags is None:
        current = TagSet.objects.filter(valid_at(None), entity__in=untold)
        tags = dict(current.values_list("entity_id", "tags")) if untold else {}
    return owners | teams | _tagged({number: _values(tags.get(number) or {}) for number in untold})


def _tagged(values: Mapping[int, list[str]]) -> dict[int, KnownOwner]:
    """Who is named by the tags of each, unless they have left."""
    left = _left(set(chain.from_iterable(values.values())))
    owners = {}
    for number, candidates in values.items():
        present = [value for value in candidates if value not in left]
        if present:
            owners[number] = KnownOwner(present[0], TAGGED)
    return owners


def _left(values: Collection[str]) -> set[str]:
    """Of the values of tags, those that are the email address, the name or the user name of someone who has
    left, and of no one who is still here. Two queries, or three.
    """
    if not values:
        return set()
    lower = {value.lower() for value in values}
    gone: set[str] = set()
    persons = Person.objects.filter(Q(email__in=lower) | Q(name__in=values))
    here: set[str] = set()
    for is_active, *texts in persons.values_list("is_active", "email", "name"):
        (here if is_active else gone).update(text.lower() for text in texts)
    users = Entity.objects.filter(arn=OuterRef("user_arn"), kind=Kind.USER, name__in={*values, *lower})
    logins = Identity.objects.filter(Exists(users), person__is_active=False).values_list(
        "user_arn", flat=True
    )
    of_leavers = {arn.rpartition("/")[2].lower() for arn in logins}
    if of_leavers:
        is_same = Q()
        for login in of_leavers:
            is_same |= Q(user_arn__iendswith=f"/{login}")
        others = Identity.objects.filter(is_same, person__is_active=True).values_list("user_arn", flat=True)
        here.update(arn.rpartition("/")[2].lower() for arn in others)
    gone |= of_leavers
    return {value for value in values if value.lower() in gone - here}


def leavers_tagged(entity: Entity) -> list[str]:
    """Whom the tags of a user or role name as its owner though they have left, as the tags have it."""
    tags = TagSet.objects.filter(valid_at(None), entity=entity).values_list("tags", flat=True).first()
    values = _values(tags or {})
    left = _left(set(values))
    return [value for value in values if value in left]


def _values(tags: Mapping[str, str]) -> list[str]:
    by_name = {name.lower(): str(value).strip() for name, value in tags.items()}
    return [by_name[name] for name in TAGS if by_name.get(name)]


def identity_subject(entity: Entity) -> OwnedSubject:
    """A user or role as something that has an owner."""
    return OwnedSubject(OwnedKind.IDENTITY, entity.aws_id, entity.account.account_id, entity.arn)


def named_owner(owned: OwnedSubject) -> NamedOwner | None:
    """Who was named as owner, whether or not they have left."""
    rows = NamedOwner.objects.filter(kind=owned.kind, subject=owned.subject)
    return rows.select_related("person", "team").first()


def find_owner(text: str) -> Person | Team:
    """The active person with an email address, or the team with a name. Raises DirectoryRuleError."""
    text = text.strip()
    team = Team.objects.filter(Q(name__iexact=text) | Q(slug__iexact=text)).order_by("pk").first()
    if team is not None:
        return team
    try:
        validate_email(text)
    except ValidationError:
        message = f"“{text[:100]}” isn’t a team. Enter the name of a team, or the email address of a person."
        raise DirectoryRuleError(message) from None
    person = Person.objects.filter(email__iexact=text).first()
    if person is None:
        raise DirectoryRuleError(f"No person in Gatehouse has the email address {text[:100]}.")
    if not person.is_active:
        raise DirectoryRuleError(f"{person.name} is deactivated. Name someone who is still here.")
    return person


def may_name_owner(viewer: Viewer, entity: Entity) -> bool:
    """Whether the viewer can say who owns a machine user or a role: administrators of the account, and leads
    for the machine users of their teams.
    """
    if entity.kind not in (Kind.USER, Kind.ROLE) or entity.gone_at is not None:
        return False
    if viewer.may(Right.MANAGE_OPERATORS, account_id=entity.account.account_id):
        return True
    return entity.kind == Kind.USER and leads_team_of(viewer, entity)


def check_new_owner(viewer: Viewer, owner: Person | Team, *, account_id: str) -> None:
    """Leads name a team that they lead, or themselves. Raises DirectoryRuleError."""
    if viewer.may(Right.MANAGE_OPERATORS, account_id=account_id):
        return
    is_own = owner.slug in viewer.leads if isinstance(owner, Team) else owner.pk == viewer.person_id
    if not is_own:
        raise DirectoryRuleError("You can name a team that you lead, or yourself.")


def set_identity_owner(viewer: Viewer, entity: Entity, text: str, *, why: str = "") -> bool:
    """Name the owner of a machine user or role, or ("") nobody; False if nothing changed. Raises
    DirectoryRuleError.
    """
    if not may_name_owner(viewer, entity):
        raise DirectoryRuleError(NOT_YOURS)
    owned = identity_subject(entity)
    if not text.strip():
        return remove_named_owner(owned, actor=viewer, why=why)
    links = Identity.objects.filter(Q(aws_id="") | Q(aws_id=entity.aws_id), user_arn=entity.arn)
    if linked := links.filter(person__is_active=True).select_related("person").first():
        raise DirectoryRuleError(f"{entity.name} is linked to {linked.person.name}, who owns it.")
    owner = find_owner(text)
    check_new_owner(viewer, owner, account_id=owned.account_id)
    return name_owner(owned, owner, actor=viewer, why=why)


def owned_by_person(viewer: Viewer, person_id: UUID | None) -> list[NamedOwner]:
    """What a person was named for, as far as the viewer can hand it over: all in the accounts that they
    administer, and the machine users of the teams that they lead, with their keys.
    """
    if person_id is None:
        return []
    rows = list(_named_for(person_id).select_related("person").order_by("kind", "name", "pk"))
    users = _users_of_keys(rows)
    able = []
    for row in rows:
        administers = viewer.may(Right.MANAGE_OPERATORS, account_id=row.account_id)
        if administers or (row.account_id, users.get(row.subject, row.subject)) in viewer.scope.owned:
            able.append(row)
    return able


def _named_for(person_id: UUID) -> QuerySet[NamedOwner]:
    """What a person was named for, without what was deleted in AWS."""
    gone = Entity.objects.filter(
        account__account_id=OuterRef("account_id"),
        kind__in=(Kind.USER, Kind.ROLE, Kind.ACCESS_KEY),
        aws_id=OuterRef("subject"),
        gone_at__isnull=False,
    )
    return NamedOwner.objects.filter(~Exists(gone), person=person_id)


def _users_of_keys(rows: Iterable[NamedOwner]) -> dict[str, str]:
    """The unique ids of the users of access keys, by the id of the key."""
    keys = [row.subject for row in rows if row.kind == OwnedKind.KEY]
    if not keys:
        return {}
    owned = Entity.objects.filter(kind=Kind.ACCESS_KEY, aws_id__in=keys, owner__isnull=False)
    return dict(owned.values_list("aws_id", "owner__aws_id"))


def hand_over(viewer: Viewer, person_id: UUID | None, text: str, *, why: str) -> int:
    """Name another owner for all that a person was named for, as far as the viewer can; how many. Raises
    DirectoryRuleError.
    """
    owner = find_owner(text)
    if isinstance(owner, Person) and owner.pk == person_id:
        raise DirectoryRuleError(f"{owner.name} leaves. Name someone else.")
    rows = owned_by_person(viewer, person_id)
    for row in rows:
        check_new_owner(viewer, owner, account_id=row.account_id)
    count = 0
    for row in rows:
        count += name_owner(_subject_of(row), owner, actor=viewer, why=why)
    return count


def release_owned(viewer: Viewer, person_id: UUID | None, *, why: str) -> int:
    """Say that no one owns what a person was named for, as far as the viewer can; how many. The finding of
    missing owners lists it from then on. Raises DirectoryRuleError.
    """
    if not why:
        raise DirectoryRuleError("Say why no one takes this over.")
    count = 0
    for row in owned_by_person(viewer, person_id):
        count += remove_named_owner(_subject_of(row), actor=viewer, why=why)
    return count


def release_all(person_id: UUID | None, *, why: str) -> int:
    """The same for all that a person was named for, where no one has decided in time."""
    rows = NamedOwner.objects.filter(person=person_id) if person_id else NamedOwner.objects.none()
    return sum(remove_named_owner(_subject_of(row), actor=GATEHOUSE, why=why) for row in rows)


def is_undecided(person_id: UUID | None) -> bool:
    """Whether someone still has to say who owns what a person was named for."""
    return person_id is not None and _named_for(person_id).exists()


def _subject_of(row: NamedOwner) -> OwnedSubject:
    return OwnedSubject(OwnedKind(row.kind), row.subject, row.account_id, row.name)
