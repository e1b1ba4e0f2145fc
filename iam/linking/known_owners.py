"""The owner of a user, a role or a grant, as used by pages, findings and offboarding. Nothing in AWS changes,
and ownership grants no rights.

The first that is known: the owner set in Gatehouse, the person linked to the user, the tags Owner and Team,
the owning team of a machine user. Offboarded people are skipped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from iam.batches import batches
from iam.compiled_queries import CompiledQuery
from iam.directory.models import Identity, NamedOwner, OwnedKind, OwnedUser, Person, Team
from iam.directory.owners import OwnedSubject, name_owner, remove_named_owner
from iam.directory.rules import DirectoryRuleError
from iam.guard import Right, Viewer
from iam.journal.services import GATEHOUSE
from iam.linking.owners import leads_team_of
from iam.mirror.models import Entity, Kind, TagSet, valid_at
from iam.mirror.queries.lists.rows import ROWS, filled, fits_statement

TAGS: Final = ("owner", "team")
"""Keys of tags that name an owner, in lower case, the more specific one first."""
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
    """The name of an owner, and how it is known."""

    name: str
    source: str

    @property
    def words(self) -> str:
        """How it is known, in words."""
        return WORDS[self.source]


def owners_known(
    entities: Iterable[int], *, tags: Mapping[int, Mapping[str, str]] | None = None
) -> dict[int, KnownOwner]:
    """Return the known owners of users, roles and others by their ids. Two to five queries per 900, one less
    if their `tags` are given.
    """
    numbers = sorted(set(entities))
    owners: dict[int, KnownOwner] = {}
    for batch in batches(numbers, CHUNK):
        owners |= _known(list(batch), tags)
    return owners


def _names(entities: Sequence[Any]) -> QuerySet[Entity, Any]:
    """Return the id of each entity with the names of its owners: person and team set in Gatehouse, linked
    person, owning team.
    """
    linked = Identity.objects.filter(Q(aws_id="") | Q(aws_id=OuterRef("aws_id")), user_arn=OuterRef("arn"))
    named = NamedOwner.objects.filter(kind=OwnedKind.IDENTITY, subject=OuterRef("aws_id"))
    owned = OwnedUser.objects.filter(aws_id=OuterRef("aws_id"))
    rows = Entity.objects.filter(pk__in=entities).annotate(
        named_person=Subquery(named.filter(person__is_active=True).values("person__name")[:1]),
        named_team=Subquery(named.values("team__name")[:1]),
        linked=Subquery(linked.filter(person__is_active=True).values("person__name")[:1]),
        owning=Subquery(owned.values("team__name")[:1]),
    )
    return rows.values_list("pk", "named_person", "named_team", "linked", "owning")


_NAMES: Final = CompiledQuery(lambda: _names(ROWS))


def _known(entities: list[int], tags: Mapping[int, Mapping[str, str]] | None) -> dict[int, KnownOwner]:
    rows = _NAMES.rows(**filled(entities)) if fits_statement(entities) else _names(entities)
    owners: dict[int, KnownOwner] = {}
    teams: dict[int, KnownOwner] = {}
    untold = []
    for pk, person, team, user_of, owning in rows:
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
    """Return the owners named in tags, without people who were offboarded."""
    left = _left(set(chain.from_iterable(values.values())))
    owners = {}
    for number, candidates in values.items():
        present = [value for value in candidates if value not in left]
        if present:
            owners[number] = KnownOwner(present[0], TAGGED)
    return owners


def _left(values: Collection[str]) -> set[str]:
    """Return the tag values that match the email address, name or user name of an offboarded person and of no
    active one. Two or three queries.
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
    """Return the tag values that name an offboarded person as owner of a user or role."""
    tags = TagSet.objects.filter(valid_at(None), entity=entity).values_list("tags", flat=True).first()
    values = _values(tags or {})
    left = _left(set(values))
    return [value for value in values if value in left]


def _values(tags: Mapping[str, str]) -> list[str]:
    by_name = {name.lower(): str(value).strip() for name, value in tags.items()}
    return [by_name[name] for name in TAGS if by_name.get(name)]


