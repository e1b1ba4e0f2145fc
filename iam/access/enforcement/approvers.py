"""Splits an enforcement request that no one could approve, because the approvers are among its users, into
parts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from uuid import UUID

from django.db.models import Q

from iam.access.enforcement.services import EnforcementForecast, operations_for
from iam.changes import services as changes
from iam.changes.approval.possible_approvers import PossibleApprovers, who_could_approve
from iam.changes.errors import RefusedError
from iam.changes.receipts import set_receipt_of
from iam.changes.services.plans import ChangePlan
from iam.directory.models import Identity, Role, RoleAssignment
from iam.guard import Viewer
from iam.linking.models import UserMatch
from iam.mirror.models import Account, Entity, Kind


@dataclass(frozen=True, slots=True)
class UserPart:
    """Some of the users.

    `people` are the approvers they belong to, by id; empty for all other users. `problem` says why the part
    can't be requested.
    """

    people: Mapping[UUID, str]
    count: int
    approvers: tuple[str, ...] = ()
    problem: str = ""


def approvers_of(
    seen: EnforcementForecast, planned: Collection[ChangePlan], *, viewer: Viewer
) -> PossibleApprovers:
    """Who could approve the policy for these users."""
    operations = [plan.operation for plan in planned]
    return who_could_approve(
        operations,
        receipts=[plan.receipt.body for plan in planned],
        impact=set_receipt_of(operations, with_replay=False).get("impact") or {},
        requester=viewer.person_id,
    )


def parts_of(seen: EnforcementForecast, approvers: PossibleApprovers, *, viewer: Viewer) -> list[UserPart]:
    """Other users first, then the approvers' own users: together if somebody can approve that, else person by
    person.
    """
    if seen.scope.group is not None or not approvers.subjects:
        return []
    theirs = users_of_people(seen, approvers.subjects)
    own = set(chain.from_iterable(theirs.values()))
    rest = seen.users.keys() - own
    parts = [_part(seen, rest, {}, viewer=viewer)] if rest else []
    if not own:
        return parts
    together = _part(seen, own, approvers.subjects, viewer=viewer)
    if not together.problem or len(approvers.subjects) == 1:
        return [*parts, together]
    each = [
        _part(seen, theirs[pk], {pk: name}, viewer=viewer)
        for pk, name in approvers.subjects.items()
        if theirs[pk]
    ]
    return [*parts, *each]


def narrowed(
    seen: EnforcementForecast, *, only: Collection[UUID] = (), skip: Collection[UUID] = ()
) -> EnforcementForecast:
    """The forecast for the users of some people only, or without them, without another evaluation."""
    theirs = users_of_people(seen, {*only, *skip})
    left_out = set(chain.from_iterable(theirs[person] for person in skip))
    kept = set(chain.from_iterable(theirs[person] for person in only)) if only else set(seen.users)
    return _subset(seen, kept - left_out)


def users_of_people(seen: EnforcementForecast, people: Iterable[UUID]) -> dict[UUID, set[int]]:
    """The users in scope that belong to a person by any evidence, without duplicates. Two queries."""
    wanted = list(people)
    by_arn = {user.arn: pk for pk, user in seen.users.items()}
    users: dict[UUID, set[int]] = {person: set() for person in wanted}
    taken: set[int] = set()
    identities = Identity.objects.filter(person__in=wanted)
    for person, arn in identities.order_by("pk").values_list("person_id", "user_arn"):
        if arn in by_arn and by_arn[arn] not in taken:
            taken.add(by_arn[arn])
            users[person].add(by_arn[arn])
    mentions = Q(pk__in=[])
    for person in wanted:
        mentions |= Q(said__icontains=str(person))
    for user, voices in UserMatch.objects.filter(mentions, account=seen.scope.account).values_list(
        "user_id", "said"
    ):
        voiced = {voice["person"] for voice in voices}
        for person in wanted:
            if str(person) in voiced and user in seen.users and user not in taken:
                taken.add(user)
                users[person].add(user)
    return users


def approvers_elsewhere(account: Account, *, but: Collection[UUID]) -> list[str]:
    """The names of approvers of other accounts, who could get the role in this one too. One query."""
    rows = RoleAssignment.objects.filter(role=Role.APPROVER, person__is_active=True)
    rows = rows.exclude(account_id__in=["", account.account_id]).exclude(person__in=but)
    return sorted(set(rows.values_list("person__name", flat=True)))


def has_policy(seen: EnforcementForecast, name: str) -> bool:
    """True if the account has the policy; until then, only one request can create it."""
    return Entity.objects.filter(
        account=seen.scope.account, kind=Kind.POLICY, name=name, gone_at__isnull=True
    ).exists()


def _part(
    seen: EnforcementForecast, users: Collection[int], people: Mapping[UUID, str], *, viewer: Viewer
) -> UserPart:
    part = _subset(seen, users)
    try:
        planned = changes.plan_set(operations_for(part), viewer=viewer)
    except RefusedError as refused:
        return UserPart(people, len(users), problem=refused.message)
    approvers = approvers_of(part, planned, viewer=viewer)
    problem = "" if approvers.is_possible_now else approvers.problem
    return UserPart(people, len(users), tuple(approvers.people.values()), problem)


def _subset(seen: EnforcementForecast, users: Collection[int]) -> EnforcementForecast:
    return replace(
        seen,
        users={pk: user for pk, user in seen.users.items() if pk in users},
        standings=[standing for standing in seen.standings if standing.number in users],
        outside=[user for user in seen.outside if user.pk in users],
    )
