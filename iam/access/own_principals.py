"""Finds the users and roles that belong to a person according to any evidence, so that people can't decide on
their own access.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from iam.activity.callers import USER
from iam.activity.models import RoleUser, TrailCaller, TrailEvent
from iam.directory.models import Identity, Person
from iam.linking.models import UserMatch
from iam.linking.ownership import DOUBTS
from iam.mirror.models import Entity, Kind

USED_DAYS: Final = 90
"""A role counts as a person's own if they used it within this many days."""
Owners = Mapping[str, set[UUID]]


def own_arns(person_id: UUID, entities: Sequence[Entity]) -> frozenset[str]:
    """The ARNs among these users and roles that belong to the person.

    These are users linked by hand or by a matching method, and roles that the person used lately. A fixed
    number of queries: two for users, and two for roles if no event names a person.
    """
    concerned = concerned_by_arn(entities)
    own = {arn for arn, people in concerned.items() if person_id in people}
    roles = {entity.arn for entity in entities if entity.kind == Kind.ROLE}
    if roles:
        own |= _own_roles(person_id, roles)
    return frozenset(own)


def _own_roles(person_id: UUID, roles: set[str]) -> set[str]:
    """The roles among these that the person used lately: `roles_used` for one person and given roles."""
    since = datetime.now(tz=UTC) - timedelta(days=USED_DAYS)
    linked = Identity.objects.filter(person=person_id).values("user_arn")
    matched = UserMatch.objects.filter(person=person_id).values("user__arn")
    callers = TrailCaller.objects.filter(Q(arn__in=linked) | Q(arn__in=matched), kind=USER)
    events = _assumptions(since).filter(caller__in=callers.values("pk"), resource__in=roles)
    own = set(events.values_list("resource", flat=True).distinct())
    has_signed_on = RoleUser.objects.filter(role_arn__in=roles, last_at__gte=since).exists()
    if has_signed_on:
        people = {person_id}
        for _, arn in _signed_on(people, _user_arns(people), since):
            own.add(arn)
    return own & roles


def own_principals(person_id: UUID) -> list[Entity]:
    """All existing users and roles that belong to the person, with their accounts."""
    linked = Identity.objects.filter(person=person_id).values_list("user_arn", flat=True)
    arns = set(linked) | roles_used({person_id}).get(person_id, frozenset())
    matches = UserMatch.objects.filter(Q(person=person_id) | Q(standing__in=DOUBTS))
    matched_users = []
    for match in matches.only("person", "said"):
        if match.person_id == person_id or any(voice["person"] == str(person_id) for voice in match.said):
            matched_users.append(match.pk)
    living = Entity.objects.filter(kind__in=(Kind.USER, Kind.ROLE), gone_at__isnull=True)
    own = living.filter(Q(arn__in=arns) | Q(pk__in=matched_users))
    return list(own.select_related("account").order_by("name", "pk"))


def concerned_by_arn(entities: Sequence[Entity]) -> Mapping[str, frozenset[UUID]]:
    """The people that any evidence links to a user, by its ARN. Two queries."""
    people: dict[str, set[UUID]] = defaultdict(set)
    linked = Identity.objects.filter(user_arn__in={entity.arn for entity in entities})
    for arn, person_id in linked.values_list("user_arn", "person_id"):
        people[arn].add(person_id)
    matches = UserMatch.objects.filter(user__in=[entity.pk for entity in entities])
    for arn, voices in matches.values_list("user__arn", "said"):
        for voice in voices:
            if voice["person"]:
                people[arn].add(UUID(voice["person"]))
    return {arn: frozenset(ids) for arn, ids in people.items()}


def roles_used(people: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """The ARNs of the roles that people used in the last 90 days, with their IAM users or by single sign-on.

    Limited to known CloudTrail events. Six queries.
    """
    since = datetime.now(tz=UTC) - timedelta(days=USED_DAYS)
    person_by_arn = _user_arns(people)
    used: dict[UUID, set[str]] = defaultdict(set)
    for person_id, arn in _assumed(person_by_arn, since):
        used[person_id].add(arn)
    for person_id, arn in _signed_on(people, person_by_arn, since):
        used[person_id].add(arn)
    return {person_id: frozenset(arns) for person_id, arns in used.items()}


def _user_arns(people: Collection[UUID]) -> dict[str, UUID]:
    """The people of users, by ARN."""
    matched = UserMatch.objects.filter(person__in=people).values_list("user__arn", "person_id")
    linked = Identity.objects.filter(person__in=people).values_list("user_arn", "person_id")
    return dict(matched.union(linked))


def _assumed(person_by_arn: Mapping[str, UUID], since: datetime) -> Iterable[tuple[UUID, str]]:
    """The roles that people assumed with their IAM users."""
    callers = dict(TrailCaller.objects.filter(kind=USER, arn__in=person_by_arn).values_list("pk", "arn"))
    events = _assumptions(since).filter(caller__in=callers)
    for caller, arn in events.values_list("caller_id", "resource").distinct():
        yield person_by_arn[callers[caller]], arn


def _assumptions(since: datetime) -> QuerySet[TrailEvent]:
    return TrailEvent.objects.filter(
        at__gte=since, service="sts", action__startswith="AssumeRole", error_code=""
    )


def _signed_on(
    people: Collection[UUID], person_by_arn: Mapping[str, UUID], since: datetime
) -> Iterable[tuple[UUID, str]]:
    """The roles with sessions of these people: by session name, source identity, or user in IAM Identity
    Center.
    """
    names = _names(people, person_by_arn)
    ids = _center_users(names)
    rows = RoleUser.objects.filter(Q(name__in=names) | Q(person__in=ids), last_at__gte=since)
    for role, name, user in rows.values_list("role_arn", "name", "person"):
        for person_id in names.get(name, set()) | ids.get(user, set()):
            yield person_id, role


def _names(people: Collection[UUID], person_by_arn: Mapping[str, UUID]) -> Owners:
    """The sign-in names of people in lower case: email address, its local part, and the names of their IAM
    users.
    """
    names: dict[str, set[UUID]] = defaultdict(set)
    for pk, email in Person.objects.filter(pk__in=people).values_list("pk", "email"):
        address = email.lower()
        names[address].add(pk)
        names[address.partition("@")[0]].add(pk)
    for arn, pk in person_by_arn.items():
        names[arn.rpartition("/")[2].lower()].add(pk)
    names.pop("", None)
    return names


def _center_users(names: Owners) -> Owners:
    """The IAM Identity Center user IDs of these people, taken from events that have both ID and name."""
    rows = RoleUser.objects.filter(name__in=names).exclude(person="").values_list("person", "name")
    ids: dict[str, set[UUID]] = defaultdict(set)
    for user, name in rows.distinct():
        ids[user] |= names[name]
    return ids
