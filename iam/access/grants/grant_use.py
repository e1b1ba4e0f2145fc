"""Counts recorded CloudTrail calls that the permissions of a grant allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from iam.access.grants.grant_statements import documents_of
from iam.access.grants.models import GIVING, Grant, LedgerEntry, PermissionSort
from iam.access.holder_callers import HolderCaller, holder_callers
from iam.activity.first_calls import accounts_with_events
from iam.activity.recorded_calls import CallGroup, call_groups
from iam.mirror.models import Entity
from iam.policy.compiled import CompiledStatement
from iam.policy.logic import NO
from iam.policy.request import Principal, Request

COUNTED: Final = (PermissionSort.MEMBER, PermissionSort.ATTACHED, PermissionSort.INLINE)
"""The permissions whose use shows in the calls of the user or role that holds them."""
MOST_ENTRIES: Final = 50
MOST_CALLS: Final = 5_000


@dataclass(frozen=True, slots=True)
class GrantUse:
    """How often and when last a grant was used. `unknown` names the accounts without recorded events."""

    calls: int
    last_at: datetime | None
    unknown: tuple[str, ...]
    is_known: bool


def grant_use(grant: Grant) -> GrantUse | None:
    """The use of a grant since it began.

    None if it is unknown: the grant is not active, has no permissions of users or roles, or has too many.
    Nine queries.
    """
    if grant.state not in GIVING:
        return None
    entries = _entries(grant)
    known = accounts_with_events({entry.account_id for entry in entries})
    if not entries or len(entries) > MOST_ENTRIES:
        return None
    unknown = sorted({entry.account.name for entry in entries if entry.account_id not in known})
    counted = [entry for entry in entries if entry.account_id in known]
    calls, last_at = _counted(counted) if counted else (0, None)
    return GrantUse(calls, last_at, tuple(unknown), is_known=bool(counted))


def _entries(grant: Grant) -> list[LedgerEntry]:
    rows = LedgerEntry.objects.filter(
        part__grant=grant, sort__in=COUNTED, since__isnull=False, until__isnull=True, entity__isnull=False
    )
    return list(rows.select_related("account", "entity").order_by("pk")[: MOST_ENTRIES + 1])


def _counted(entries: Sequence[LedgerEntry]) -> tuple[int, datetime | None]:
    """The number of calls that the permissions allow, and the time of the last one."""
    statements_by_holder = documents_of(entries).statements(entries)
    since = min(entry.since for entry in entries if entry.since)
    callers = holder_callers(holders_in(entries), since=since)
    total = 0
    last_at: datetime | None = None
    for group in call_groups(callers, since=since, most=MOST_CALLS):
        if is_call_of_grant(group, callers[group.caller], statements_by_holder):
            total += group.calls
            last_at = max(filter(None, (last_at, group.last_at)))
    return total, last_at


def holders_in(entries: Iterable[LedgerEntry]) -> list[Entity]:
    """The holders of these permissions."""
    return [entry.entity for entry in entries if entry.entity is not None]


def is_call_of_grant(
    group: CallGroup, callers: Iterable[HolderCaller], statements: Mapping[int, Sequence[CompiledStatement]]
) -> bool:
    """True if the calls were not denied and the statements of one of these callers may allow them."""
    if group.was_denied:
        return False
    return any(_is_allowed(group, caller.arn, statements.get(caller.holder, ())) for caller in callers)


def _is_allowed(group: CallGroup, arn: str, statements: Sequence[CompiledStatement]) -> bool:
    request = Request(
        group.permission, group.asked or "*", Principal(arn), context=group.context, is_any_time=True
    )
    is_open = "*" in request.resource or "?" in request.resource
    for statement in statements:
        speaks = statement.allows and statement.covers_action(request.lowered)
        if speaks and (is_open or statement.applies(request) != NO):
            return True
    return False
