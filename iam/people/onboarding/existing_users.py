"""People who have a user already are taken in: that user gets the groups and the templates of the blueprint,
and nothing else. No password, no key, no new user.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from iam.access.grants.models import LedgerEntry, PermissionSort
from iam.changes.operations import ADD_TO_GROUP, Membership, PutInlinePolicy
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, valid_at
from iam.mirror.queries.visibility import visible_entities
from iam.people.onboarding.creation_plan import (
    CreationSite,
    CreationStep,
    PersonAccountPlan,
    memberships,
    policies,
)
from iam.people.onboarding.models import OnboardedPerson, OnboardingRun
from iam.people.runs.models import RowStatus


def reached_by(viewer: Viewer, users: Iterable[Entity]) -> frozenset[int]:
    """Those of whom somebody may ask for changes; one query, none for who reaches everything."""
    pks = [entity.pk for entity in users]
    if viewer.asks.sees_everything:
        return frozenset(pks)
    seen = visible_entities(replace(viewer, scope=viewer.asks)).filter(pk__in=pks)
    return frozenset(seen.values_list("pk", flat=True))


def adoptable(run: OnboardingRun) -> list[OnboardedPerson]:
    """Who of a draft can be taken in."""
    return [newcomer for newcomer in run.people.filter(standing=RowStatus.EXISTING) if newcomer.users]


def users_by_place(people: Sequence[OnboardedPerson]) -> dict[tuple[int, int], Entity]:
    """The living users of these people by (newcomer, account); one query, none where nobody has one."""
    owners: dict[int, int] = {}
    for newcomer in people:
        owners |= dict.fromkeys(newcomer.users, newcomer.pk)
    rows = Entity.objects.filter(pk__in=owners, gone_at__isnull=True).select_related("account")
    return {(owners[user.pk], user.account_id): user for user in rows} if owners else {}


@dataclass(frozen=True, slots=True)
class ExistingHoldings:
    """What users have: (user, group) of each membership, and (user, template with version and parameters) of
    each policy that a grant has given.
    """

    groups: frozenset[tuple[int, int]] = frozenset()
    templates: frozenset[tuple[int, str]] = frozenset()


def held_by_users(users: Iterable[Entity]) -> ExistingHoldings:
    """Two queries; none for nobody."""
    pks = [entity.pk for entity in users]
    if not pks:
        return ExistingHoldings()
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source__in=pks)
    entries = LedgerEntry.objects.filter(
        entity__in=pks, sort=PermissionSort.INLINE, since__isnull=False, until__isnull=True
    ).values_list("entity", "part__grant__terms")
    whats = ((pk, terms.get("what", {})) for pk, terms in entries)
    return ExistingHoldings(
        frozenset(edges.values_list("source_id", "target_id")),
        frozenset((pk, _mark(what)) for pk, what in whats if pk),
    )


def _mark(what: Mapping[str, Any]) -> str:
    """A template with its version and parameters, in one form."""
    return json.dumps([what.get("template"), what.get("version"), what.get("parameters", {})], sort_keys=True)


def adopted_part(
    site: CreationSite, newcomer: OnboardedPerson, user: Entity, *, holdings: ExistingHoldings, key: str
) -> PersonAccountPlan:
    """What a user who is there gets: each thing in the branch that it has for somebody new, without what they
    have already.
    """
    return PersonAccountPlan(
        newcomer, site.account, user.arn, tuple(_steps(site, newcomer, user, holdings, key))
    )


def _steps(
    site: CreationSite, newcomer: OnboardedPerson, user: Entity, holdings: ExistingHoldings, key: str
) -> Iterator[CreationStep]:
    steps = [*memberships(site, newcomer, user.arn), *policies(site, newcomer, user.arn, key=key)]
    groups = {group.arn: group for group in site.groups}
    for branch, (operation, what) in enumerate(steps, start=1):
        if operation.spec is ADD_TO_GROUP:
            group = groups[operation.inputs.group_arn]
            if (user.pk, group.pk) not in holdings.groups:
                yield CreationStep(Membership.of(ADD_TO_GROUP, user, group=group), branch, what)
        elif isinstance(operation, PutInlinePolicy):
            if what is not None and (user.pk, _mark(what.body)) in holdings.templates:
                continue
            again = PutInlinePolicy.of(user, name=operation.inputs.policy_name, text=operation.text)
            yield CreationStep(again, branch, what)
