"""Finds when something that principals hold was last used: the last recorded call of an action that it
allows.

It uses daily call counts, which don't include resources.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple, TypeVar

from django.db.models import F, Max

from iam.access.holder_callers import holder_callers
from iam.activity.models import CallerDay
from iam.activity.sources.covered_accounts import covered_accounts
from iam.mirror.models import Entity
from iam.policy.compiled import CompiledStatement
from iam.policy.letter_case import fold
from iam.policy.unrecorded_actions import is_unrecorded

DAYS: Final = 90
MOST_CALLERS: Final = 1_000
NO_DATA_EVENTS: Final = frozenset[str]()


class HeldUse(NamedTuple):
    """The last use.

    `at` is None if there was none in 90 days, or if `is_known` is False because events may be missing.
    """

    at: datetime | None
    is_known: bool


UNKNOWN: Final = HeldUse(None, is_known=False)


class CalledAction(NamedTuple):
    """An action in lower case, and the time of its last call that was not denied."""

    action: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HeldStatements:
    """What is held: its holders, its statements by the primary key of the holder, and the time from which
    calls count.
    """

    holders: Sequence[Entity]
    statements: Mapping[int, Sequence[CompiledStatement]]
    since: datetime | None = None


Key = TypeVar("Key", bound=Hashable)


def last_uses(holdings: Mapping[Key, HeldStatements], *, now: datetime) -> dict[Key, HeldUse]:
    """The last use of each item, by key. Five queries."""
    since = now - timedelta(days=DAYS)
    holders = {
        holder.pk: holder for holder in chain.from_iterable(each.holders for each in holdings.values())
    }
    callers = holder_callers(holders.values(), since=since)
    if len(callers) > MOST_CALLERS:
        return dict.fromkeys(holdings, UNKNOWN)
    by_holder: dict[int, list[CalledAction]] = {}
    for number, called in called_actions(callers, since=since).items():
        for caller in callers[number]:
            by_holder.setdefault(caller.holder, []).extend(called)
    accounts = {holder.account.account_id for holder in holders.values()}
    covered = covered_accounts(accounts, since=since, now=now)
    uses = {}
    for key, each in holdings.items():
        at = _last_of(each, by_holder)
        is_covered = all(holder.account.account_id in covered for holder in each.holders)
        uses[key] = HeldUse(at, is_known=at is not None or (is_covered and _is_recorded(each)))
    return uses


def called_actions(callers: Iterable[int], *, since: datetime) -> dict[int, list[CalledAction]]:
    """The actions that each principal called, by the primary key of its row in the events. One query."""
    days = CallerDay.objects.filter(caller__in=list(callers), day__gte=since.date())
    allowed = days.filter(calls__gt=F("denied"))
    by_action = allowed.values("caller", "service", "action").annotate(last=Max("last_at"))
    called: dict[int, list[CalledAction]] = {}
    for caller, service, action, last in by_action.values_list("caller", "service", "action", "last"):
        name = fold(f"{service}:{action}")
        called.setdefault(caller, []).append(CalledAction(name, last))
    return called


def _last_of(holding: HeldStatements, by_holder: Mapping[int, Sequence[CalledAction]]) -> datetime | None:
    last = holding.since
    for holder in holding.holders:
        allowing = [each for each in holding.statements.get(holder.pk, ()) if each.allows]
        for action, at in by_holder.get(holder.pk, ()):
            is_later = last is None or at > last
            if is_later and any(each.covers_action(action) for each in allowing):
                last = at
    return last if last != holding.since else None


def _is_recorded(holding: HeldStatements) -> bool:
    """True if CloudTrail records some of the allowed actions without data events."""
    allowing = [each for each in chain.from_iterable(holding.statements.values()) if each.allows]
    return not all(is_unrecorded(each, NO_DATA_EVENTS) for each in allowing)
