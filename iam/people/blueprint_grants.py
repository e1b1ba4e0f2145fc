"""Grants for the permissions that a blueprint or a restore has given, so that the ledger has a reason and an
end for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from iam.access.grants.models import Grant, GrantAct, GrantPart, GrantState, LedgerEntry, PermissionSort
from iam.access.grants.plans import GrantWay
from iam.access.grants.services import settle
from iam.access.grants.services.reconcile import entity_of, note_state
from iam.access.grants.services.requests import record_act
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.access.grants.titles import title_of
from iam.changes.models import Change, ChangeState
from iam.mirror.models import Account, Entity

BLUEPRINT: Final = "The blueprint says so."


@dataclass(frozen=True, slots=True)
class HoldingReason:
    """Why someone holds a permission: the requester, its start and end, and the set in which failed parts
    were retried.

    `key` names what gave it, such as "onboarding". `written` is the end date in the policy itself, if it
    differs from `until`.
    """

    key: str
    why: str
    requested_by: UUID
    requested_label: str
    since: datetime | None
    until: datetime | None = None
    written: datetime | None = None
    retry: UUID | None = None
    sentence: str = BLUEPRINT


@dataclass(frozen=True, slots=True)
class HeldPermission:
    """A permission that is held, and the change that gave it."""

    sort: str
    target: str
    change: Change
    entity: Entity | None = None
    target_id: int | None = None


@dataclass(frozen=True, slots=True)
class BlueprintGrant:
    """The content of a grant and its permissions in one account. `change` determines its lane in the set."""

    account: Account
    holder_arn: str
    title: str
    terms: Mapping[str, Any]
    way: str
    change: Change
    held: Sequence[HeldPermission] = field(default=())


def given_by(
    change: Change,
    what: GrantContent,
    *,
    holder_arn: str,
    reason: HoldingReason,
    entity: Entity | None = None,
) -> BlueprintGrant:
    """Return the grant for a group membership, or an inline policy from a template, that a change has given a
    user.
    """
    is_group = what.kind is WhatKind.GROUP
    terms = GrantTerms(
        who=WhoTerms(WhoKind.USERS, arns=(holder_arn,)),
        what=what,
        accounts=(change.account.account_id,),
        why=reason.why[:1000],
        until=reason.until,
    )
    target = what.group_arn if is_group else str(change.params["policy_name"])
    sort, way = (
        (PermissionSort.MEMBER, GrantWay.GROUP) if is_group else (PermissionSort.INLINE, GrantWay.INLINE)
    )
    permission = HeldPermission(sort, target, change, entity)
    return BlueprintGrant(change.account, holder_arn, title_of(terms), terms.body, way, change, (permission,))


def write_grant(grant_id: UUID, by_run: BlueprintGrant, *, reason: HoldingReason) -> None:
    """Write the grant with its ledger entries, once. If the grant exists, only the retry set is updated."""
    standing = Grant.objects.filter(pk=grant_id).first()
    if standing is not None:
        if reason.retry is not None:
            GrantPart.objects.filter(grant=standing).update(retry_set=reason.retry)
            settle(standing)
        return
    is_so = reason.retry is None and all(_came_true(permission) for permission in by_run.held)
    state = GrantState.ACTIVE if is_so else GrantState.WAITING
    grant = _grant(grant_id, by_run, reason, state=state)
    part = GrantPart.objects.create(
        grant=grant,
        account=by_run.account,
        state=state,
        lane=by_run.change.lane,
        way=by_run.way,
        plan={"why": reason.sentence, "others": [], "quotas": [], "notes": [], "ends_only": ""},
        change_set_id=by_run.change.change_set_id,
        retry_set_id=reason.retry,
    )
    LedgerEntry.objects.bulk_create(
        _entry(part, by_run, permission, is_so=is_so) for permission in by_run.held
    )
    record_act(grant, act=GrantAct.ASKED, actor=None, reason=str(by_run.terms["why"]), number=1)
    if is_so:
        note_state(grant, before=GrantState.WAITING)
    else:
        settle(grant)


def _came_true(permission: HeldPermission) -> bool:
    """Return True if the change has given a permission that didn't exist before. Blueprint and grant are then
    its only reason.
    """
    change = permission.change
    is_plain = permission.sort in (PermissionSort.MEMBER, PermissionSort.INLINE) and not change.already_so
    return is_plain and change.state == ChangeState.APPLIED and change.ended_at is not None


def _entry(
    part: GrantPart, by_run: BlueprintGrant, permission: HeldPermission, *, is_so: bool
) -> LedgerEntry:
    entry = LedgerEntry(
        part=part,
        account=by_run.account,
        entity=permission.entity,
        target_entity_id=permission.target_id,
        holder_arn=by_run.holder_arn,
        sort=permission.sort,
        target=permission.target,
        change=permission.change,
    )
    if is_so:
        entry.since = permission.change.ended_at
        if entry.entity_id is None:
            entry.entity_id = entity_of(by_run.account.pk, by_run.holder_arn)
    return entry


def _grant(grant_id: UUID, by_run: BlueprintGrant, reason: HoldingReason, *, state: GrantState) -> Grant:
    what = by_run.terms["what"]
    return Grant.objects.create(
        id=grant_id,
        title=by_run.title,
        terms=dict(by_run.terms),
        who_kind=by_run.terms["who"]["kind"],
        what_kind=what["kind"],
        template=what.get("template", ""),
        template_version=what.get("version", 0),
        state=state,
        idempotency_key=f"{reason.key}:{grant_id}",
        requested_by=reason.requested_by,
        requested_label=reason.requested_label,
        ends_at=reason.until,
        planned_end=reason.written or reason.until,
        begins_at=reason.since,
    )
