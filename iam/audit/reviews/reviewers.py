"""Who reviews whose access. Nobody reviews their own, by whichever route a user is known to be theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from iam.audit.reviews.models import ReviewCampaign, ReviewerRule
from iam.audit.reviews.terms import ReviewTerms
from iam.directory.models import Identity, OwnedUser, Person, Role, RoleAssignment, RuleKind, Team
from iam.guard import Scope
from iam.linking.models import Sign
from iam.linking.ownership import people_concerned
from iam.mirror.models import Entity
from iam.mirror.queries.visibility import people_within

REVIEWING: Final = (Role.ADMINISTRATOR, Role.APPROVER, Role.TEAM_LEAD)
"""Who can review: the roles that request or approve changes."""


def possible_reviewers() -> list[Person]:
    """Active people who can review, by name."""
    people = Person.objects.filter(is_active=True, assignments__role__in=REVIEWING)
    return list(people.distinct().order_by("name", "pk"))


def can_review(person_id: UUID) -> bool:
    """Whether someone is among them."""
    roles = RoleAssignment.objects.filter(person=person_id, person__is_active=True, role__in=REVIEWING)
    return roles.exists()


def is_concerned(person_id: UUID, arns: Iterable[str]) -> bool:
    """Whether one of the users is theirs, as anything says it: by hand or by a matching method."""
    return person_id in people_concerned(arns)


@dataclass(slots=True)
class TeamBook:
    """The teams of a campaign with their users and leads. `teams_of` is by the number of the user."""

    teams: list[Team]
    teams_of: dict[int, list[Team]] = field(default_factory=lambda: defaultdict(list))
    members: dict[int, frozenset[int]] = field(default_factory=dict)
    leads: dict[int, list[Person]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls) -> TeamBook:
        """All teams; two queries for each, and three for all."""
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
        """The leads of the teams of a user."""
        leads: dict[UUID, Person] = {}
        for team in self.teams_of.get(number, ()):
            for person in self.leads[team.pk]:
                leads[person.pk] = person
        return list(leads.values())


def _scope_of(team: Team, owned: set[tuple[str, str]]) -> Scope | None:
    groups: set[tuple[str, str]] = set()
    paths: set[tuple[str, str]] = set()
    for rule in team.rules.all():
        kept = groups if rule.kind == RuleKind.GROUP else paths
        kept.add((rule.account_id, rule.value))
    if not (groups or paths or owned):
        return None
    return Scope(groups=frozenset(groups), paths=frozenset(paths), owned=frozenset(owned))


@dataclass(slots=True)
class ReviewerChoice:
    """Chooses the reviewer of each user or role of a campaign."""

    campaign: ReviewCampaign
    terms: ReviewTerms
    book: TeamBook
    _named: list[Person] = field(init=False)

    def __post_init__(self) -> None:
        """The reviewer of the campaign, and the second one for what is theirs."""
        wanted = [self.campaign.reviewer_id, self.campaign.second_reviewer_id]
        people = {person.pk: person for person in Person.objects.filter(pk__in=wanted, is_active=True)}
        self._named = [people[pk] for pk in wanted if pk in people]

    def choose(self, entity: Entity, concerned: Collection[UUID]) -> Person | None:
        """The first who may; None where only people remain whose own access it is."""
        candidates: list[Person] = []
        if self.terms.reviewers != ReviewerRule.NAMED:
            candidates += self.book.leads_of(entity.pk)
        candidates += self._named
        return next((person for person in candidates if person.pk not in concerned), None)


def concerned_by_arn(entities: Sequence[Entity]) -> Mapping[str, frozenset[UUID]]:
    """The people of whom anything says that a user is theirs, by ARN; two queries for any number."""
    arns = {entity.arn for entity in entities}
    people: dict[str, set[UUID]] = defaultdict(set)
    for arn, person_id in Identity.objects.filter(user_arn__in=arns).values_list("user_arn", "person_id"):
        people[arn].add(person_id)
    signs = Sign.objects.filter(user__in=[entity.pk for entity in entities])
    for arn, voices in signs.values_list("user__arn", "said"):
        people[arn] |= {UUID(voice["person"]) for voice in voices if voice["person"]}
    return {arn: frozenset(ids) for arn, ids in people.items()}
