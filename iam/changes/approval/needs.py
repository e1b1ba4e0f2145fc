"""Determines the approvals that a set needs under the rules in force, before and after it is requested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from iam.changes.approval.models import Requirement, RuleSet, RulesState, StageDecider
from iam.changes.approval.people import owners_of, people_of, teams_of
from iam.changes.approval.rules import (
    APPROVERS,
    HIGH,
    LEAD,
    SHIPPED,
    TEAM,
    ApprovalNeed,
    ApprovalRule,
    ApprovalStage,
    ApproverSpec,
    RuleMatter,
    need_of,
)
from iam.changes.models import Change, ChangeSet
from iam.changes.operations import Operation, restore
from iam.changes.risks import CRITICAL, NORMAL, SENSITIVE, level_of


def rules_in_force() -> tuple[int, tuple[ApprovalRule, ...]]:
    """The number of the version in force and its rules; 0 and the default rules if none was approved yet."""
    rule_set = RuleSet.objects.filter(state=RulesState.ACTIVE).first()
    return (rule_set.number, rule_set.rules) if rule_set else (0, SHIPPED)


def need_for(
    operations: Sequence[Operation],
    *,
    receipts: Sequence[Mapping[str, Any]],
    impact: Mapping[str, Any],
    requester: UUID,
) -> ApprovalNeed:
    """The approvals that these operations would need if this person requested them.

    `impact` is that of the set's receipt, {} if it has none.
    """
    return _need(operations, receipts=receipts, impact=impact, requester=requester)[0]


def open_for(change_set: ChangeSet, *, parts: Sequence[Change]) -> Requirement:
    """Store the approvals that a new set needs and its expiry, in the caller's transaction."""
    need, version = _need_of(change_set, parts)
    now = datetime.now(tz=UTC)
    remind_at = now + timedelta(hours=need.remind_hours) if need.remind_hours else None
    escalate_at = now + timedelta(hours=need.escalate_hours) if need.escalate_hours else None
    made = Requirement.objects.create(
        change_set=change_set,
        remind_at=remind_at,
        escalate_at=escalate_at,
        **_columns(change_set, need, version),
    )
    expires = now + timedelta(hours=need.wait_hours)
    Change.objects.filter(pk__in=[part.pk for part in parts]).update(expires_at=expires)
    for part in parts:
        part.expires_at = expires
    set_ballots(made)
    return made


def renew(change_set: ChangeSet, *, parts: Sequence[Change]) -> Requirement:
    """Recompute the approvals after the receipt changed: from the first stage, under today's rules."""
    need, version = _need_of(change_set, parts)
    columns = _columns(change_set, need, version)
    made, _ = Requirement.objects.update_or_create(change_set=change_set, defaults=columns | {"stage": 0})
    set_ballots(made)
    return made


def requirement_of(change_set: ChangeSet, *, parts: Sequence[Change] = ()) -> Requirement:
    """The approvals that the set needs.

    For a set older than the rules, they are computed from the current rules and not stored.
    """
    requirement = Requirement.objects.filter(pk=change_set.pk).first()
    if requirement is not None:
        return requirement
    need, version = _need_of(change_set, parts or parts_of(change_set))
    return Requirement(change_set=change_set, **_columns(change_set, need, version))


def kept_requirement(change_set: ChangeSet) -> Requirement:
    """Like `requirement_of`, but stored from now on, in the caller's transaction."""
    requirement = Requirement.objects.filter(pk=change_set.pk).first()
    return requirement or open_for(change_set, parts=parts_of(change_set))


def risk_of(change: Change) -> str:
    """The risk of a request, from the whole set and the change itself."""
    impact = change.change_set.receipt.get("impact", {})
    sensitivity = change.receipt.get("sensitivity", "")
    if impact.get("risk") in (SENSITIVE, CRITICAL):
        sensitivity = HIGH
    return level_of(impact.get("risks", ()), sensitivity=sensitivity)


def is_grave(change: Change) -> bool:
    """True if a request is sensitive or critical."""
    return risk_of(change) != NORMAL


def parts_of(change_set: ChangeSet) -> list[Change]:
    """The changes of a set, in order, with one object for their set: its receipt is parsed only once."""
    return list(change_set.changes.prefetch_related("account", "change_set").order_by("position"))


