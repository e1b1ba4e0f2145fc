"""Computes the effect of drift: the engine compares the access of everyone concerned before and after it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from iam.changes import trust_policies
from iam.changes.drift.mirror_history import CREDENTIALS, OWNED, STATE, ObservedSteps
from iam.changes.receipt_lines import ReceiptLines
from iam.changes.risk_detection import bears_on_administrators, is_administrator
from iam.changes.risks import (
    ADMINISTRATOR,
    CRITICAL,
    ESCALATION,
    HIGH,
    NORMAL,
    SENSITIVE,
    TRUST_OPENED,
    level_of,
)
from iam.mirror.models import EntityState, Kind, valid_at
from iam.mirror.snapshot import snapshot
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.difference import NOTHING, AccessDifference, AccessShift, ListedShifts
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.index import PolicyIndex
from iam.policy.index.shard import AccountShard
from iam.policy.index.sides import PrincipalSide, absent_side, side_of
from iam.policy.index.witness import ChangeProver

JUST_BEFORE: Final = timedelta(microseconds=1)
MAX_PRINCIPALS: Final = 500
"""The maximum number of principals compared per drift; for a policy with more holders, the first ones."""
WEIGHTS: Final = {NORMAL: 0, SENSITIVE: 1, CRITICAL: 2}
"""The position of each risk level in the list; critical drift has this position or a higher one."""
ESCALATION_WEIGHT: Final = 3
ADMINISTRATOR_WEIGHT: Final = 4
KEY_WEIGHT: Final = 5
"""The position of an administrator who can sign in or call AWS without assuming a role."""


@dataclass(frozen=True, slots=True)
class _PrincipalThen:
    """A principal at one moment."""

    member: IndexedPrincipal
    side: PrincipalSide
    can: AllowedActionSets


def weight_of(impact: Mapping[str, Any]) -> int:
    """The sort weight of a drift by its effect; among critical ones, the largest gain comes first."""
    level = impact.get("risk", NORMAL)
    risks = impact.get("risks", ())
    if level == CRITICAL and ADMINISTRATOR in risks:
        return KEY_WEIGHT if impact.get("has_key") else ADMINISTRATOR_WEIGHT
    if level == CRITICAL and ESCALATION in risks:
        return ESCALATION_WEIGHT
    return WEIGHTS[level]


def effect_of(happened: ObservedSteps) -> dict[str, Any]:
    """The impact as a receipt stores it, with `has_key`: true if a new administrator has an access key or a
    new way to sign in.

    An entity without known earlier state counts as having held nothing. The mirror is compared immediately
    before the moment rather than at the last observation, so that other drift and Gatehouse's own changes in
    between don't count.
    """
    account = happened.entity.account.account_id
    after = _held_at(happened, account, happened.when)
    before = {} if happened.after is None else _held_at(happened, account, happened.when - JUST_BEFORE)
    own = [TRUST_OPENED] if opens_trust(happened) else []
    with snapshot(accounts=[account]) as index:
        if account not in index.accounts:
            return {}
        shifts, sides = _shifts(index, index.accounts[account], before, after)
        compared = ListedShifts(shifts, sides.__getitem__)
        effect = AccessDifference(index.documents.space, compared, lambda: index)
        impact = ReceiptLines(index, effect).impact(own)
        administrators = _made_administrators(index, shifts) if ADMINISTRATOR in impact.risks else []
    body: dict[str, Any] = json.loads(json.dumps(impact.body))
    sensitivity = HIGH if opens_a_door(happened) else ""
    body["risk"] = level_of(body["risks"], sensitivity=sensitivity)
    if administrators:
        body["has_key"] = opens_a_door(happened) or _have_keys(administrators)
    return body


def _made_administrators(
    index: PolicyIndex, shifts: Iterable[tuple[IndexedPrincipal, AccessShift]]
) -> list[int]:
    """The entities that are administrators after the drift but not before."""
    space, effective = index.documents.space, index.effective()
    made: list[int] = []
    for member, shift in shifts:
        if not bears_on_administrators(shift, space):
            continue
        ceiling = effective.ceiling(member)
        was_before = is_administrator(shift.before, space, ceiling=ceiling)
        if is_administrator(shift.after, space, ceiling=ceiling) and not was_before:
            made.append(member.id)
    return made


def _have_keys(users: Collection[int]) -> bool:
    """True if one of these users has an active access key now."""
    keys = EntityState.objects.filter(valid_at(None), entity__kind=Kind.ACCESS_KEY, category="Active")
    return keys.filter(entity__owner__in=users).exists()


def _shifts(
    index: PolicyIndex,
    shard: AccountShard,
    before: dict[int, _PrincipalThen],
    after: dict[int, _PrincipalThen],
) -> tuple[list[tuple[IndexedPrincipal, AccessShift]], dict[int, tuple[PrincipalSide, PrincipalSide]]]:
    prover = ChangeProver(index.documents.space, timezone.now())
    shifts: list[tuple[IndexedPrincipal, AccessShift]] = []
    sides: dict[int, tuple[PrincipalSide, PrincipalSide]] = {}
    for number in sorted({*before, *after}):
        left, right = before.get(number), after.get(number)
        there = right or left
        assert there is not None
        sides[number] = (
            left.side if left else absent_side(there.member, shard),
            right.side if right else absent_side(there.member, shard),
        )
        could = left.can if left else NOTHING
        can = right.can if right else NOTHING
        shift = AccessShift(could, can, prover.change(*sides[number]))
        shifts.append((there.member, shift))
    return shifts, sides


def _held_at(happened: ObservedSteps, account: str, at: datetime) -> dict[int, _PrincipalThen]:
    """The principals concerned, as they were at a moment."""
    with snapshot(at, accounts=[account]) as index:
        shard = index.accounts.get(account)
        if shard is None:
            return {}
        effective = index.effective()
        return {
            member.id: _PrincipalThen(member, side_of(member, shard), effective.for_member(member))
            for member in _concerned(happened, shard)
        }


def _concerned(happened: ObservedSteps, shard: AccountShard) -> list[IndexedPrincipal]:
    """The user or role itself, the members of a group, or the holders of a policy."""
    number, kind = happened.entity.pk, happened.entity.kind
    if kind in (Kind.USER, Kind.ROLE):
        member = shard.members.get(number)
        return [member] if member else []
    if kind == Kind.GROUP:
        members: Iterable[IndexedPrincipal] = (
            member for member in shard.members.values() if number in member.grants.groups
        )
    elif kind == Kind.POLICY:
        groups = {group.id for group in shard.groups.values() if number in group.grants.attached}
        members = (member for member in shard.members.values() if _has_policy(member, number, groups))
    else:
        return []
    return sorted(members, key=lambda member: member.id)[:MAX_PRINCIPALS]


def _has_policy(member: IndexedPrincipal, policy: int, groups: set[int]) -> bool:
    grants = member.grants
    return policy in grants.attached or policy == grants.boundary or not groups.isdisjoint(grants.groups)


def opens_trust(happened: ObservedSteps) -> bool:
    """True if the role's trust policy lets someone in whom it did not let in before."""
    for step in happened.steps.get(STATE, ()):
        if happened.entity.kind == Kind.ROLE and step.new is not None and step.new.document is not None:
            before = step.old.document.text if step.old is not None and step.old.document else ""
            if trust_policies.lets_in_more(before, step.new.document.text):
                return True
    return False


def opens_a_door(happened: ObservedSteps) -> bool:
    """True if someone gained a way to sign in or call AWS: a new access key, another credential, or a console
    password.
    """
    return any(True for _ in _doors(happened))


def _doors(happened: ObservedSteps) -> Iterator[str]:
    for step in happened.steps.get(OWNED, ()):
        if step.new is not None and step.new.kind != Kind.MFA_DEVICE and step.old is None:
            yield str(step.new.name)
    for step in happened.steps.get(CREDENTIALS, ()):
        had = step.old is not None and step.old.has_password
        if step.new is not None and step.new.has_password and not had:
            yield "console password"


def effects_of(events: Iterable[ObservedSteps]) -> dict[tuple[int, datetime], dict[str, Any]]:
    """The effects by entity and moment. Drifts of one moment are computed together, because each moment needs
    its own index.
    """
    by_moment: dict[tuple[datetime, datetime | None], list[ObservedSteps]] = defaultdict(list)
    for event in events:
        by_moment[event.when, event.after].append(event)
    effects: dict[tuple[int, datetime], dict[str, Any]] = {}
    for together in by_moment.values():
        for event in together:
            effects[event.entity.pk, event.when] = effect_of(event)
    return effects
