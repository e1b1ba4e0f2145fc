"""Who can't do something, but can become someone who can, by privilege escalation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from iam.access.certainty import Certainty
from iam.access.escalation import Accounts, Reached, can_reach
from iam.access.escalation_graph import escalation
from iam.access.who_can import Asked, answer_to
from iam.mirror.models import Entity, Kind
from iam.mirror.snapshot import snapshot
from iam.policy.evaluate import Decision

SMALL: Final = 2000
"""Up to so many users and roles the graph is made in about a second."""


def is_quick() -> bool:
    """Whether nobody has to wait long, whatever is kept: there are few users and roles. One query that counts no further."""
    there = Entity.objects.filter(kind__in=(Kind.USER, Kind.ROLE), gone_at__isnull=True)
    return there[: SMALL + 1].count() <= SMALL


@dataclass(frozen=True, slots=True)
class Reaching:
    """Some of those who reach somebody who can, the surest and nearest first. `total` is how many there are, `sure` how many of
    them reach it surely, `goals` how many they could become."""

    rows: list[Reached]
    total: int
    sure: int
    goals: int


def reaching(asked: Asked, *, seen: Accounts, most: int) -> Reaching:
    """Up to `most` of the principals that are asked about. `seen` are all accounts that the asking person sees: whom they may
    become is looked for there, and nothing is told of ways through others.

    In a large organization the graph may be that of a moment ago, see `escalation_at`.
    """
    with escalation(asked.at) as known, snapshot(asked.at, may_lag=True) as index:
        answer = answer_to(index, replace(asked, accounts=seen)).whole
        goals = list(answer.members(Decision.ALLOWED))
        found = can_reach(known, index, goals, accounts=asked.accounts)
        told = [one for one in found if seen is None or _is_seen(one, seen)]
        return Reaching(
            told[:most], len(told), sum(one.certainty is Certainty.CONFIRMED for one in told), len(goals)
        )


def _is_seen(one: Reached, seen: frozenset[str]) -> bool:
    """Whether its way is known to stay where the asking person sees: of a long one only the first step is told."""
    return one.steps == 1 and one.first is not None and one.first.account in seen
