"""Includes people who already have a user: it gets the groups and templates of the blueprint, but no password
and no key, and no new user is created.
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
    """Return the users that the viewer can request changes for, with one query, or none if they can reach
    everything.
    """
    pks = [entity.pk for entity in users]
    if viewer.asks.sees_everything:
        return frozenset(pks)
    seen = visible_entities(replace(viewer, scope=viewer.asks)).filter(pk__in=pks)
    return frozenset(seen.values_list("pk", flat=True))


def adoptable(run: OnboardingRun) -> list[OnboardedPerson]:
    """Return the people of a draft whose existing users can be included."""
    return [newcomer for newcomer in run.people.filter(standing=RowStatus.EXISTING) if newcomer.users]


def users_by_place(people: Sequence[OnboardedPerson]) -> dict[tuple[int, int], Entity]:
    """Return the living users of these people by (newcomer, account), with one query, or none if there are no
    users.
    """
    owners: dict[int, int] = {}
    for newcomer in people:
        owners |= dict.fromkeys(newcomer.users, newcomer.pk)
    rows = Entity.objects.filter(pk__in=owners, gone_at__isnull=True).select_related("account")
    return {(owners[user.pk], user.account_id): user for user in rows} if owners else {}


@dataclass(frozen=True, slots=True)
class ExistingHoldings:
    """What users have: (user, group) of each membership, and (user, template with version and parameters) of
    each policy from a grant.
    """

    groups: frozenset[tuple[int, int]] = frozenset()
    templates: frozenset[tuple[int, str]] = frozenset()


def held_by_users(users: Iterable[Entity]) -> ExistingHoldings:
    """Return what the users have, with two queries, or none without users."""
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
    """Return a template with its version and parameters as comparable text."""
    return json.dumps([what.get("template"), what.get("version"), what.get("parameters", {})], sort_keys=True)


def adopted_part(
    site: CreationSite, newcomer: OnboardedPerson, user: Entity, *, holdings: ExistingHoldings, key: str
) -> PersonAccountPlan:
    """Return what an existing user gets: each permission in the same branch as for a new user, without those
    that it already has.
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
