"""Replay on a receipt: which calls of those who lose something, as CloudTrail recorded them, the change would
deny. Bounded, and what was left out is said.
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
"""Of this thread's processor time."""
LINES: Final = 20
"""So many calls of each outcome a receipt names."""
KINDS: Final = {PrincipalKind.USER: USER, PrincipalKind.ROLE: ROLE}
ORDER: Final = (ReplayOutcome.DENIED, ReplayOutcome.UNDECIDED)


class CallingPrincipal(Protocol):
    """Whose calls they are."""

    @property
    def account(self) -> str: ...
    @property
    def id(self) -> int: ...
    @property
    def arn(self) -> str: ...


@dataclass(slots=True)
class ReplayTally:
    """Calls by outcome, and those that are not answered as before, of one principal, action and resource."""

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
        """With more calls of the same action on the same resource; the latest of all is what is shown."""
        latest = max(self.group, group, key=lambda each: each.last_at)
        joined = replace(latest, calls=self.group.calls + group.calls)
        return replace(self, group=joined, keys=tuple(dict.fromkeys(self.keys + keys)))


class SidesAfter:
    """Judges the calls of each principal, whose policies before and after a change are made ready once;
    `side_after` gives a principal as it is afterwards, `gone` are those that are deleted.
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
        """What becomes of a call, and the condition keys that it is undecided for."""
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
    """What becomes of the calls of the last 90 days of those who lose something, as JSON; None if nobody
    does. `gone` are the numbers of users and roles that are deleted: they can make no call at all. The lock
    of the index is held. Seven queries at most.
    """
    losing = list(_losing(index, difference))
    if not losing:
        return None
    after = SidesAfter(index, lambda member: difference.sides_of(member.id)[1], frozenset(gone))
    return replayed_calls(losing, after)


def replayed_calls(losing: Sequence[IndexedPrincipal], after: SidesAfter) -> dict[str, Any]:
    """What becomes of the calls of some users and roles, as JSON. The lock of the index is held."""
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
    """The users and roles that can do less afterwards, and are there now."""
    for shift, members in difference.proved:
        if shift.any_loss:
            for member in members:
                is_there = member.id < FIRST_MADE and index.member(member.account, member.id) is not None
                if is_there and member.principal.kind in KINDS:
                    yield member


def coverage_of(accounts: Collection[str]) -> tuple[list[dict[str, str]], list[str]]:
    """Accounts of which events are known, with the first and the last, and the names of the others."""
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
    """The principals of events that are these users and roles, by row; by unique ID, and by ARN where an
    event tells no ID.
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
    """Since when calls are replayed: for ninety days, or for the last days that have not too many calls."""
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
    """Count what becomes of each call; returns why not all were replayed, empty if all were."""
    groups = call_groups(callers, since=since, most=DISTINCT + 1)
    ends = time.thread_time() + SECONDS
    for group in groups[:DISTINCT]:
        if time.thread_time() > ends:
            return "time"
        member = callers[group.caller]
        tally.add(member, group, *judges.judge(member, group))
    return "distinct" if len(groups) > DISTINCT else ""


def lines_of(tally: ReplayTally) -> dict[str, Any]:
    """The calls to name, the latest first, and how many more there are of each outcome."""
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
    """The IDs of the latest events of some calls. One query."""
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
