"""Finds grants of an account that nobody has used for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, groupby
from typing import Final, NamedTuple
from uuid import UUID

from iam.access.grants.grant_statements import documents_of
from iam.access.grants.grant_use import COUNTED, MOST_CALLS, MOST_ENTRIES, holders_in, is_call_of_grant
from iam.access.grants.models import GIVING, GrantPart, LedgerEntry
from iam.access.holder_callers import HolderCaller, holder_callers
from iam.access.last_uses import MOST_CALLERS, CalledAction, called_actions
from iam.activity.data_events import recorded_services
from iam.activity.recorded_calls import call_groups
from iam.batches import batches
from iam.mirror.models import Account
from iam.policy.compiled import CompiledStatement
from iam.policy.unrecorded_actions import is_unrecorded, unrecorded_of

BATCH: Final = 100
Called = Mapping[int, Sequence[CalledAction]]
Statements = Mapping[int, Sequence[CompiledStatement]]


class UnusedGrant(NamedTuple):
    """A grant without recorded use in an account.

    `is_unused` is None if the use is unknown. `unrecorded` are some of its actions that CloudTrail does not
    record.
    """

    grant: UUID
    part: int
    title: str
    reference: str
    given_at: datetime
    holders: tuple[str, ...]
    is_unused: bool | None
    unrecorded: tuple[str, ...] = ()


def unused_grants(account: Account, *, since: datetime, is_known: bool) -> Iterator[UnusedGrant]:
    """Grants that began before `since` and were not used after it, and grants whose use is unknown.

    If the events of that time are unknown (`is_known` false), the use of every grant is unknown. Eight
    queries per hundred grants, and two more for each whose actions were called.
    """
    parts = GrantPart.objects.filter(
        account=account,
        state__in=GIVING,
        entries__since__lte=since,
        entries__until__isnull=True,
        entries__sort__in=COUNTED,
    )
    numbers = list(parts.order_by("pk").values_list("pk", flat=True).distinct())
    recorded = recorded_services(account.account_id, since=since) if numbers else frozenset()
    for batch in batches(numbers, BATCH):
        rows = LedgerEntry.objects.filter(
            part__in=batch, sort__in=COUNTED, since__isnull=False, until__isnull=True, entity__isnull=False
        ).select_related("entity", "part__grant")
        by_part = {
            part: list(entries)
            for part, entries in groupby(rows.order_by("part", "pk"), key=lambda entry: entry.part)
        }
        if is_known:
            yield from _unused_of(by_part, since=since, recorded=recorded)
        else:
            for part, entries in by_part.items():
                yield _row(part, entries, is_unused=None)


def _unused_of(
    by_part: Mapping[GrantPart, list[LedgerEntry]], *, since: datetime, recorded: frozenset[str]
) -> Iterator[UnusedGrant]:
    judged: list[LedgerEntry] = []
    for entries in by_part.values():
        judged += entries if len(entries) <= MOST_ENTRIES else ()
    documents = documents_of(judged)
    callers = holder_callers(holders_in(judged), since=since)
    called = called_actions(callers, since=since)
    for part, entries in by_part.items():
        if len(entries) > MOST_ENTRIES:
            yield _row(part, entries, is_unused=None)
            continue
        statements = documents.statements(entries)
        own = {number: those for number, all_ in callers.items() if (those := _of(all_, statements))}
        is_used = _is_used(own, called, statements, since)
        if not is_used:
            allowing = [each for each in chain(*statements.values()) if each.allows]
            unrecorded = chain.from_iterable(unrecorded_of(each, recorded) for each in allowing)
            is_known = is_used is False and not all(is_unrecorded(each, recorded) for each in allowing)
            names = tuple(dict.fromkeys(unrecorded))
            yield _row(part, entries, is_unused=is_known or None, unrecorded=names)


def _of(callers: Iterable[HolderCaller], statements: Statements) -> list[HolderCaller]:
    """The callers whose holder has one of these statements."""
    return [caller for caller in callers if caller.holder in statements]


def _is_used(
    callers: Mapping[int, Sequence[HolderCaller]], called: Called, statements: Statements, since: datetime
) -> bool | None:
    """True if the grant may have allowed one of the calls; None if there are too many to check.

    Looks only at principals that called an action of the grant.
    """
    near = [
        number
        for number, own in callers.items()
        if any(_speaks_of_any(statements.get(caller.holder, ()), called.get(number, ())) for caller in own)
    ]
    if not near:
        return False
    if len(near) > MOST_CALLERS:
        return None
    groups = call_groups(near, since=since, most=MOST_CALLS)
    for group in groups:
        if is_call_of_grant(group, callers[group.caller], statements):
            return True
    return None if len(groups) == MOST_CALLS else False


def _speaks_of_any(statements: Iterable[CompiledStatement], called: Iterable[CalledAction]) -> bool:
    names = {each.action for each in called}
    return any(statement.allows and any(map(statement.covers_action, names)) for statement in statements)


def _row(
    part: GrantPart,
    entries: Sequence[LedgerEntry],
    *,
    is_unused: bool | None,
    unrecorded: tuple[str, ...] = (),
) -> UnusedGrant:
    grant = part.grant
    holders = sorted({entry.entity.arn for entry in entries if entry.entity})
    given_at = min(entry.since for entry in entries if entry.since)
    return UnusedGrant(
        grant.pk, part.pk, grant.title, grant.reference, given_at, tuple(holders), is_unused, unrecorded
    )
