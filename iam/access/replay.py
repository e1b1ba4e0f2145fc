"""Replay: calls that a user or role made, as CloudTrail recorded them, against policies that would change.

Similar calls are judged once: those with the same action, resource, answer, Region, address and MFA.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_address
from itertools import chain
from typing import Any, Final

from django.db.models import Count, Max, Min

from iam.access.principals import AskingPrincipal
from iam.activity.permissions import WITHOUT_PERMISSION
from iam.activity.queries import ActivityFilter, callers_of, events_of
from iam.mirror.models import Entity, Kind
from iam.mirror.snapshot import snapshot
from iam.policy.compiled import Compiled, PolicyKind, PolicySet
from iam.policy.evaluate import RequestPolicies
from iam.policy.index.classes import Member
from iam.policy.index.documents import Documents
from iam.policy.index.index import Index
from iam.policy.index.question import AccessQuestion
from iam.policy.index.shard import Shard
from iam.policy.replay import PolicyChange, ReplayOutcome, replay

COLUMNS: Final = (
    "service",
    "action",
    "resource",
    "is_denied",
    "region",
    "source_address",
    "mfa",
    "session_name",
)
IAM_KINDS: Final = {
    "user": Kind.USER,
    "role": Kind.ROLE,
    "group": Kind.GROUP,
    "policy": Kind.POLICY,
    "instance-profile": Kind.INSTANCE_PROFILE,
}
SIX_CHARACTERS: Final = "-??????"
"""Secrets Manager puts six characters behind a name, which events leave out."""


class ReplayError(ValueError):
    """The change can't be replayed. The message says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Whose calls, since when, and the change: without a managed policy (its ARN), or with another identity
    policy (its JSON).
    """

    who: AskingPrincipal
    since: datetime | None = None
    without: str = ""
    added: str = ""


@dataclass(frozen=True, slots=True)
class ReplayedCalls:
    """Calls that are alike, and what becomes of them."""

    outcome: ReplayOutcome
    action: str
    resource: str
    was_denied: bool
    region: str
    calls: int
    first_at: datetime
    last_at: datetime


@dataclass(slots=True)
class ReplayReport:
    """How many calls there were, and those that are not answered as before, the most frequent first."""

    calls: int = 0
    same: int = 0
    changed: list[ReplayedCalls] = field(default_factory=list)

    def count(self, outcome: ReplayOutcome) -> int:
        """How many calls have an outcome."""
        if outcome is ReplayOutcome.SAME:
            return self.same
        return sum(each.calls for each in self.changed if each.outcome is outcome)


def replay_calls(asked: ReplayRequest) -> ReplayReport:
    """What the change does to the recorded calls. Raises ReplayError."""
    entity = Entity.objects.select_related("account").filter(pk=asked.who.number).first()
    if entity is None:
        raise ReplayError(f"{asked.who.arn} is not a user or role of a connected account.")
    groups = _groups(entity, asked.since)
    arns = _iam_arns(groups)
    report = ReplayReport()
    with snapshot(None, accounts={asked.who.account}, may_lag=True) as index:
        member = index.member(asked.who.account, asked.who.number)
        if member is None:
            raise ReplayError(f"{asked.who.arn} no longer exists, as of the last sync.")
        judge = _Replayer(index, member, asked)
        for group in groups:
            resource = arns.get(group["resource"], group["resource"])
            outcome = judge.outcome(group, resource)
            report.calls += group["calls"]
            if outcome is ReplayOutcome.SAME:
                report.same += group["calls"]
            else:
                report.changed.append(_line(group, outcome))
    report.changed.sort(key=lambda each: (each.outcome, -each.calls, each.action, each.resource))
    return report


def _groups(entity: Entity, since: datetime | None) -> list[dict[str, Any]]:
    """The calls, similar ones together. One query, and one for the principals."""
    events = events_of(callers_of(entity), ActivityFilter(since=since)).values(*COLUMNS)
    sums = {"calls": Count("event_id"), "first": Min("at"), "last": Max("at")}
    return list(events.annotate(**sums).order_by(*COLUMNS))


def _line(group: dict[str, Any], outcome: ReplayOutcome) -> ReplayedCalls:
    return ReplayedCalls(
        outcome=outcome,
        action=f"{group['service']}:{group['action']}",
        resource=group["resource"],
        was_denied=group["is_denied"],
        region=group["region"],
        calls=group["calls"],
        first_at=group["first"],
        last_at=group["last"],
    )


class _Replayer:
    """Judges groups of calls of one principal."""

    def __init__(self, index: Index, member: Member, asked: ReplayRequest) -> None:
        self._index, self._member, self._asked = index, member, asked
        self._dropped = _names_of(index.accounts[member.account], member, asked.without)
        self._added = Documents().add("", asked.added) if asked.added else None

    def outcome(self, group: dict[str, Any], resource: str) -> ReplayOutcome:
        """What becomes of a group of calls."""
        if (group["service"], group["action"]) in WITHOUT_PERMISSION:
            return ReplayOutcome.SAME
        question = AccessQuestion(
            f"{group['service']}:{group['action']}",
            resource or "*",
            _context(group),
            is_any_time=True,
        )
        request, policies = self._index.request_and_policies(self._member, question)
        change = self._change(policies, of_pattern=question.asks_for_pattern)
        return replay(request, change, was_denied=group["is_denied"])

    def _change(self, policies: RequestPolicies, *, of_pattern: bool) -> PolicyChange:
        """The policies of the request, before and after."""
        identity = policies.identity
        kept = tuple(each for each in identity.statements if each.policy not in self._dropped)
        dropped = tuple(each for each in identity.statements if each.policy in self._dropped)
        added: tuple[Compiled, ...] = ()
        if self._added is not None:
            added = tuple(self._added.named("the policy", PolicyKind.IDENTITY, of_pattern=of_pattern))
        after = replace(policies, identity=PolicySet(identity.kind, (*kept, *added), identity.problems))
        return PolicyChange(policies, after, (PolicySet(identity.kind, (*dropped, *added), ()),))


def _names_of(shard: Shard, member: Member, arn: str) -> frozenset[str]:
    """How explanations call a managed policy that the principal holds, directly and through groups. Raises
    ReplayError where it holds none with this ARN.
    """
    if not arn:
        return frozenset()
    grants = [("", member.grants)]
    for number in member.grants.groups:
        if group := shard.groups.get(number):
            grants.append((f" of group {group.name}", group.grants))
    numbers = set(chain.from_iterable(holding.attached for _, holding in grants)) & set(shard.policies)
    wanted = set(Entity.objects.filter(pk__in=numbers, arn=arn).values_list("pk", flat=True))
    names: set[str] = set()
    for whose, holding in grants:
        known = [shard.policies[number] for number in holding.attached if number in wanted]
        names |= {f"{policy.name}{whose}" for policy in known}
    if not names:
        raise ReplayError(f"{member.arn} doesn’t hold the managed policy {arn}.")
    return frozenset(names)


def _context(group: dict[str, Any]) -> dict[str, Any]:
    """The condition keys that events tell. A user’s access key has no MFA, and then the key is absent."""
    context: dict[str, Any] = {}
    if group["region"]:
        context["aws:RequestedRegion"] = group["region"]
    if _is_address(group["source_address"]):
        context["aws:SourceIp"] = group["source_address"]
    if group["mfa"] is not None:
        context["aws:MultiFactorAuthPresent"] = str(group["mfa"]).lower()
    elif not group["session_name"]:
        context["aws:MultiFactorAuthPresent"] = ()
    return context


def _is_address(text: str) -> bool:
    """Whether a source is an IP address, and not a service of AWS."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _iam_arns(groups: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The ARNs of IAM's entities with their paths, by the ARN without a path that events lead to; and
    secrets with the suffix that events leave out. What the mirror does not know stays open.
    """
    resources = {group["resource"] for group in groups if group["resource"]}
    arns = {name: f"{name}{SIX_CHARACTERS}" for name in resources if _is_secret_name(name)}
    for account, kind, name, short in _iam_names(resources):
        same = Entity.objects.filter(account__account_id=account, kind=kind, name=name, gone_at__isnull=True)
        arns[short] = same.values_list("arn", flat=True).first() or "*"
    return arns


def _is_secret_name(arn: str) -> bool:
    parts = arn.split(":")
    return len(parts) == 7 and parts[2] == "secretsmanager" and parts[6][-7:-6] != "-"


def _iam_names(resources: Iterable[str]) -> Iterator[tuple[str, Kind, str, str]]:
    """(account, kind, name, ARN) of those resources that are entities of IAM."""
    for arn in sorted(resources):
        parts = arn.split(":", 5)
        if len(parts) == 6 and parts[2] == "iam" and parts[4].isdecimal():
            kind, _, name = parts[5].partition("/")
            if kind in IAM_KINDS and "/" not in name:
                yield parts[4], IAM_KINDS[kind], name, arn
