"""Who reviews whose access. Nobody reviews their own, by whichever route a user is known to be theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final
from uuid import UUID

from iam.activity.callers import USER
from iam.activity.models import TrailCaller, TrailEvent
from iam.audit.reviews.models import ReviewCampaign, ReviewerRule
from iam.audit.reviews.terms import UNUSED_DAYS, ReviewTerms
from iam.directory.models import Identity, OwnedUser, Person, Role, RoleAssignment, RuleKind, Team
from iam.guard import Scope
from iam.linking.models import Sign
from iam.mirror.models import Entity, Kind
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
    _roles: Mapping[UUID, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        """The reviewer of the campaign, and the second one for what is theirs."""
        wanted = [self.campaign.reviewer_id, self.campaign.second_reviewer_id]
        people = {person.pk: person for person in Person.objects.filter(pk__in=wanted, is_active=True)}
        self._named = [people[pk] for pk in wanted if pk in people]
        leads = chain.from_iterable(self.book.leads.values())
        self._roles = roles_used({person.pk for person in chain(self._named, leads)})

    def choose(self, entity: Entity, concerned: Collection[UUID]) -> Person | None:
        """The first who may; None where only people remain whose own access it is."""
        candidates: list[Person] = []
        if self.terms.reviewers != ReviewerRule.NAMED:
            candidates += self.book.leads_of(entity.pk)
        candidates += self._named
        for person in candidates:
            if person.pk not in concerned and entity.arn not in self._roles.get(person.pk, ()):
                return person
        return None


def own_arns(person_id: UUID, entities: Sequence[Entity]) -> frozenset[str]:
    """Those users and roles whose access is somebody's own, as anything says it: users that are linked to
    them by hand or by a matching method, and roles that they used lately. Two queries for users, three more
    for roles, for any number.
    """
    concerned = concerned_by_arn(entities)
    own = {arn for arn, people in concerned.items() if person_id in people}
    roles = {entity.arn for entity in entities if entity.kind == Kind.ROLE}
    if roles:
        own |= roles & roles_used({person_id}).get(person_id, frozenset())
    return frozenset(own)


def roles_used(people: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """The ARNs of the roles that people assumed with their users in the last 90 days, as far as CloudTrail
    events are known; three queries at most.
    """
    matched = Sign.objects.filter(person__in=people).values_list("user__arn", "person_id")
    linked = Identity.objects.filter(person__in=people).values_list("user_arn", "person_id")
    person_by_arn: dict[str, UUID] = {}
    person_by_arn.update(matched.union(linked))
    callers = dict(TrailCaller.objects.filter(kind=USER, arn__in=person_by_arn).values_list("pk", "arn"))
    since = datetime.now(tz=UTC) - timedelta(days=UNUSED_DAYS)
    events = TrailEvent.objects.filter(
        caller__in=callers, at__gte=since, service="sts", action__startswith="AssumeRole", error_code=""
    )
    used: dict[UUID, set[str]] = defaultdict(set)
    for caller, arn in events.values_list("caller_id", "resource").distinct():
        used[person_by_arn[callers[caller]]].add(arn)
    return {person_id: frozenset(arns) for person_id, arns in used.items()}


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
