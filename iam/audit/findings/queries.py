"""Finds the findings that a viewer sees: lists, single findings and counts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.core.cache import cache
from django.db.models import BigAutoField, Count, Exists, OuterRef, Q, QuerySet

from iam.audit.approval_requests.requests import RequestState
from iam.audit.findings.models import (
    AuditFinding,
    FindingAcceptance,
    FindingEvent,
    FindingEventKind,
    FindingSeverity,
    FindingStatus,
)
from iam.audit.findings.owners import owned_by
from iam.compiled_queries import SCOPES_KEPT, CompiledQuery, WrittenQuery, columns, instance
from iam.directory.models import OwnedUser, Team
from iam.guard import Viewer, ViewerScope
from iam.keyset import KeysetOrder
from iam.mirror.models import Account, Kind
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.counts import scope_key
from iam.mirror.queries.lists.freshness import accounts_concerned
from iam.mirror.queries.visibility import visible, visible_in
from iam.people.fleet.demands import TeamUserRule, people_under
from iam.planned_reads import PlannedRead
from iam.prepared_statements import QueryParam
from iam.search_words import words_of

WORST_FIRST: Final = KeysetOrder("place", "id")
_STATE: Final = WrittenQuery(
    "SELECT COUNT(*), MAX(calculated_at), (SELECT MAX(id) FROM audit_findings_findingevent) "
    "FROM audit_findings_findingrun"
)
COUNTS_KEPT_S: Final = 24 * 3600
KINDS_OF_TEAMS: Final = (Kind.USER, Kind.GROUP)
BAD: Final = (FindingSeverity.CRITICAL.value, FindingSeverity.HIGH.value)
WORST: Final = 5
OPENS: Final = (FindingEventKind.OPENED, FindingEventKind.REOPENED, FindingEventKind.ENDED)
"""The events that open a finding."""


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """A filter on findings.

    `changed_since`: something happened to it since then. `opened_since`: it was opened since then, or opened
    again. `is_requested`: acceptance is requested. `team`: about a user
    of the team. `owner`: name or email address of the owner.
    """

    account: Account | None = None
    severities: tuple[int, ...] = ()
    kind: str = ""
    statuses: tuple[str, ...] = ()
    certainty: str = ""
    changed_since: datetime | None = None
    opened_since: datetime | None = None
    is_requested: bool = False
    team: Team | None = None
    owner: str = ""
    text: str = ""


def visible_findings(viewer: Viewer) -> QuerySet[AuditFinding]:
    """Findings of accounts that the viewer sees whole; for a lead, those of their people and groups."""
    return visible(AuditFinding.objects.all(), viewer, entity="entity", kinds=KINDS_OF_TEAMS)


def worst_findings(viewer: Viewer, account: Account | None) -> list[AuditFinding]:
    """The first open critical or high findings of all accounts or one, with their account.

    One compiled statement per scope, because every overview runs it.
    """
    width = len(columns(AuditFinding))
    worst = []
    for row in worst_read(viewer, account).rows():
        finding = instance(AuditFinding, row[:width])
        finding.account = instance(Account, row[width:])
        worst.append(finding)
    return worst


def worst_read(viewer: Viewer, account: Account | None) -> PlannedRead:
    """Return the read of `worst_findings`."""
    statement = _worst(viewer.scope, is_one=account is not None)
    number = account.pk if account else 0
    return statement.planned(account=number)


@lru_cache(maxsize=SCOPES_KEPT)
def _worst(scope: ViewerScope, *, is_one: bool) -> CompiledQuery:
    rows = visible_in(scope, AuditFinding.objects.all(), entity="entity", kinds=KINDS_OF_TEAMS)
    rows = rows.filter(status=FindingStatus.OPEN, severity__in=BAD)
    if is_one:
        rows = rows.filter(account=QueryParam("account", BigAutoField()))
    listed = rows.order_by("place", "id")[:WORST]
    names = [*columns(AuditFinding), *(f"account__{name}" for name in columns(Account))]
    return CompiledQuery(lambda: listed.values_list(*names))


def are_all_judged(viewer: Viewer, account: Account | None) -> bool:
    """True if every kind was judged in each of the viewer's accounts. Only then does an empty list mean that
    there are no findings. One query.
    """
    accounts = accounts_concerned(viewer.scope)
    accounts = accounts.filter(pk=account.pk) if account else accounts
    return not accounts.exclude(finding_run__unread=[], finding_run__calculated_at__isnull=False).exists()


def teams_of_owners(viewer: Viewer) -> list[Team]:
    """The teams by which a viewer can filter: all, or those that they lead."""
    teams = Team.objects.order_by("name")
    if not viewer.sees_accounts:
        teams = teams.filter(slug__in=viewer.leads)
    return list(teams)


def findings(viewer: Viewer, wanted: FindingFilter) -> QuerySet[AuditFinding]:
    """The matching findings, worst first."""
    rows = visible_findings(viewer)
    conditions: dict[str, Any] = {}
    if wanted.account is not None:
        conditions["account"] = wanted.account
    if wanted.severities:
        conditions["severity__in"] = wanted.severities
    if wanted.kind:
        conditions["kind"] = wanted.kind
    if wanted.statuses:
        conditions["status__in"] = wanted.statuses
    if wanted.certainty:
        conditions["certainty"] = wanted.certainty
    if wanted.changed_since is not None:
        conditions["changed_at__gte"] = wanted.changed_since
    if wanted.opened_since is not None:
        # Whatever was opened has changed, which an index knows. The events are read for these only.
        opened = FindingEvent.objects.filter(kind__in=OPENS, at__gte=wanted.opened_since)
        rows = rows.filter(Exists(opened.filter(finding=OuterRef("pk"))), changed_at__gte=wanted.opened_since)
    if wanted.is_requested:
        waiting = FindingAcceptance.objects.filter(state=RequestState.REQUESTED)
        conditions["pk__in"] = waiting.values("finding")
    rows = rows.filter(**conditions)
    if wanted.team is not None:
        rules = wanted.team.rules.values_list("kind", "account_id", "value")
        machines = OwnedUser.objects.filter(team=wanted.team).values("aws_id")
        people = people_under([TeamUserRule(*rule) for rule in rules])
        rows = rows.filter(Q(entity__in=people) | Q(entity__aws_id__in=machines))
    if wanted.owner:
        rows = rows.filter(owned_by(wanted.owner))
    # Viewers who see only people must not learn from a search what else a finding is about.
    column = "search__contains" if viewer.sees_accounts else "place__contains"
    for word in words_of(wanted.text):
        rows = rows.filter(**{column: word})
    return rows


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """The number of findings by status, and of open ones by severity."""

    statuses: Mapping[str, int]
    severities: Mapping[int, int]


def finding_counts(viewer: Viewer, *, account: Account | None) -> FindingCounts:
    """The counts of a viewer's findings, cached until any finding has a new event."""
    counts = kept("counts", viewer, account, lambda: _counted(viewer, account), seconds=COUNTS_KEPT_S)
    statuses = dict.fromkeys(FindingStatus.values, 0)
    severities = dict.fromkeys(FindingSeverity.values, 0)
    for status, severity, number in counts:
        statuses[status] += number
        if status == FindingStatus.OPEN:
            severities[severity] += number
    return FindingCounts(statuses, severities)


