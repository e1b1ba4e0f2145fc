"""Queries for the journal's pages: filtered entries, newest first, and the state of the chain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import DateTimeField, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from iam.compiled_queries import CompiledCounts, CompiledQuery
from iam.journal.chain import LATE_ENTRY_WINDOW, unchained
from iam.journal.models import Entry, JournalBlock, JournalVerification
from iam.journal.verify import GIVE_UP
from iam.planned_reads import PlannedRead
from iam.prepared_statements import QueryParam
from iam.search_words import matches

PAGE = 50
MAX_WAITING = 10_000
_SHOWN_HASH = re.compile(r"(?P<first>[0-9a-f]{4})(?:…|\.{3})(?P<last>[0-9a-f]{4})")
_HEX = frozenset("0123456789abcdef")
_REFERENCE = re.compile(r"(?P<kind>chg|grt)-(?P<digits>[0-9a-f]{4,8})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """A filter for entries. `accounts` limits them to these accounts; None includes all accounts and entries
    without an account. `kind` is a slug or its first parts.
    """

    accounts: frozenset[str] | None = frozenset()
    text: str = ""
    kind: str = ""
    account_id: str = ""
    actor_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = field(default=None)


def entries(wanted: EntryFilter) -> QuerySet[Entry]:
    """Return the entries that match the filter, newest first, each with its link to the chain."""
    rows = Entry.objects.select_related("link").order_by("-id")
    if wanted.accounts is not None:
        rows = rows.filter(account_id__in=wanted.accounts)
    if wanted.kind:
        rows = rows.filter(Q(kind=wanted.kind) | Q(kind__startswith=f"{wanted.kind}."))
    if wanted.account_id:
        rows = rows.filter(account_id=wanted.account_id)
    if wanted.actor_id:
        rows = rows.filter(actor_id=wanted.actor_id)
    if wanted.since:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(at__lt=wanted.until)
    if wanted.text:
        rows = rows.filter(_text(wanted.text))
    return rows


def _text(text: str) -> Q:
    """Return the condition for a search text. A number is an entry id or account ID, CHG- and GRT- start a
    request or grant reference, eight or more hexadecimal digits start a hash, “3f2a…9c1b” is a hash as pages
    show it, and any other text is searched in names.
    """
    reference = _REFERENCE.fullmatch(text)
    if reference:
        key = "change" if reference["kind"].lower() == "chg" else "grant"
        return Q(kind__startswith=f"{key}.", data_json__contains=f'"{key}":"{reference["digits"].lower()}')
    number = text.lstrip("#").replace(",", "")
    if number.isdecimal() and len(number) < 19:
        return Q(id=int(number)) | Q(account_id=number)
    low = text.lower()
    if shown := _SHOWN_HASH.fullmatch(low):
        return Q(link__hash__startswith=shown["first"], link__hash__endswith=shown["last"])
    if len(low) >= 8 and set(low) <= _HEX:
        return Q(link__hash__startswith=low) | Q(request_id__startswith=low)
    return matches(text, "actor_label", "actor_email", "subject")


def entries_page(wanted: EntryFilter) -> tuple[list[Entry], int | None]:
    """Return up to 50 entries, and the id before which the next page starts (None at the end)."""
    older = entries(wanted)
    if wanted.before is not None:
        older = older.filter(id__lt=wanted.before)
    rows = list(older[: PAGE + 1])
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def every_entry(wanted: EntryFilter, *, limit: int) -> Iterator[Entry]:
    """Iterate over up to `limit` entries that match the filter, for an export. Entries added meanwhile are
    left out.
    """
    latest = Entry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    return entries(wanted).filter(id__lte=latest)[:limit].iterator(chunk_size=1_000)


@dataclass(frozen=True, slots=True)
class ChainState:
    """The state of the chain: its newest blocks, the waiting entries and the last verification."""

    blocks: list[JournalBlock]
    total: int
    waiting: int
    waiting_since: datetime | None
    first_at: datetime | None
    verified: JournalVerification | None
    verifying: JournalVerification | None


def chain_state(*, newest: int = 4) -> ChainState:
    """Return the state of the chain. The number of queries is small and constant, and each uses an index."""
    highest = JournalBlock.objects.order_by("-sequence").values("sequence")[:1]
    is_shown = Q(count__gt=0) | Q(sequence=Subquery(highest))
    rows = list(JournalBlock.objects.filter(is_shown).order_by("-sequence")[: newest + 1])
    last = rows[0] if rows else None
    blocks = [block for block in rows if block.count][:newest]
    waiting = list(unchained(last).values_list("at", flat=True)[:MAX_WAITING])
    first = Entry.objects.order_by("id").values_list("at", flat=True).first()
    latest = JournalVerification.objects.order_by("-id").first()
    lost = datetime.now(tz=UTC) - GIVE_UP
    is_running = latest is not None and latest.ended_at is None and latest.asked_at > lost
    verifying = latest if is_running else None
    verified = latest
    if latest is not None and latest.ended_at is None:
        verified = JournalVerification.objects.filter(ended_at__isnull=False).order_by("-id").first()
    return ChainState(
        blocks=blocks[::-1],
        total=(last.total if last else 0) + len(waiting),
        waiting=len(waiting),
        waiting_since=min(waiting, default=None),
        first_at=first,
        verified=verified,
        verifying=verifying,
    )


@dataclass(frozen=True, slots=True)
class JournalSize:
    """The number of entries, and the result and end of the last finished verification (None before the
    first).
    """

    total: int
    holds: bool | None
    verified_at: datetime | None
    is_record_altered: bool = False


def journal_size() -> JournalSize:
    """Return the journal's figures for the overview, with three indexed queries."""
    [(chained, made_at)] = _NEWEST.rows() or [(0, None)]
    [waiting] = _WAITING.numbers(late=made_at - LATE_ENTRY_WINDOW) if made_at else _UNCHAINED.numbers()
    [(holds, ended_at, problem)] = _VERIFIED.rows() or [(None, None, "")]
    return JournalSize(chained + waiting, holds, ended_at, is_record_altered=bool(problem))


def journal_reads() -> list[PlannedRead]:
    """Return two of the reads of `journal_size`; the third depends on them."""
    return [_NEWEST.planned(), _VERIFIED.planned()]


_EARLIER = JournalBlock.objects.filter(made_at__lte=QueryParam("late", DateTimeField())).order_by("-sequence")
_ABOVE = Coalesce(Subquery(_EARLIER.values("highest")[:1]), 0)
_NEWEST = CompiledQuery(
    lambda: JournalBlock.objects.order_by("-sequence").values_list("total", "made_at")[:1]
)
_VERIFIED = CompiledQuery(
    lambda: (
        JournalVerification.objects.filter(ended_at__isnull=False)
        .order_by("-id")
        .values_list("holds", "ended_at", "record_problem")[:1]
    )
)
_WAITING = CompiledCounts(
    lambda: [Entry.objects.filter(id__gt=_ABOVE, link__isnull=True).values("pk")], most=MAX_WAITING
)
_UNCHAINED = CompiledCounts(lambda: [Entry.objects.filter(link__isnull=True).values("pk")], most=MAX_WAITING)
