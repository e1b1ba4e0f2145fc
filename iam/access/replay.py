"""Replays calls of a user or role, as recorded by CloudTrail, against changed policies.

Similar calls are evaluated once: see `iam.activity.recorded_calls`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any, Final

from iam.access.principals import AskingPrincipal
from iam.activity.queries import callers_of
from iam.activity.recorded_calls import CallGroup, call_groups
from iam.mirror.models import Entity
from iam.mirror.snapshot import snapshot
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.shard import AccountShard
from iam.policy.index.side_replay import SideReplay
from iam.policy.index.sides import PrincipalSide, side_of
from iam.policy.replay import ReplayOutcome

UNCHANGED: Final = frozenset({ReplayOutcome.SAME, ReplayOutcome.DENIED_ALREADY})
"""Outcomes of calls that the change does not affect."""


class ReplayError(ValueError):
    """Raised if the change can't be replayed; the message gives the reason in one sentence."""


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """The calls to replay and the change: without a managed policy (its ARN), or with another identity policy
    (its JSON).
    """

    who: AskingPrincipal
    since: datetime | None = None
    without: str = ""
    added: str = ""


@dataclass(frozen=True, slots=True)
class ReplayedCalls:
    """Similar calls and the outcome of replaying them."""

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
    """The number of replayed calls, and those with another result, most frequent first.

    `same` includes `denied_already`: calls that AWS allowed at the time and that today's policies deny even
    without the change.
    """

    calls: int = 0
    same: int = 0
    denied_already: int = 0
    changed: list[ReplayedCalls] = field(default_factory=list)

    def add(self, group: CallGroup, outcome: ReplayOutcome) -> None:
        """Count a group of calls."""
        self.calls += group.calls
        if outcome is ReplayOutcome.DENIED_ALREADY:
            self.denied_already += group.calls
        if outcome in UNCHANGED:
            self.same += group.calls
            return
        line = ReplayedCalls(
            outcome=outcome,
            action=group.permission,
            resource=group.resource,
            was_denied=group.was_denied,
            region=group.region,
            calls=group.calls,
            first_at=group.first_at,
            last_at=group.last_at,
        )
        self.changed.append(line)

    def finish(self) -> None:
        """Merge calls that differ only in fields that are not shown, and sort them."""
        joined: dict[tuple[Any, ...], ReplayedCalls] = {}
        for each in self.changed:
            key = (each.outcome, each.action, each.resource, each.was_denied, each.region)
            other = joined.get(key)
            if other is not None:
                each = replace(
                    other,
                    calls=other.calls + each.calls,
                    first_at=min(other.first_at, each.first_at),
                    last_at=max(other.last_at, each.last_at),
                )
            joined[key] = each
        self.changed = sorted(
            joined.values(), key=lambda each: (each.outcome, -each.calls, each.action, each.resource)
        )

    def count(self, outcome: ReplayOutcome) -> int:
        """The number of calls with an outcome."""
        if outcome is ReplayOutcome.SAME:
            return self.same
        return sum(each.calls for each in self.changed if each.outcome is outcome)


def replay_calls(asked: ReplayRequest) -> ReplayReport:
    """Replay the recorded calls against the change. Raises ReplayError."""
    entity = Entity.objects.select_related("account").filter(pk=asked.who.number).first()
    if entity is None:
        raise ReplayError(f"{asked.who.arn} is not a user or role of a connected account.")
    groups = call_groups(callers_of(entity), since=asked.since)
    report = ReplayReport()
    with snapshot(None, accounts={asked.who.account}, may_lag=True) as index:
        member = index.member(asked.who.account, asked.who.number)
        if member is None:
            raise ReplayError(f"{asked.who.arn} no longer exists, as of the last sync.")
        added = SharedDocuments().add("", asked.added) if asked.added else None
        side = _side_after(index, member, asked.without)
        if added is not None:
            side = replace(side, docs=(*side.docs, added))
        judge = SideReplay(index, member, side)
        for group in groups:
            report.add(group, _outcome(judge, group))
    report.finish()
    return report


def _outcome(judge: SideReplay, group: CallGroup) -> ReplayOutcome:
    if not group.needs_permission:
        return ReplayOutcome.SAME
    return judge.outcome(group.question, was_denied=group.was_denied)


def _side_after(index: PolicyIndex, member: IndexedPrincipal, without: str) -> PrincipalSide:
    """The principal without the managed policy with this ARN ("": with all). Raises ReplayError."""
    shard = index.accounts[member.account]
    side = side_of(member, shard)
    if not without:
        return side
    dropped = _names_of(shard, member, without)
    kept = (doc for name, doc in shard.named_policies(member.grants) if name not in dropped)
    return replace(side, docs=tuple(kept))


def _names_of(shard: AccountShard, member: IndexedPrincipal, arn: str) -> frozenset[str]:
    """The names that the engine uses for this managed policy, held directly and through groups.

    Raises ReplayError if the principal does not hold it.
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
