"""Finds who can't do something but can become someone who can; a worker calculates it when a page asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from iam.access.certainty import Certainty
from iam.access.escalation import Accounts, ReachingPrincipal
from iam.access.escalation_calculation.path_records import principal_from
from iam.access.escalation_calculation.questions import answer_to as answer_of_worker
from iam.access.escalation_calculation.stored_calculation import checked_at
from iam.access.persons import shown_names
from iam.access.who_can import WhoCanQuestion, answer_to
from iam.mirror.models import Entity, Kind
from iam.mirror.snapshot import snapshot
from iam.policy.evaluate import EvaluationDecision

SMALL: Final = 2000
"""Up to this many users and roles, the answer takes about a second."""


def is_quick() -> bool:
    """True if the answer is fast even without cached results, because there are few users and roles.

    One query, with a limit.
    """
    there = Entity.objects.filter(kind__in=(Kind.USER, Kind.ROLE), gone_at__isnull=True)
    return there[: SMALL + 1].count() <= SMALL


@dataclass(frozen=True, slots=True)
class ReachingPrincipals:
    """Principals that can become someone who can, most certain and shortest path first.

    `total` counts all of them, `sure` the confirmed ones, `goals` the principals they could become. `names`
    are display names by primary key for all principals in the rows.
    """

    rows: list[ReachingPrincipal]
    total: int
    sure: int
    goals: int
    names: Mapping[int, str] = field(default_factory=dict)


def who_can_become(asked: WhoCanQuestion, *, seen: Accounts, most: int) -> ReachingPrincipals:
    """Up to `most` of the principals in the question.

    `seen` are all accounts that the viewer sees: goals and paths are limited to them. Uses the paths of the
    last calculation. Raises BeingCalculatedError until a worker has the answer.
    """
    with snapshot(asked.at, may_lag=True) as index:
        answer = answer_to(index, replace(asked, accounts=seen)).whole
        goals = sorted((member.account, member.id) for member in answer.members(EvaluationDecision.ALLOWED))
    if not goals:
        return ReachingPrincipals([], 0, 0, 0)
    stored = checked_at(asked.at, asked.accounts)
    climb = answer_of_worker(
        stored,
        "climb",
        {
            "goals": [list(goal) for goal in goals],
            "accounts": None if asked.accounts is None else sorted(asked.accounts),
            "seen": None if seen is None else sorted(seen),
            "most": most,
        },
    )
    rows = []
    for member, steps, certainty, first, unread in climb["rows"]:
        becomes = None if first is None else principal_from(first)
        rows.append(
            ReachingPrincipal(principal_from(member), steps, Certainty(certainty), becomes, tuple(unread))
        )
    shown = chain.from_iterable((row.member, row.first) for row in rows)
    names = shown_names(member for member in shown if member is not None)
    return ReachingPrincipals(rows, climb["total"], climb["sure"], len(goals), names)
