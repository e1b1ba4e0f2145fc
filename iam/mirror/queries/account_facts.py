"""The facts that determine the freshness of accounts, now or at a time, with a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from django.db.models import (
    BigAutoField,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.base import ModelState

from iam.compiled_queries import CompiledQuery, columns, instance
from iam.mirror.models import Account, Pull, Section, SectionState
from iam.mirror.models.accounts import ACTIVE_PULL, UPLOAD
from iam.mirror.pull.sections import AUTHORIZATION, ROLES, USERS
from iam.mirror.queries.accounts import COLUMNS
from iam.mirror.queries.figures import identities_of, with_kept_figures
from iam.mirror.queries.freshness import FreshnessFacts
from iam.mirror.queries.past_accounts import (
    facts_at,
    sections_at,
    unsure_until,
    with_last_pull,
)
from iam.planned_reads import PlannedRead, read_ahead
from iam.prepared_statements import QueryParam

NOT_GOOD: Final = (SectionState.DENIED, SectionState.HELD, SectionState.PARTIAL, SectionState.FAILED)
"""States of a section's last sync that need attention."""


def facts_of(
    ids: list[int], *, at: datetime | None = None, for_standing: bool = False
) -> list[FreshnessFacts]:
    """Return the facts of accounts in the given order: three queries, or four for a past time. `for_standing`
    leaves out what the status doesn't need.
    """
    if at is None:
        with read_ahead(_facts_reads(ids, for_standing=for_standing)):
            by_id = _by_id(ids)
            return facts_in_order(_in_order(ids, by_id), at=None, for_standing=for_standing)
    then = with_last_pull(Account.objects.filter(pk__in=ids), at=at)
    by_id = {account.pk: account for account in then}
    return facts_in_order(_in_order(ids, by_id), at=at, for_standing=for_standing)


def _in_order(ids: list[int], by_id: dict[int, Any]) -> list[Any]:
    return [by_id[pk] for pk in ids if pk in by_id]


def _facts_reads(ids: list[int], *, for_standing: bool) -> Iterator[PlannedRead]:
    if ids:
        queries = (_accounts(len(ids)), _sections(len(ids), for_standing), _active_pulls(len(ids)))
        yield from (query.planned(**_filled(ids)) for query in queries)


_EXTRA: Final = ("last_state", "last_message", "kept_values", "kept_at")
"""The annotations that `with_newest_pull` adds to an account."""


def _by_id(ids: list[int]) -> dict[int, Any]:
    values_by_id = {}
    for row in _accounts(len(ids)).rows(**_filled(ids)) if ids else ():
        account = instance(Account, row[len(_EXTRA) :])
        for name, value in zip(_EXTRA, row, strict=False):
            setattr(account, name, value)
        values_by_id[account.pk] = account
    return values_by_id


@lru_cache
def _accounts(number: int) -> CompiledQuery:
    accounts = with_newest_pull(Account.objects.filter(pk__in=_slots(number)), at=None)
    return CompiledQuery(lambda: accounts.values_list(*_EXTRA, *COLUMNS))


def _slots(number: int) -> list[Any]:
    """Return query parameters for `number` account ids, for cached statements."""
    return [QueryParam(f"id{place}", BigAutoField()) for place in range(number)]


def _filled(ids: list[int]) -> dict[str, int]:
    return {f"id{place}": pk for place, pk in enumerate(ids)}


def with_newest_pull(accounts: QuerySet[Account], *, at: datetime | None) -> QuerySet[Account]:
    """Return accounts annotated with the result of their newest pull and their cached figures."""
    if at is not None:
        return with_last_pull(accounts, at=at)
    last = Pull.objects.filter(account=OuterRef("pk")).order_by("-created_at")
    return with_kept_figures(accounts).annotate(
        last_state=Subquery(last.values("state")[:1]), last_message=Subquery(last.values("message")[:1])
    )


