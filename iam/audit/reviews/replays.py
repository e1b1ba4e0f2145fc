"""Computes the effect of removing an access on recorded calls: in a worker after a review opens, or earlier
for a shown row.

Calls are read for many users and roles at once, and principals with equal policies are evaluated together.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final

from iam.activity.first_calls import accounts_with_events
from iam.activity.queries import callers_by_entity
from iam.activity.recorded_calls import CallGroup, call_groups_of_each
from iam.audit.reviews.models import AccessSort, ReviewCampaign, ReviewItem
from iam.audit.reviews.terms import UNUSED_DAYS
from iam.batches import batches
from iam.mirror.snapshot import snapshot
from iam.people.runs.models import RunState
from iam.policy.index.class_replay import ClassReplay, ReplayWithout
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.index import PolicyIndex
from iam.policy.index.shard import AccountShard
from iam.policy.replay import ReplayOutcome

MOST_CALLS: Final = 2_000
ENTITIES_A_RUN: Final = 5_000
ENTITIES_AT_ONCE: Final = 100
ROWS_AT_ONCE: Final = 500
EXAMPLES: Final = 3
UNKNOWN: Final = {"state": "unknown"}
NOT_ASKED: Final[dict[str, Any]] = {}


def fill_replays(*, most: int = ENTITIES_A_RUN) -> int:
    """Compute the missing outcomes of some users and roles in running reviews. Returns the number of rows."""
    filled = 0
    for campaign in ReviewCampaign.objects.filter(state=RunState.RUNNING):
        if campaign.facts.get("replayed"):
            continue
        rows = campaign.rows.filter(replay=NOT_ASKED)
        numbers = list(rows.order_by("entity_id").values_list("entity_id", flat=True).distinct()[:most])
        if not numbers:
            running = ReviewCampaign.objects.filter(pk=campaign.pk, state=RunState.RUNNING)
            running.update(facts={**campaign.facts, "replayed": True})
        for part in batches(numbers, ENTITIES_AT_ONCE):
            batch = rows.filter(entity__in=part)
            filled += replay_rows(list(batch.select_related("entity__account")))
    return filled


def replay_rows(rows: Sequence[ReviewItem]) -> int:
    """Compute and store the outcomes of rows. Returns their number."""
    recorded = accounts_with_events({row.account_id for row in rows})
    by_entity: dict[int, list[ReviewItem]] = defaultdict(list)
    for row in rows:
        if row.account_id in recorded:
            by_entity[row.entity_id].append(row)
        else:
            row.replay = dict(UNKNOWN)
    if by_entity:
        _replay_entities(by_entity)
    _save(rows)
    return len(rows)


def _replay_entities(by_entity: Mapping[int, Sequence[ReviewItem]]) -> None:
    since = datetime.now(tz=UTC) - timedelta(days=UNUSED_DAYS)
    calls_by_entity = _calls_of([rows[0] for rows in by_entity.values()], since)
    accounts = {rows[0].entity.account.account_id for rows in by_entity.values()}
    with snapshot(None, accounts=accounts, may_lag=True) as index:
        replay = ClassReplay(index)
        for number, rows in by_entity.items():
            member = index.member(rows[0].entity.account.account_id, number)
            calls = calls_by_entity[number]
            for row in rows:
                row.replay = dict(UNKNOWN)
                if member is not None:
                    row.replay = calls.without(_without(index, replay, member, row), member)


def _without(
    index: PolicyIndex, replay: ClassReplay, member: IndexedPrincipal, row: ReviewItem
) -> ReplayWithout:
    shard = index.accounts[member.account]
    dropped = _label(row, shard)
    named = shard.named_policies(member.grants)
    return replay.without(member, tuple(doc for name, doc in named if not _is_dropped(row, name, dropped)))


def _label(row: ReviewItem, shard: AccountShard) -> str:
    """Return the name of the policy in the index; for a group, the end of the names of its policies."""
    if row.sort == AccessSort.MEMBER:
        return f" of group {row.target_name}"
    if row.sort == AccessSort.INLINE:
        return f"inline policy {row.target}"
    policy = shard.policies.get(row.target_entity_id or 0)
    return row.target_name if policy is None else policy.name


def _is_dropped(row: ReviewItem, name: str, label: str) -> bool:
    return name.endswith(label) if row.sort == AccessSort.MEMBER else name == label


@dataclass(slots=True)
class AlikeCalls:
    """Calls from any number of sessions that policies treat alike."""

    group: CallGroup
    last_at: datetime
    calls: int = 0


@dataclass(slots=True)
class EntityCalls:
    """The calls of a user or role since a day. `by_action` has the calls that AWS allowed and that need
    permission.
    """

    since: datetime
    total: int = 0
    is_cut: bool = False
    by_action: dict[str, dict[tuple[Any, ...], AlikeCalls]] = field(default_factory=dict)

    def add(self, groups: Sequence[CallGroup]) -> None:
        """Add calls of one of its principals."""
        self.is_cut = self.is_cut or len(groups) >= MOST_CALLS
        for group in groups:
            self.total += group.calls
            if group.needs_permission and not group.was_denied:
                alike_calls = self.by_action.setdefault(group.permission, {})
                key = (group.permission, group.asked, *sorted(group.context.items()))
                alike = alike_calls.setdefault(key, AlikeCalls(group, group.last_at))
                alike.calls += group.calls
                alike.last_at = max(alike.last_at, group.last_at)

    def without(self, replay: ReplayWithout, member: IndexedPrincipal) -> dict[str, Any]:
        """Return the outcome of the calls without a policy, in the form that a row stores."""
        denied = undecided = 0
        examples: list[dict[str, Any]] = []
        for action, alike_calls in self.by_action.items():
            if not replay.touches(action):
                continue
            gone: list[AlikeCalls] = []
            for key, alike in alike_calls.items():
                outcome = replay.outcome(member, alike.group.question, key=key)
                if outcome is ReplayOutcome.UNDECIDED:
                    undecided += alike.calls
                if outcome is ReplayOutcome.DENIED:
                    gone.append(alike)
            if gone:
                calls, last_at = sum(each.calls for each in gone), max(each.last_at for each in gone)
                denied += calls
                examples.append({"action": action, "calls": calls, "last_at": last_at.isoformat()})
        examples.sort(key=lambda each: -each["calls"])
        return {
            "state": "known",
            "calls": self.total,
            "denied": denied,
            "undecided": undecided,
            "since": self.since.date().isoformat(),
            "is_cut": self.is_cut,
            "examples": examples[:EXAMPLES],
        }


def _calls_of(rows: Sequence[ReviewItem], since: datetime) -> dict[int, EntityCalls]:
    """The calls of the users and roles of these rows. Three queries."""
    callers = callers_by_entity([row.entity for row in rows])
    groups = call_groups_of_each([*chain.from_iterable(callers.values())], since=since, most=MOST_CALLS)
    calls = {}
    for row in rows:
        of_entity = calls[row.entity_id] = EntityCalls(since)
        for caller in callers.get(row.entity_id, ()):
            of_entity.add(groups.get(caller, ()))
    return calls


def _save(rows: Sequence[ReviewItem]) -> None:
    """Store rows with equal outcomes together, because members of a group mostly make the same calls
    or none.
    """
    by_replay: dict[str, list[ReviewItem]] = defaultdict(list)
    for row in rows:
        by_replay[json.dumps(row.replay, sort_keys=True)].append(row)
    running = ReviewItem.objects.filter(campaign__state=RunState.RUNNING)
    for alike in by_replay.values():
        for batch in batches(alike, ROWS_AT_ONCE):
            numbers = [row.pk for row in batch]
            running.filter(pk__in=numbers).update(replay=alike[0].replay)