def identity_subject(entity: Entity) -> OwnedSubject:
    """Return a user or role as a subject of ownership."""
    return OwnedSubject(OwnedKind.IDENTITY, entity.aws_id, entity.account.account_id, entity.arn)


def named_owner(owned: OwnedSubject) -> NamedOwner | None:
    """Return the owner that was set, even if they were offboarded, or None."""
    rows = NamedOwner.objects.filter(kind=owned.kind, subject=owned.subject)
    return rows.select_related("person", "team").first()


def find_owner(text: str) -> Person | Team:
    """Return the active person with an email address, or the team with a name. Raises DirectoryRuleError."""
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
    """Return True if the viewer can set the owner of a machine user or role: administrators of the account,
    and leads for the machine users of their teams.
    """
    if entity.kind not in (Kind.USER, Kind.ROLE) or entity.gone_at is not None:
        return False
    if viewer.may(Right.MANAGE_OPERATORS, account_id=entity.account.account_id):
        return True
    return entity.kind == Kind.USER and leads_team_of(viewer, entity)


def check_new_owner(viewer: Viewer, owner: Person | Team, *, account_id: str) -> None:
    """Raise DirectoryRuleError if a lead names an owner other than a team that they lead or themselves."""
    if viewer.may(Right.MANAGE_OPERATORS, account_id=account_id):
        return
    is_own = owner.slug in viewer.leads if isinstance(owner, Team) else owner.pk == viewer.person_id
    if not is_own:
        raise DirectoryRuleError("You can name a team that you lead, or yourself.")


def set_identity_owner(viewer: Viewer, entity: Entity, text: str, *, why: str = "") -> bool:
    """Set the owner of a machine user or role, or remove it (""). Returns False if nothing changed. Raises
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
    """Return what a person owns and the viewer can hand over: everything in accounts that they administer,
    and the machine users, with their keys, of teams that they lead.
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
    """Return what a person was set as owner of, without objects deleted in AWS."""
    gone = Entity.objects.filter(
        account__account_id=OuterRef("account_id"),
        kind__in=(Kind.USER, Kind.ROLE, Kind.ACCESS_KEY),
        aws_id=OuterRef("subject"),
        gone_at__isnull=False,
    )
    return NamedOwner.objects.filter(~Exists(gone), person=person_id)


def _users_of_keys(rows: Iterable[NamedOwner]) -> dict[str, str]:
    """Return the unique IDs of the users of access keys, by key ID."""
    keys = [row.subject for row in rows if row.kind == OwnedKind.KEY]
    if not keys:
        return {}
    owned = Entity.objects.filter(kind=Kind.ACCESS_KEY, aws_id__in=keys, owner__isnull=False)
    return dict(owned.values_list("aws_id", "owner__aws_id"))


def hand_over(viewer: Viewer, person_id: UUID | None, text: str, *, why: str) -> int:
    """Set another owner for everything that a person owns and the viewer can hand over, and return how many.
    Raises DirectoryRuleError.
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
    """Remove the owner of everything that a person owns and the viewer can hand over, and return how many.
    The finding of missing owners then lists it. Raises DirectoryRuleError.
    """
    if not why:
        raise DirectoryRuleError("Say why no one takes this over.")
    count = 0
    for row in owned_by_person(viewer, person_id):
        count += remove_named_owner(_subject_of(row), actor=viewer, why=why)
    return count


def release_all(person_id: UUID | None, *, why: str) -> int:
    """Remove a person as owner of everything, because no one decided in time. Returns how many."""
    rows = NamedOwner.objects.filter(person=person_id) if person_id else NamedOwner.objects.none()
    return sum(remove_named_owner(_subject_of(row), actor=GATEHOUSE, why=why) for row in rows)


def is_undecided(person_id: UUID | None) -> bool:
    """Return True if the ownership of something that a person owns is still to be decided."""
    return person_id is not None and _named_for(person_id).exists()


def _subject_of(row: NamedOwner) -> OwnedSubject:
    return OwnedSubject(OwnedKind(row.kind), row.subject, row.account_id, row.name)
