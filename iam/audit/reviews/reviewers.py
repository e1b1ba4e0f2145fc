"""Chooses who reviews whose access. No one reviews their own, by any evidence that a user is theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final
from uuid import UUID

from iam.access.own_principals import roles_used
from iam.audit.reviews.models import ReviewCampaign, ReviewerRule
from iam.audit.reviews.terms import ReviewTerms
from iam.compiled_queries import CompiledQuery
from iam.directory.models import OwnedUser, Person, Role, RoleAssignment, RuleKind, Team
from iam.guard import ViewerScope
from iam.mirror.models import Entity
from iam.mirror.queries.visibility import people_within

REVIEWING: Final = (Role.ADMINISTRATOR, Role.APPROVER, Role.TEAM_LEAD)
"""Roles that can review, because they request or approve changes."""


def possible_reviewers() -> list[Person]:
    """Active people who can review, by name."""
    return _REVIEWERS.objects()


_REVIEWERS: Final = CompiledQuery(
    lambda: (
        Person.objects.filter(is_active=True, assignments__role__in=REVIEWING)
        .distinct()
        .order_by("name", "pk")
    )
)


def people_who_review(people: Collection[UUID]) -> frozenset[UUID]:
    """Return those of these people who can review."""
    roles = RoleAssignment.objects.filter(person__in=people, person__is_active=True, role__in=REVIEWING)
    return frozenset(roles.values_list("person", flat=True))


def can_review(person_id: UUID) -> bool:
    """True if the person can review."""
    return person_id in people_who_review([person_id])


@dataclass(slots=True)
class TeamBook:
    """The teams of a campaign with their users and leads. `teams_of` is by the user's primary key."""

    teams: list[Team]
    teams_of: dict[int, list[Team]] = field(default_factory=lambda: defaultdict(list))
    members: dict[int, frozenset[int]] = field(default_factory=dict)
    leads: dict[int, list[Person]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls) -> TeamBook:
        """Load all teams. Two queries per team, and three for all."""
        book = cls(list(Team.objects.prefetch_related("rules").order_by("slug")))
        owned: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for team_id, account_id, aws_id in OwnedUser.objects.values_list("team_id", "account_id", "aws_id"):
            owned[team_id].add((account_id, aws_id))
        for team in book.teams:
            scope = _scope_of(team, owned[team.pk])
            members = frozenset(people_within(scope).values_list("pk", flat=True)) if scope else frozenset()
            book.members[team.pk] = members
            for number in members:
                book.teams_of[number].append(team)
        assigned = RoleAssignment.objects.filter(
            role=Role.TEAM_LEAD, person__is_active=True, team__isnull=False
        )
        for row in assigned.select_related("person").order_by("person__name", "pk"):
            book.leads[row.team_id or 0].append(row.person)
        return book

    def leads_of(self, number: int) -> list[Person]:
        """The leads of the user's teams."""
        leads: dict[UUID, Person] = {}
        for team in self.teams_of.get(number, ()):
            for person in self.leads[team.pk]:
                leads[person.pk] = person
        return list(leads.values())


def _scope_of(team: Team, owned: set[tuple[str, str]]) -> ViewerScope | None:
    groups: set[tuple[str, str]] = set()
    paths: set[tuple[str, str]] = set()
    for rule in team.rules.all():
        kept = groups if rule.kind == RuleKind.GROUP else paths
        kept.add((rule.account_id, rule.value))
    if not (groups or paths or owned):
        return None
    return ViewerScope(groups=frozenset(groups), paths=frozenset(paths), owned=frozenset(owned))


@dataclass(slots=True)
class ReviewerChoice:
    """Chooses the reviewer of each user or role of a campaign."""

    campaign: ReviewCampaign
    terms: ReviewTerms
    book: TeamBook
    unable: list[str] = field(init=False)
    _named: list[Person] = field(init=False)
    _roles: Mapping[UUID, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        """Find the named reviewers: the reviewer of the campaign, the second reviewer for the first one's
        access, and the owner if one of them can no longer review. `unable` are the names of reviewers who
        can't.
        """
        campaign = self.campaign
        wanted = [campaign.reviewer_id, campaign.second_reviewer_id]
        people = Person.objects.in_bulk([*wanted, campaign.owner_id])
        able = people_who_review(people)
        self.unable = [people[pk].name for pk in wanted if pk in people and pk not in able]
        if self.unable:
            wanted.append(campaign.owner_id)
        self._named = [people[pk] for pk in dict.fromkeys(wanted) if pk in able]
        leads = chain.from_iterable(self.book.leads.values())
        self._roles = roles_used({person.pk for person in chain(self._named, leads)})

    def choose(self, entity: Entity, concerned: Collection[UUID]) -> Person | None:
        """Return the first possible reviewer; None if the access is the own access of each of them."""
        candidates: list[Person] = []
        if self.terms.reviewers != ReviewerRule.NAMED:
            candidates += self.book.leads_of(entity.pk)
        candidates += self._named
        for person in candidates:
            if person.pk not in concerned and entity.arn not in self._roles.get(person.pk, ()):
                return person
        return None
