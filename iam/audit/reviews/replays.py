"""What recorded calls say of taking an access away: worked out by a worker after a review has opened, and for
a page that shows a row before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from iam.activity.first_calls import accounts_with_events
from iam.activity.queries import callers_of
from iam.activity.recorded_calls import CallGroup, call_groups
from iam.audit.reviews.models import AccessSort, ReviewCampaign, ReviewItem
from iam.audit.reviews.terms import UNUSED_DAYS
from iam.mirror.snapshot import snapshot
from iam.people.runs.models import RunState
from iam.policy.index.classes import Member
from iam.policy.index.index import Index
from iam.policy.index.shard import Shard
from iam.policy.index.side_replay import SideReplay
from iam.policy.index.sides import side_of
from iam.policy.replay import ReplayOutcome

MOST_CALLS: Final = 2_000
ENTITIES_AT_ONCE: Final = 200
EXAMPLES: Final = 3
UNKNOWN: Final = {"state": "unknown"}
NOT_ASKED: Final[dict[str, Any]] = {}


def fill_replays(*, most: int = ENTITIES_AT_ONCE) -> int:
    """Work out some rows of reviews in progress that lack it; how many."""
    filled = 0
    for campaign in ReviewCampaign.objects.filter(state=RunState.RUNNING):
        if campaign.facts.get("replayed"):
            continue
        rows = campaign.rows.filter(replay=NOT_ASKED)
        numbers = list(rows.order_by("entity_id").values_list("entity_id", flat=True).distinct()[:most])
        if not numbers:
            ReviewCampaign.objects.filter(pk=campaign.pk).update(facts={**campaign.facts, "replayed": True})
            continue
        filled += replay_rows(list(rows.filter(entity__in=numbers).select_related("entity__account")))
    return filled


def replay_rows(rows: Sequence[ReviewItem]) -> int:
    """Work out rows and keep it; how many."""
    recorded = accounts_with_events({row.account_id for row in rows})
    by_entity: dict[int, list[ReviewItem]] = defaultdict(list)
    for row in rows:
        if row.account_id in recorded:
            by_entity[row.entity_id].append(row)
        else:
            row.replay = dict(UNKNOWN)
    accounts = {of_one[0].entity.account.account_id for of_one in by_entity.values()}
    if by_entity:
        with snapshot(None, accounts=accounts, may_lag=True) as index:
            for of_one in by_entity.values():
                _replay_entity(index, of_one)
    running = ReviewItem.objects.filter(campaign__state=RunState.RUNNING)
    for row in rows:
        running.filter(pk=row.pk).update(replay=row.replay)
    return len(rows)


def _replay_entity(index: Index, rows: Sequence[ReviewItem]) -> None:
    entity = rows[0].entity
    since = datetime.now(tz=UTC) - timedelta(days=UNUSED_DAYS)
    groups = call_groups(callers_of(entity), since=since, most=MOST_CALLS)
    member = index.member(entity.account.account_id, entity.pk)
    for row in rows:
        row.replay = dict(UNKNOWN) if member is None else _outcome(index, member, row, groups, since)


def _outcome(
    index: Index, member: Member, row: ReviewItem, groups: Sequence[CallGroup], since: datetime
) -> dict[str, Any]:
    shard = index.accounts[member.account]
    dropped = _label(row, shard)
    named = shard.named_policies(member.grants)
    kept = tuple(doc for name, doc in named if not _is_dropped(row, name, dropped))
    judge = SideReplay(index, member, replace(side_of(member, shard), docs=kept))
    calls = denied = undecided = 0
    examples: list[dict[str, Any]] = []
    for group in groups:
        calls += group.calls
        if not group.needs_permission or group.was_denied:
            continue
        outcome = judge.outcome(group.question, was_denied=False)
        if outcome is ReplayOutcome.UNDECIDED:
            undecided += group.calls
        if outcome is ReplayOutcome.DENIED:
            denied += group.calls
            examples.append(
                {"action": group.permission, "calls": group.calls, "last_at": group.last_at.isoformat()}
            )
    examples.sort(key=lambda each: -each["calls"])
    return {
        "state": "known",
        "calls": calls,
        "denied": denied,
        "undecided": undecided,
        "since": since.date().isoformat(),
        "is_cut": len(groups) >= MOST_CALLS,
        "examples": examples[:EXAMPLES],
    }


def _label(row: ReviewItem, shard: Shard) -> str:
    """How the index names it."""
    if row.sort == AccessSort.MEMBER:
        return f" of group {row.target_name}"
    if row.sort == AccessSort.INLINE:
        return f"inline policy {row.target}"
    policy = shard.policies.get(row.target_entity_id or 0)
    return row.target_name if policy is None else policy.name


def _is_dropped(row: ReviewItem, name: str, label: str) -> bool:
    return name.endswith(label) if row.sort == AccessSort.MEMBER else name == label
