"""The team that owns a machine user: who can set it, what tags propose, and setting it for many users at
once. Nothing in AWS changes.

Ownership gives the leads of the team rights over the user: they see it, request changes to it and receive its
new keys. So only those who already have these rights can set it: administrators of the account for every
team, and leads for their own team and for users that no other team owns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.utils.text import slugify

from iam.compiled_queries import CompiledQuery
from iam.directory.models import Identity, OwnedUser, Person, Role, RoleAssignment, Team
from iam.directory.owners import release, set_owner
from iam.directory.rules import DirectoryRuleError
from iam.guard import Right, Viewer
from iam.linking.ownership import UserOwnership, owners_of
from iam.linking.rights import linkable
from iam.mirror.models import Entity, TagSet, UserCredentials, valid_at
from iam.mirror.owners import WORDS
from iam.prepared_statements import QueryParam

TAG_KEYS: Final = ("team", "owner", "owningteam", "ownerteam", "teamowner")
"""Tag keys that often name who maintains a user, ignoring case, "-", "_" and spaces."""
MAX_AT_ONCE: Final = 300
"""Maximum number of users on a review page: a form can have 1,000 fields, and each user takes two."""
NOT_YOURS: Final = "You can set the owning team only where you administer the account or lead the team."


@dataclass(frozen=True, slots=True)
class OwnerCandidate:
    """A team named in a tag, and the tag."""

    team: Team
    words: str


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """A user on the review page. `refusal` says why no team can be set."""

    user: Entity
    owned: OwnedUser | None
    candidates: tuple[OwnerCandidate, ...]
    person: str
    refusal: str = ""

    @property
    def proposed(self) -> Team | None:
        """The only team that tags name, if no team owns the user yet."""
        if self.owned is not None or self.refusal or len(self.candidates) != 1:
            return None
        return self.candidates[0].team


@dataclass(slots=True)
class SavedOwners:
    """The result of setting many owners: how many users have a different owner now, and the refusals."""

    changed: int = 0
    refused: list[str] = field(default_factory=list)


def owning_teams(users: Iterable[Entity]) -> dict[int, OwnedUser]:
    """Return the owning teams by user id, with one query."""
    by_id = {user.aws_id: user.pk for user in users}
    rows = OwnedUser.objects.filter(aws_id__in=by_id).select_related("team")
    return {by_id[row.aws_id]: row for row in rows}


def owning_team(user: Entity) -> OwnedUser | None:
    """Return the owning team of a user, or None."""
    teams = _OWNING_TEAM.objects(user=user.aws_id)
    return teams[0] if teams else None


_OWNING_TEAM: Final = CompiledQuery(
    lambda: OwnedUser.objects.filter(aws_id=QueryParam("user", CharField())).select_related("team")
)


def leads_of(team: Team, *, account_id: str) -> list[Person]:
    """Return the active leads of a team in an account, the longest-serving first."""
    rows = RoleAssignment.objects.filter(
        team=team, role=Role.TEAM_LEAD, account_id__in=["", account_id], person__is_active=True
    ).select_related("person")
    return list(dict.fromkeys(row.person for row in rows.order_by("created_at", "pk")))


def may_set_owner(viewer: Viewer, user: Entity) -> bool:
    """Return True if the viewer can set or remove the owning team of this user."""
    if viewer.may(Right.MANAGE_OPERATORS, account_id=user.account.account_id):
        return True
    if not viewer.leads or not linkable(viewer).filter(pk=user.pk).exists():
        return False
    owned = owning_team(user)
    return owned is None or owned.team.slug in viewer.leads


def leads_team_of(viewer: Viewer, user: Entity) -> bool:
    """Return True if the viewer leads the team that owns a machine user."""
    owned = owning_team(user) if viewer.leads else None
    return owned is not None and owned.team.slug in viewer.leads


def may_set_any(viewer: Viewer) -> bool:
    """Return True if the viewer can set the owning team of some users."""
    return viewer.may(Right.MANAGE_OPERATORS) or bool(viewer.leads)


def teams_to_set(viewer: Viewer) -> list[Team]:
    """Return the teams that the viewer can set as owner, by name: all for administrators, otherwise those
    that they lead.
    """
    teams = Team.objects.order_by("name")
    if not viewer.may(Right.MANAGE_OPERATORS):
        teams = teams.filter(slug__in=viewer.leads)
    return list(teams)


def owners_to_filter(viewer: Viewer) -> list[tuple[str, str]]:
    """Return the choices (value, label) of a filter by owning team: any, none, and the teams that the viewer
    knows.
    """
    teams = Team.objects.order_by("name").values_list("slug", "name")
    known = [(slug, name) for slug, name in teams if viewer.sees_accounts or slug in viewer.leads]
    return [*WORDS, *known]


def check_owner(viewer: Viewer, *, user: Entity, team: Team | None) -> OwnedUser | None:
    """Return the current owner. Raises DirectoryRuleError if the viewer can't set this team (None: no team)
    for this user.
    """
    owned = owning_team(user)
    if user.gone_at is not None:
        raise DirectoryRuleError(f"{user.name} was deleted in AWS.")
    administers = viewer.may(Right.MANAGE_OPERATORS, account_id=user.account.account_id)
    if not administers:
        if not linkable(viewer).filter(pk=user.pk).exists():
            raise DirectoryRuleError(NOT_YOURS)
        if owned is not None and owned.team.slug not in viewer.leads:
            raise DirectoryRuleError(
                f"{owned.team.name} owns {user.name}. Only an administrator can change that."
            )
        if team is not None and team.slug not in viewer.leads:
            raise DirectoryRuleError(f"You don’t lead {team.name}. Ask an administrator.")
    if team is not None:
        refusal = _person_refusal(user, owners_of([user])[user.pk])
        if refusal:
            raise DirectoryRuleError(refusal)
    return owned


def set_owning_team(viewer: Viewer, *, user: Entity, team: Team | None, why: str = "") -> bool:
    """Set or remove the owning team. Returns False if nothing changed. Raises DirectoryRuleError."""
    owned = check_owner(viewer, user=user, team=team)
    if team is None:
        if owned is not None:
            release(owned, actor=viewer, why=why)
        return owned is not None
    return set_owner(
        team,
        account_id=user.account.account_id,
        aws_id=user.aws_id,
        user_arn=user.arn,
        actor=viewer,
        why=why,
    )


def set_owning_teams(viewer: Viewer, wanted: Mapping[int, Team], *, why: str = "") -> SavedOwners:
    """Set the teams of many users, by user id. A refusal doesn't stop the others."""
    saved = SavedOwners()
    users = Entity.objects.filter(pk__in=list(wanted)[:MAX_AT_ONCE]).select_related("account")
    for user in users.order_by("name", "pk"):
        try:
            saved.changed += set_owning_team(viewer, user=user, team=wanted[user.pk], why=why)
        except DirectoryRuleError as error:
            saved.refused.append(f"{user.name} in {user.account.name}: {error}")
    return saved


