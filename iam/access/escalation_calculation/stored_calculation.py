"""Provides stored calculations to pages. If one is missing, a worker is notified and the page says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import CharField, PositiveSmallIntegerField, QuerySet

from iam.access.escalation_calculation.coverage import (
    NOTHING_COVERED,
    CalculationCoverage,
    connected_read,
    coverage_of,
    unread_words,
)
from iam.access.escalation_calculation.models import EscalationCalculation, EscalationQuestion, ServiceUse
from iam.access.escalation_calculation.path_records import FORMAT
from iam.compiled_queries import CompiledQuery, columns, instance
from iam.nudge import send_seldom
from iam.planned_reads import PlannedRead
from iam.policy.index.question import UNREADABLE, AnswerLimitation
from iam.policy.request import PrincipalKind
from iam.prepared_statements import QueryParam

TASK: Final = "iam.access.escalation_calculation.tasks.calculate_escalation"
NUDGE_SECONDS: Final = 2
WANTED_FOR: Final = timedelta(minutes=5)
"""How often a view of a past moment is recorded."""
RETRY_AFTER: Final = timedelta(minutes=1)
SERVICES: Final = "services"
"""Stands for a question: the count of who can use which service."""
Accounts = frozenset[str] | None


class BeingCalculatedError(Exception):
    """Raised if a worker still has to calculate the result.

    `question` is its key, "" for who can become administrator. `is_unsynced`: users and roles must be synced
    first.
    """

    def __init__(self, question: str = "", *, is_unsynced: bool = False) -> None:
        super().__init__(question)
        self.question, self.is_unsynced = question, is_unsynced


@dataclass(frozen=True, slots=True)
class StoredCalculation:
    """A calculation that pages can show."""

    moment: str
    number: int
    calculated_at: datetime
    seconds: float
    counts: Mapping[str, list[int]]
    unread: Mapping[str, list[str]]
    unknown: list[Any]

    def asked(self, accounts: Accounts, kind: PrincipalKind | None = None) -> int:
        """The number of users and roles that were examined."""
        which = slice(None)
        if kind is not None:
            which = slice(1, 2) if kind is PrincipalKind.ROLE else slice(0, 1)
        return sum(
            sum(counts[which])
            for number, counts in self.counts.items()
            if accounts is None or number in accounts
        )

    def coverage(self, accounts: Accounts) -> CalculationCoverage:
        """The visible accounts it covers, and what is not synced in them. A past moment never changes."""
        coverage = NOTHING_COVERED if self.moment else coverage_of(self.counts, accounts)
        counts = None if self.moment else self.counts
        return replace(
            coverage,
            unread=tuple(unread_words(self.unread, counts, accounts)),
            has_unreadable=any(each.kind == UNREADABLE for each in self.limitations(accounts)),
        )

    def limitations(self, accounts: Accounts) -> tuple[AnswerLimitation, ...]:
        """The limitations of answers, for these accounts and in general."""
        limitations = []
        for kind, text, numbers in self.unknown:
            limitation = AnswerLimitation(kind, text, tuple(numbers))
            numbers_seen = tuple(number for number in numbers if accounts is None or number in accounts)
            if numbers_seen or not numbers:
                limitations.append(replace(limitation, accounts=numbers_seen))
        return tuple(limitations)


def moment_of(at: datetime | None) -> str:
    """The stored form of a moment."""
    return "" if at is None else at.astimezone(UTC).isoformat()


def kept_at(at: datetime | None) -> StoredCalculation | None:
    """The last calculation of a moment, or None. One query."""
    rows = _stored_read(at).rows()
    row = instance(EscalationCalculation, rows[0]) if rows else None
    if row is None or row.calculated_at is None:
        return None
    now = datetime.now(tz=UTC)
    if at is not None and (row.wanted_at is None or row.wanted_at < now - WANTED_FOR):
        EscalationCalculation.objects.filter(pk=row.pk).update(wanted_at=now)
    return StoredCalculation(
        row.moment, row.number, row.calculated_at, row.seconds, row.asked, row.unread, row.limitations
    )


def stored_reads(at: datetime | None) -> list[PlannedRead]:
    """Return the reads of `kept_at` and of the coverage of what it returns."""
    return [_stored_read(at), connected_read()]


def _stored_read(at: datetime | None) -> PlannedRead:
    return _CALCULATED.planned(moment=moment_of(at), format=FORMAT)


def stored_at(at: datetime | None) -> StoredCalculation:
    """The last calculation of a moment. If there is none, notifies a worker and raises
    BeingCalculatedError.
    """
    stored = kept_at(at)
    if stored is None:
        if at is not None:
            EscalationCalculation.objects.update_or_create(
                moment=moment_of(at), defaults={"wanted_at": datetime.now(tz=UTC)}
            )
        nudge()
        stored = kept_at(at)
    if stored is None:
        raise BeingCalculatedError
    return stored


def checked_at(at: datetime | None, accounts: Accounts) -> StoredCalculation:
    """Like `stored_at`, but also raises BeingCalculatedError if it covers none of the visible accounts,
    because they were not synced in time.
    """
    stored = stored_at(at)
    coverage = stored.coverage(accounts)
    if coverage.has_nothing:
        if coverage.waiting:
            nudge()
        raise BeingCalculatedError(is_unsynced=not coverage.waiting)
    return stored


def services_coverage(accounts: Accounts) -> CalculationCoverage:
    """The visible accounts whose service use is counted."""
    counted = ServiceUse.objects.filter(format=FORMAT).values_list("account", flat=True)
    return coverage_of(dict.fromkeys(counted), accounts)


def is_ready(at: datetime | None, question: str, accounts: Accounts) -> bool:
    """True if a page that waited for these accounts can be shown."""
    if question == SERVICES:
        coverage = services_coverage(accounts)
        if coverage.waiting:
            nudge()
        return not coverage.waiting and not coverage.has_nothing
    stored = kept_at(at)
    if stored is None:
        nudge()
        return False
    if not question:
        coverage = stored.coverage(accounts)
        if coverage.waiting:
            nudge()
        return not coverage.has_nothing
    asked = EscalationQuestion.objects.filter(key=question, calculation=stored.moment)
    # A question that was deleted is asked again by its page.
    known = asked.first()
    if known is None or is_answered(known, stored) or is_to_be_tried_again(known):
        return True
    if not known.has_failed:
        nudge()
    return False


def is_answered(question: EscalationQuestion, stored: StoredCalculation) -> bool:
    """True if the answer belongs to the calculation."""
    return question.number == stored.number and not question.has_failed


def is_to_be_tried_again(question: EscalationQuestion) -> bool:
    """True if its answer failed a while ago."""
    answered = question.answered_at
    return question.has_failed and answered is not None and answered < datetime.now(tz=UTC) - RETRY_AFTER


def nudge() -> None:
    """Notify a worker, at most once in a while; without a broker, the sweep calculates."""
    send_seldom(TASK, seconds=NUDGE_SECONDS)


def _calculated() -> QuerySet[Any, Any]:
    # The format is a parameter too, because another release uses another one.
    of_format = EscalationCalculation.objects.filter(format=QueryParam("format", PositiveSmallIntegerField()))
    rows = of_format.filter(moment=QueryParam("moment", CharField()), number__gt=0)
    return rows.values_list(*columns(EscalationCalculation))


_CALCULATED: Final = CompiledQuery(_calculated)
