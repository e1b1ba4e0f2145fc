"""Replays recorded CloudTrail calls for a receipt: which calls of principals that lose access would be
denied.

The work is limited, and the receipt says what was left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from django.db.models import OuterRef, Q, Subquery, Sum
from django.utils import timezone

from iam.activity.callers import ROLE, USER
from iam.activity.models import CallerDay, TrailCaller, TrailEvent
from iam.activity.recorded_calls import CallGroup, call_groups
from iam.changes.world import FIRST_MADE
from iam.mirror.models import Account
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.difference import AccessDifference
from iam.policy.index.index import PolicyIndex
from iam.policy.index.side_replay import SideReplay
from iam.policy.index.sides import PrincipalSide
from iam.policy.replay import ReplayOutcome
from iam.policy.request import PrincipalKind

DAYS: Final = 90
PRINCIPALS: Final = 200
EVENTS: Final = 500_000
DISTINCT: Final = 5_000
SECONDS: Final = 3
"""Measured in processor time of this thread."""
LINES: Final = 20
"""The number of calls of each outcome that a receipt names."""
KINDS: Final = {PrincipalKind.USER: USER, PrincipalKind.ROLE: ROLE}
ORDER: Final = (ReplayOutcome.DENIED, ReplayOutcome.UNDECIDED)


class CallingPrincipal(Protocol):
    """The principal that made the calls."""

    @property
    def account(self) -> str: ...
    @property
    def id(self) -> int: ...
    @property
    def arn(self) -> str: ...


@dataclass(slots=True)
class ReplayTally:
    """Calls by outcome, and the calls with a changed result of one principal, action and resource."""

    counts: dict[ReplayOutcome, int] = field(default_factory=lambda: dict.fromkeys(ReplayOutcome, 0))
    lines: dict[tuple[ReplayOutcome, str, str, str], _ChangedCalls] = field(default_factory=dict)

    def add(
        self, member: CallingPrincipal, group: CallGroup, outcome: ReplayOutcome, keys: tuple[str, ...]
    ) -> None:
        self.counts[outcome] += group.calls
        if outcome in ORDER:
            key = (outcome, member.arn, group.permission, group.resource)
            known = self.lines.get(key)
            self.lines[key] = (
                _ChangedCalls(member, group, keys) if known is None else known.joined(group, keys)
            )


@dataclass(frozen=True, slots=True)
class _ChangedCalls:
    member: CallingPrincipal
    group: CallGroup
    keys: tuple[str, ...]

    def joined(self, group: CallGroup, keys: tuple[str, ...]) -> _ChangedCalls:
        """Combined with more calls of the same action and resource; the latest call is the one shown."""
        latest = max(self.group, group, key=lambda each: each.last_at)
        joined = replace(latest, calls=self.group.calls + group.calls)
        return replace(self, group=joined, keys=tuple(dict.fromkeys(self.keys + keys)))


class SidesAfter:
    """Evaluates calls of principals, preparing each principal's policies before and after the change once.

    `side_after` returns a principal after the change; `gone` are deleted principals.
    """

    def __init__(
        self,
        index: PolicyIndex,
        side_after: Callable[[IndexedPrincipal], PrincipalSide],
        gone: frozenset[int] = frozenset(),
    ) -> None:
        self._index, self._side_after, self._gone = index, side_after, gone
        self._known: dict[int, SideReplay] = {}

    def judge(self, member: IndexedPrincipal, group: CallGroup) -> tuple[ReplayOutcome, tuple[str, ...]]:
        """The outcome of a call, and the condition keys that leave it undecided."""
        if member.id in self._gone and not group.was_denied:
            return ReplayOutcome.DENIED, ()
        if not group.needs_permission:
            return ReplayOutcome.SAME, ()
        replay = self._of(member)
        outcome = replay.outcome(group.question, was_denied=group.was_denied)
        if outcome is ReplayOutcome.UNDECIDED:
            return outcome, replay.open_keys(group.question)
        return outcome, ()

    def _of(self, member: IndexedPrincipal) -> SideReplay:
        known = self._known.get(member.id)
        if known is None:
            now = self._index.accounts[member.account].members[member.id]
            known = self._known[member.id] = SideReplay(self._index, now, self._side_after(member))
        return known


def receipt_replay(
    index: PolicyIndex, difference: AccessDifference, *, gone: Collection[int] = ()
) -> dict[str, Any] | None:
    """The outcome of the last 90 days' calls of principals that lose access, as JSON; None if there are none.

    `gone` are primary keys of deleted users and roles, which can make no more calls. The caller holds the
    lock of the index. At most seven queries.
    """
    losing = list(_losing(index, difference))
    if not losing:
        return None
    after = SidesAfter(index, lambda member: difference.sides_of(member.id)[1], frozenset(gone))
    return replayed_calls(losing, after)


def replayed_calls(losing: Sequence[IndexedPrincipal], after: SidesAfter) -> dict[str, Any]:
    """The outcome of the calls of these users and roles, as JSON. The caller holds the lock of the index."""
    members, left = losing[:PRINCIPALS], losing[PRINCIPALS:]
    read, unread = coverage_of({member.account for member in members})
    callers = callers_of_members(members)
    since = _start(callers)
    tally = ReplayTally()
    cut = _replayed(after, callers, since, tally) if callers else ""
    return {
        "days": DAYS,
        "since": since.isoformat(),
        "is_shortened": since > _earliest(),
        "entity_ids": [member.id for member in members],
        "principals_left": len(left),
        "read": read,
        "not_read": unread,
        "calls": sum(tally.counts.values()),
        **{str(outcome): count for outcome, count in tally.counts.items()},
        "cut": cut,
        **lines_of(tally),
    }


def _losing(index: PolicyIndex, difference: AccessDifference) -> Iterator[IndexedPrincipal]:
    """The existing users and roles that can do less after the change."""
    for shift, members in difference.proved:
        if shift.any_loss:
            for member in members:
                is_there = member.id < FIRST_MADE and index.member(member.account, member.id) is not None
                if is_there and member.principal.kind in KINDS:
                    yield member


def coverage_of(accounts: Collection[str]) -> tuple[list[dict[str, str]], list[str]]:
    """The accounts with recorded events, with the first and last event, and the names of the others."""
    events = TrailEvent.objects.filter(account_id=OuterRef("account_id"))
    rows = (
        Account.objects.filter(account_id__in=accounts)
        .annotate(
            first=Subquery(events.order_by("at").values("at")[:1]),
            last=Subquery(events.order_by("-at").values("at")[:1]),
        )
        .order_by("name")
    )
    read, unread = [], []
    for name, first, last in rows.values_list("name", "first", "last"):
        if first is None:
            unread.append(name)
        else:
            read.append({"name": name, "first": first.isoformat(), "last": last.isoformat()})
    return read, unread


def callers_of_members(members: Sequence[IndexedPrincipal]) -> dict[int, IndexedPrincipal]:
    """The principals in events that are these users and roles, by row.

    Matched by unique ID, or by ARN if the event has none.
    """
    by_id = {member.unique_id: member for member in members if member.unique_id}
    by_arn = {member.arn: member for member in members}
    same = Q(unique_id__in=by_id) | Q(unique_id="", arn__in=by_arn)
    rows = TrailCaller.objects.filter(same, kind__in=KINDS.values())
    callers: dict[int, IndexedPrincipal] = {}
    for number, unique_id, arn in rows.values_list("pk", "unique_id", "arn"):
        member = by_id.get(unique_id) if unique_id else by_arn.get(arn)
        if member is not None:
            callers[number] = member
    return callers


def _earliest() -> datetime:
    return timezone.now() - timedelta(days=DAYS)


def _start(callers: Mapping[int, IndexedPrincipal]) -> datetime:
    """The start of the replay: 90 days ago, or later if there are too many calls."""
    earliest = _earliest()
    rows = CallerDay.objects.filter(caller__in=callers, day__gte=earliest.date()).values("day")
    total = 0
    newest_first = rows.annotate(all_calls=Sum("calls")).order_by("-day")
    later = timezone.now().date()
    for day, calls in newest_first.values_list("day", "all_calls"):
        total += calls
        if total > EVENTS and day < later:
            return datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    return earliest


def _replayed(
    judges: SidesAfter, callers: Mapping[int, IndexedPrincipal], since: datetime, tally: ReplayTally
) -> str:
    """Count the outcome of each call. Returns why some calls were not replayed; "" if all were."""
    groups = call_groups(callers, since=since, most=DISTINCT + 1)
    ends = time.thread_time() + SECONDS
    for group in groups[:DISTINCT]:
        if time.thread_time() > ends:
            return "time"
        member = callers[group.caller]
        tally.add(member, group, *judges.judge(member, group))
    return "distinct" if len(groups) > DISTINCT else ""


def lines_of(tally: ReplayTally) -> dict[str, Any]:
    """The calls to name, latest first, and the number of further ones by outcome."""
    named: list[tuple[ReplayOutcome, _ChangedCalls]] = []
    receipt_part: dict[str, Any] = {}
    for outcome in ORDER:
        calls = [line for key, line in tally.lines.items() if key[0] is outcome]
        calls.sort(key=lambda line: line.group.last_at, reverse=True)
        named += [(outcome, line) for line in calls[:LINES]]
        receipt_part[f"more_{outcome}"] = len(calls[LINES:])
    events = _latest_events(line.group for _, line in named)
    receipt_part["lines"] = [_line(outcome, line, events) for outcome, line in named]
    return receipt_part


def _latest_events(groups: Iterable[CallGroup]) -> dict[tuple[Any, ...], str]:
    """The IDs of the latest events of these calls. One query."""
    same = Q()
    for group in groups:
        same |= Q(caller=group.caller, at=group.last_at, service=group.service, action=group.action)
    if not same:
        return {}
    rows = TrailEvent.objects.filter(same).values_list(
        "caller_id", "at", "service", "action", "resource", "event_id"
    )
    return {tuple(row[:5]): str(row[5]) for row in rows}


def _line(
    outcome: ReplayOutcome, line: _ChangedCalls, events: Mapping[tuple[Any, ...], str]
) -> dict[str, Any]:
    group, member = line.group, line.member
    key = (group.caller, group.last_at, group.service, group.action, group.resource)
    return {
        "outcome": str(outcome),
        "account_id": member.account,
        "entity_id": member.id,
        "name": member.arn.rpartition("/")[2],
        "action": group.permission,
        "resource": group.resource,
        "calls": group.calls,
        "last": group.last_at.isoformat(),
        "event": events.get(key, ""),
        "keys": list(line.keys),
    }