def settable(viewer: Viewer) -> QuerySet[Entity]:
    """Return the living users whose owning team the viewer can set, whether or not a person is linked."""
    return linkable(viewer).select_related("account")


def unowned_machines(viewer: Viewer) -> QuerySet[Entity]:
    """Return the settable users without a console password, a linked person and an owning team."""
    aws_id = OuterRef("aws_id")
    links = Identity.objects.filter(Q(aws_id="") | Q(aws_id=aws_id), user_arn=OuterRef("arn"))
    no_password = UserCredentials.objects.filter(valid_at(None), user=OuterRef("pk"), has_password=False)
    owners = OwnedUser.objects.filter(aws_id=aws_id)
    return settable(viewer).filter(Exists(no_password), ~Exists(links), ~Exists(owners))


def owner_rows(viewer: Viewer, users: Sequence[Entity]) -> list[OwnerRow]:
    """Return the rows of the review page. The number of queries is small and constant."""
    owners = owning_teams(users)
    people = owners_of(users)
    tags = dict(TagSet.objects.filter(valid_at(None), entity__in=users).values_list("entity_id", "tags"))
    owner_tags = {user.pk: _owner_tags(tags.get(user.pk) or {}) for user in users}
    teams = _Teams(value for _, value in chain.from_iterable(owner_tags.values()))
    settable_teams = {team.pk for team in teams_to_set(viewer)}
    rows = []
    for user in users:
        owner = owners.get(user.pk)
        ownership = people[user.pk]
        refusal = _person_refusal(user, ownership) or _owner_refusal(viewer, user, owner)
        named = teams.named_by(owner_tags[user.pk])
        candidates = tuple(candidate for candidate in named if candidate.team.pk in settable_teams)
        person = ""
        if ownership.person and not ownership.confirmed:
            person = ownership.person.name
        rows.append(OwnerRow(user, owner, candidates, person, refusal))
    return rows


def _person_refusal(user: Entity, known: UserOwnership) -> str:
    if known.confirmed and known.person is not None:
        return (
            f"{user.name} is linked to {known.person.name}. Only users without a person have an owning team."
        )
    return ""


def _owner_refusal(viewer: Viewer, user: Entity, owned: OwnedUser | None) -> str:
    administers = viewer.may(Right.MANAGE_OPERATORS, account_id=user.account.account_id)
    if owned is None or administers or owned.team.slug in viewer.leads:
        return ""
    return f"{owned.team.name} owns it. Only an administrator can change that."


def _owner_tags(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the tags that can name an owner, with their values."""
    owner_tags = []
    for key, value in tags.items():
        plain = key.lower().replace("-", "").replace("_", "").replace(" ", "")
        if plain in TAG_KEYS and str(value).strip():
            owner_tags.append((key, str(value).strip()))
    return owner_tags


class _Teams:
    """All teams by name, and the teams that people lead by their email addresses, with two queries."""

    def __init__(self, values: Iterable[str]) -> None:
        self._by_name: dict[str, Team] = {}
        for team in Team.objects.all():
            self._by_name |= {team.slug.lower(): team, team.name.lower(): team}
        self._by_lead = _teams_by_lead({value.lower() for value in values if "@" in value})

    def named_by(self, tags: Sequence[tuple[str, str]]) -> list[OwnerCandidate]:
        """Return the teams that tags name, without duplicates."""
        candidates: dict[int, OwnerCandidate] = {}
        for key, value in tags:
            team = self._by_name.get(value.lower()) or self._by_name.get(slugify(value))
            if team is not None:
                candidates.setdefault(team.pk, OwnerCandidate(team, f"tag {key}: {value}"))
            for led in self._by_lead.get(value.lower(), ()):
                candidates.setdefault(
                    led.pk, OwnerCandidate(led, f"tag {key}: {value}, who leads {led.name}")
                )
        return list(candidates.values())


def _teams_by_lead(addresses: Collection[str]) -> dict[str, list[Team]]:
    if not addresses:
        return {}
    teams_by_lead: dict[str, list[Team]] = defaultdict(list)
    rows = RoleAssignment.objects.filter(
        role=Role.TEAM_LEAD, team__isnull=False, person__is_active=True, person__email__in=addresses
    ).select_related("team", "person")
    for row in rows.order_by("team__name"):
        if row.team is not None and row.team not in teams_by_lead[row.person.email.lower()]:
            teams_by_lead[row.person.email.lower()].append(row.team)
    return teams_by_lead