def facts_in_order(
    accounts: list[Any], *, at: datetime | None, for_standing: bool = False
) -> list[FreshnessFacts]:
    """Return the facts of accounts that were read `with_newest_pull`."""
    ids = [account.pk for account in accounts]
    if at is not None:
        return _facts_then(accounts, ids, at=at)
    sections: dict[int, dict[str, Section]] = defaultdict(dict)
    for row in _sections(len(ids), for_standing).rows(**_filled(ids)) if ids else ():
        section = _section(row)
        sections[section.account_id][section.name] = section
    pulls, reading = _active(ids)
    now = datetime.now(tz=UTC)
    identities = {} if for_standing else identities_of(accounts)
    facts = []
    for account in accounts:
        own = sections[account.pk]
        known_identities = identities.get(account.pk) if _has_identities(own) else None
        facts.append(
            FreshnessFacts(
                account=account,
                sections=own,
                pull=pulls.get(account.pk),
                reading=reading[account.pk],
                last_state=account.last_state,
                last_message=account.last_message or "",
                alias=account.alias,
                identities=known_identities,
                now=now,
            )
        )
    return facts


def _active(ids: list[int]) -> tuple[dict[int, Pull], dict[int, set[str]]]:
    """Return the open pulls, and the sections that are being read, with one query."""
    pulls: dict[int, Pull] = {}
    reading: dict[int, set[str]] = defaultdict(set)
    for part, *values in _active_pulls(len(ids)).rows(**_filled(ids)) if ids else ():
        pull = instance(Pull, values)
        pulls[pull.account_id] = pull
        if part:
            reading[pull.account_id].add(part)
    return pulls, reading


@lru_cache
def _sections(number: int, for_standing: bool) -> CompiledQuery:
    sections = Section.objects.filter(account__pk__in=_slots(number))
    if for_standing:
        sections = sections.filter(Q(name__in=AUTHORIZATION) | Q(state__in=NOT_GOOD))
    return CompiledQuery(lambda: sections.values_list(*(columns(Section) if number == 1 else _OF_LISTS)))


_OF_LISTS: Final = ("id", "account_id", "name", "state", "observed_at", "permission", "message")
"""The columns of a section that lists show. Parsing dates is slower than text, and fifty accounts have a
thousand sections with four of them.
"""


def _section(row: Sequence[Any]) -> Section:
    if len(row) != len(_OF_LISTS):
        return instance(Section, row)
    # For a thousand sections, `from_db` took an eighth of the page's time.
    section = Section.__new__(Section)
    section.__dict__.update(zip(_OF_LISTS, row, strict=True), _state=ModelState())
    return section


@lru_cache
def _active_pulls(number: int) -> CompiledQuery:
    being_read = FilteredRelation("sections", condition=Q(sections__state=SectionState.READING))
    pulls = Pull.objects.filter(ACTIVE_PULL, account__pk__in=_slots(number)).annotate(being_read=being_read)
    return CompiledQuery(
        lambda: pulls.annotate(part=F("being_read__name")).values_list("part", *columns(Pull))
    )


def _facts_then(accounts: list[Any], ids: list[int], *, at: datetime) -> list[FreshnessFacts]:
    sections = sections_at({account.pk: account.newest for account in accounts}, at=at)
    known = facts_at(ids, at=at)
    return [
        FreshnessFacts(
            account=account,
            sections=sections[account.pk],
            last_state=account.last_state,
            last_message=account.last_message or "",
            now=at,
            is_past=True,
            was_uploaded=account.last_trigger == UPLOAD,
            alias=known[account.pk].get("alias") or "",
            unit=account.unit or "",
            identities=_identities_then(known[account.pk].get("numbers"), sections[account.pk]),
            unsure_until=unsure_until(at),
        )
        for account in accounts
    ]


def _has_identities(sections: dict[str, Section]) -> bool:
    """Return True if IAM users and roles were synced, at least partly."""
    identity_sections = [sections[name] for name in (USERS, ROLES) if name in sections]
    return any(
        section.observed_at is not None or section.state == SectionState.PARTIAL
        for section in identity_sections
    )


def _identities_then(kept: dict[str, int] | None, sections: dict[str, Section]) -> int | None:
    """Return the number of IAM users and roles that an account had: as counted then, or else as its last sync
    had found.
    """
    if kept and "people.all" in kept:
        return kept["people.all"] + kept.get("roles", 0)
    if not _has_identities(sections):
        return None
    return sum(sections[name].count for name in (USERS, ROLES) if name in sections)