def kept(
    name: str,
    viewer: Viewer,
    account: Account | None,
    make: Callable[[], Any],
    *,
    seconds: int,
    state: FindingState | None = None,
) -> Any:
    """A JSON value about a viewer's findings, cached for a time or until any finding has a new event.

    `state` is the current state, if it is at hand.
    """
    about = f"{name} {scope_key(ListContext(viewer, account=account))} {viewer.sees_accounts}"
    stamp = f"{about} {state or finding_state()}"
    key = "findings:" + hashlib.blake2b(stamp.encode(), digest_size=16).hexdigest()
    value = cache.get(key)
    if value is None:
        value = make()
        cache.set(key, value, seconds)
    return value


class FindingState(NamedTuple):
    """A value that changes with each run and each event."""

    runs: int
    calculated_at: str | None
    event: int | None


def finding_state() -> FindingState:
    """The current state. One handwritten statement, because every overview runs it."""
    [(number, calculated_at, event)] = state_read().rows()
    if calculated_at is not None:
        calculated_at = str(calculated_at)
    return FindingState(number, calculated_at, event)


def state_read() -> PlannedRead:
    """Return the read of `finding_state`."""
    return _STATE.planned()


def _counted(viewer: Viewer, account: Account | None) -> list[tuple[str, int, int]]:
    rows = findings(viewer, FindingFilter(account=account)).order_by()
    return list(rows.values_list("status", "severity").annotate(number=Count("pk")))