def set_ballots(requirement: Requirement) -> None:
    """Store who can decide the waiting stage."""
    stages = requirement.need.stages
    who = set(stages[requirement.stage].who) if requirement.stage < len(stages) else set()
    if requirement.escalated_at and who:
        who |= set(requirement.need.escalate_to)
    requirement.ballots.all().delete()
    StageDecider.objects.bulk_create(
        [
            StageDecider(requirement=requirement, kind=candidate.kind, value=candidate.value)
            for candidate in sorted(who)
        ]
    )


def _columns(change_set: ChangeSet, need: ApprovalNeed, version: int) -> dict[str, Any]:
    return {
        "digest": change_set.receipt_digest,
        "version": version,
        "stages": [asdict(stage) for stage in need.stages],
        "because": list(need.because),
        "notes": list(need.notes),
        "wait_hours": need.wait_hours,
        "remind_hours": need.remind_hours,
        "escalate_to": [asdict(who) for who in need.escalate_to],
        "break_glass": [asdict(who) for who in need.break_glass],
    }


def _need_of(change_set: ChangeSet, parts: Sequence[Change]) -> tuple[ApprovalNeed, int]:
    operations = [restore(part.operation, account=part.account, params=part.params) for part in parts]
    return _need(
        operations,
        receipts=[part.receipt for part in parts],
        impact=change_set.receipt.get("impact", {}),
        requester=parts[0].requested_by,
    )


def _need(
    operations: Sequence[Operation],
    *,
    receipts: Sequence[Mapping[str, Any]],
    impact: Mapping[str, Any],
    requester: UUID,
) -> tuple[ApprovalNeed, int]:
    version, rules = rules_in_force()
    is_sensitive = any(receipt.get("sensitivity") == HIGH for receipt in receipts)
    risks = frozenset(impact.get("risks", ()))
    of_receipts = HIGH if is_sensitive else ""
    sensitivity = HIGH if level_of(risks, sensitivity=of_receipts) != NORMAL else ""
    arns: dict[int, set[str]] = defaultdict(set)
    for operation in operations:
        arns[operation.account.pk].update(_users(operation))
    teams = teams_of(arns)
    matters = [
        RuleMatter(
            account_id=operation.account.account_id,
            teams=frozenset().union(*(teams.get(arn, frozenset()) for arn in _users(operation))),
            sensitivity=sensitivity,
            risks=risks,
        )
        for operation in operations
    ]
    need = need_of(rules, matters)
    accounts = {operation.account.account_id for operation in operations}
    concerned = [[teams[arn] for arn in _users(operation)] for operation in operations]
    users = chain.from_iterable(_users(operation) for operation in operations)
    barred = {requester, *owners_of(users)}
    return _with_leads(need, teams=_common(concerned), accounts=accounts, but=barred), version


def _common(concerned: Sequence[Sequence[frozenset[str]]]) -> frozenset[str]:
    """The teams that contain every user of each change.

    Empty if a change concerns more than users, which team leads don't see.
    """
    return _in_all([_in_all(teams) for teams in concerned])


def _in_all(teams: Sequence[frozenset[str]]) -> frozenset[str]:
    """The intersection of all sets; empty if there are none."""
    return frozenset.intersection(*teams) if teams else frozenset()


def _users(operation: Operation) -> list[str]:
    return [arn for arn in (*operation.modified_arns(), *operation.created_arns()) if ":user/" in arn]


def _with_leads(
    need: ApprovalNeed, *, teams: frozenset[str], accounts: set[str], but: set[UUID]
) -> ApprovalNeed:
    """The need with "lead" replaced by the leads of the common teams. Approvers decide if these have no
    eligible lead.
    """
    leads = [
        ApproverSpec(TEAM, slug)
        for slug in sorted(teams)
        if set(people_of([ApproverSpec(TEAM, slug)], accounts=accounts)) - but
    ]
    stages, notes = [], list(need.notes)
    for number, stage in enumerate(need.stages, start=1):
        if all(who.kind != LEAD for who in stage.who):
            stages.append(stage)
            continue
        others = tuple(who for who in stage.who if who.kind != LEAD)
        if not leads:
            notes.append(
                f"No one else leads a team that all of this is about, so approvers decide stage {number}."
            )
        stages.append(ApprovalStage((*others, *(leads or [APPROVERS])), stage.count))
    escalate = [who for who in need.escalate_to if who.kind != LEAD]
    escalate += leads if len(escalate) < len(need.escalate_to) else []
    return replace(need, stages=tuple(stages), notes=tuple(notes), escalate_to=tuple(escalate))
