"""Counts what waits for people on the overview: requests, ending grants, unfinished runs and drift, with one
query.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, QuerySet
from django.urls import reverse

from console.web.context import MAX_BADGE, sees_others
from iam.access.grants.models import GrantState as GrantState
from iam.access.grants.queries import ENDING_SOON, ending_soon, visible_grants
from iam.access.grants.queries import narrowed as grants_in
from iam.audit.approval_requests.registry import countable
from iam.changes.drift.effect import WEIGHTS
from iam.changes.drift.queries import open_drifts
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.changes.queries import narrowed, visible_changes, waiting_for, waiting_for_others
from iam.changes.risks import CRITICAL
from iam.compiled_queries import SCOPES_KEPT, CompiledCounts
from iam.guard import Viewer
from iam.mirror.models import Account
from iam.people.offboarding.models import OffboardingStage
from iam.people.offboarding.queries import visible_leavers
from iam.people.onboarding.queries import visible_runs
from iam.people.runs.models import RunState
from iam.planned_reads import PlannedRead
from iam.prepared_statements import QueryParam

IN_ALL_ACCOUNTS = "In all accounts."
"""Added to lines on the overview of a chosen account that can’t be counted per account."""
CRITICAL_WEIGHT = WEIGHTS[CRITICAL]
"""The lowest weight of a drift with critical risk (`Drift.weight`)."""
OWN, OTHERS, DRIFT, CRITICAL_DRIFT = "own", "others", "drift", "critical"


@dataclass(frozen=True, slots=True)
class WaitingCount:
    """Rows that need someone, and the texts of their line; counts without a title have no line."""

    name: str
    rows: QuerySet[Any, Any]
    title: str = ""
    meaning: str = ""
    tone: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class WaitingCounts:
    """The lines with their counts, and the counts by name. Counts stop at one more than is shown."""

    lines: tuple[tuple[WaitingCount, int], ...]
    numbers: dict[str, int]

    def count_of(self, name: str) -> int:
        """Return the count; 0 if it isn’t counted for this viewer."""
        return self.numbers.get(name, 0)


def waiting(viewer: Viewer, *, account: Account | None) -> WaitingCounts:
    """Count what waits for people and is visible to the viewer, in an account or in all; takes one query."""
    lines, _ = _statement(viewer, account, is_single=settings.SINGLE_OPERATOR)
    counted = tuple(zip(lines, waiting_read(viewer, account=account).numbers(), strict=True))
    return WaitingCounts(
        tuple((line, number) for line, number in counted if line.title),
        {line.name: number for line, number in counted},
    )


def waiting_read(viewer: Viewer, *, account: Account | None) -> PlannedRead:
    """Return the read of `waiting`."""
    _, statement = _statement(viewer, account, is_single=settings.SINGLE_OPERATOR)
    return statement.planned(soon=datetime.now(tz=UTC) + ENDING_SOON)


@lru_cache(maxsize=SCOPES_KEPT)
def _statement(
    viewer: Viewer, account: Account | None, *, is_single: bool
) -> tuple[tuple[WaitingCount, ...], CompiledCounts]:
    """Return the lines and the query that counts their rows.

    `is_single` is part of the cache key, because the rows depend on this setting.
    """
    lines = tuple(_countables(viewer, account))
    rows = [_counted(line.rows) for line in lines]
    return lines, CompiledCounts(lambda: rows, most=MAX_BADGE + 1)


def _counted(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    """Return the rows without order and columns, which counting doesn’t need; combined querysets stay
    unchanged.
    """
    return rows if rows.query.combinator else rows.order_by().values("pk")


def _countables(viewer: Viewer, account: Account | None) -> Iterator[WaitingCount]:
    """Yield the counts.

    Requests and grants are those of the chosen account, as in their lists; onboarding and offboarding are
    counted in all accounts.
    """
    number = account.account_id if account else ""
    changes, grants = reverse("changes:list"), reverse("access:grants")
    everywhere = f"{IN_ALL_ACCOUNTS} " if account else ""
    also, only = (f"&account={number}", f"?account={number}") if account else ("", "")
    yield WaitingCount(
        "leavers",
        visible_leavers(viewer).filter(stage__in=(OffboardingStage.OPEN, OffboardingStage.PARTLY)),
        "Offboarding not finished",
        f"{everywhere}Some access of people who left is still there.",
        "bad",
        reverse("offboarding:leavers"),
    )
    yield WaitingCount(
        "unknown",
        _requests_of(_within(visible_changes(viewer).filter(state=ChangeState.UNKNOWN), account)),
        "Requests with an unknown outcome",
        "AWS didn’t answer. Check the status in AWS, then decide.",
        "bad",
        f"{changes}?tab=unknown{also}",
    )
    yield WaitingCount(
        OWN,
        narrowed(waiting_for(viewer), viewer=viewer, account_id=number),
        "Requests to approve",
        "Nothing changes in AWS until you decide.",
        "warn",
        f"{reverse('changes:approvals')}{only}",
    )
    requests = countable(viewer, is_single=settings.SINGLE_OPERATOR)
    if requests is not None:
        yield WaitingCount(
            "requests",
            requests,
            "Audit requests to approve",
            f"{everywhere}Exceptions, findings, assertions, separation-of-duties rules and reviews.",
            "warn",
            f"{reverse('changes:approvals')}#requests",
        )
    yield WaitingCount(
        "onboarding",
        visible_runs(viewer).filter(state=RunState.PARTLY),
        "Onboarding only partly done",
        f"{everywhere}Some people don’t have everything that their blueprint gives.",
        "warn",
        reverse("onboarding:runs"),
    )
    yield WaitingCount(
        "partly",
        grants_in(visible_grants(viewer).filter(state=GrantState.PARTLY), account_id=number),
        "Grants only partly active",
        "In some accounts the change failed.",
        "warn",
        f"{grants}?tab=partly{also}",
    )
    yield WaitingCount(
        "soon",
        grants_in(ending_soon(viewer, by=QueryParam("soon", DateTimeField())), account_id=number),
        "Grants that end soon",
        "Access ends automatically. Extend what is still needed.",
        "note",
        f"{grants}?tab=soon{also}",
    )
    yield WaitingCount(OTHERS, narrowed(waiting_for_others(viewer), viewer=viewer, account_id=number))
    if sees_others(viewer):
        drifts = open_drifts(viewer).filter(account=account) if account else open_drifts(viewer)
        yield WaitingCount(DRIFT, drifts)
        yield WaitingCount(CRITICAL_DRIFT, drifts.filter(weight__gte=CRITICAL_WEIGHT))


def _within(changes: QuerySet[Change], account: Account | None) -> QuerySet[Change]:
    return changes.filter(account=account) if account else changes


def _requests_of(changes: QuerySet[Change]) -> QuerySet[ChangeSet]:
    """Return the requests of these changes; the list has one row per request."""
    return ChangeSet.objects.filter(pk__in=changes.values("change_set"))
