"""The detail lane reads what AWS returns only per entity, with a limited number of calls per pull. Each batch
of entities is applied as soon as it is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from django.conf import settings
from django.utils import timezone

from iam.aws.errors import AwsError, ErrorKind
from iam.batches import batches
from iam.mirror.models import NEVER, Kind, SectionState, UserCredentials
from iam.mirror.pull.authorization import is_virtual_device
from iam.mirror.pull.detail_apply import VisitedEntity, apply_batch
from iam.mirror.pull.detail_reads import DetailResults, read_section
from iam.mirror.pull.detail_visits import TAGGED, EntityVisit, has_readable_tags, visits
from iam.mirror.pull.facts import PartOutcome
from iam.mirror.pull.freshness import SectionVerdict, verdict_of
from iam.mirror.pull.job import LiveJob
from iam.mirror.pull.sections import (
    ACCESS_KEYS,
    CREDENTIAL_REPORT,
    DETAIL_LANE,
    KINDS,
    LOGIN_PROFILES,
    TAGS,
    USER_MFA,
)

BATCH = 100


@dataclass
class DetailLane:
    """The progress of the lane. Sections that failed are skipped for the rest of the pull."""

    began_at: datetime
    budget: int
    waiting: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    errors: dict[str, AwsError] = field(default_factory=dict)

    def is_open(self, visit: EntityVisit) -> bool:
        """True if anything of a visit can still be read."""
        return any(section not in self.errors for section in visit.sections)


def pull_details(job: LiveJob) -> None:
    """Visit the most urgent entities within the budget; the others wait for the next pull."""
    budget = settings.DETAIL_CALLS
    if not budget:
        return
    lane = DetailLane(began_at=timezone.now(), budget=budget)
    credentials = UserCredentials.objects.filter(account=job.account, valid_to__isnull=True)
    reports = dict(credentials.values_list("user_id", "report").iterator(chunk_size=5000))
    due = visits(
        job.census,
        reports=reports,
        reported_at=job.freshness.observed_at(CREDENTIAL_REPORT),
        now=lane.began_at,
    )
    lane.waiting.update(chain.from_iterable(visit.sections for visit in due))
    expected = min(budget, sum(lane.waiting.values()))
    job.progress.expected = job.progress.calls + expected
    for batch in batches(due, BATCH):
        if lane.budget <= 0:
            break
        _read_batch(job, lane, batch)
    for section in DETAIL_LANE:
        _settle(job, lane, section)


def _read_batch(job: LiveJob, lane: DetailLane, batch: Sequence[EntityVisit]) -> None:
    lines = job.reported.lines if job.reported else {}
    answers = DetailResults(lines=lines)
    at = timezone.now()
    visited: list[VisitedEntity] = []
    for visit in batch:
        if lane.budget <= 0:
            break
        if lane.is_open(visit):
            job.progress.enter(f"Reading {visit.known.kind.replace('-', ' ')} {visit.known.name}")
            gaps = _read_visit(job, lane, visit, answers)
            if gaps is not None and len(gaps) < len(visit.sections):
                visited.append(VisitedEntity(visit.known, visit.is_full, gaps))
    for section, outcome in apply_batch(job, answers, at=at, visited=visited).items():
        _add(job.outcomes.setdefault(section, PartOutcome()), outcome)


def _read_visit(
    job: LiveJob, lane: DetailLane, visit: EntityVisit, answers: DetailResults
) -> tuple[str, ...] | None:
    """Read the due sections of one entity. Returns the sections that could not be read, or None if the entity
    no longer exists.
    """
    gaps: list[str] = []
    for section in visit.sections:
        if section in lane.errors:
            gaps.append(section)
            continue
        before = job.progress.calls
        try:
            read_section(job.aws, section, visit.known, answers)
            lane.read[section] += 1
        except AwsError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return None
            lane.errors[section] = error
            gaps.append(section)
        finally:
            lane.calls[section] += job.progress.calls - before
            lane.budget -= job.progress.calls - before
    return tuple(gaps)


def _add(total: PartOutcome, outcome: PartOutcome) -> None:
    total.added += outcome.added
    total.ended += outcome.ended
    total.changed |= outcome.changed
    total.held = outcome.held or total.held


def _settle(job: LiveJob, lane: DetailLane, section: str) -> None:
    outcome = job.outcomes.setdefault(section, PartOutcome())
    outcome.count = _count(job, section)
    job.verdicts[section] = verdict = _verdict(job, lane, section, outcome)
    job.freshness.end(verdict, outcome=outcome, now=timezone.now())


def _count(job: LiveJob, section: str) -> int:
    """The number of entities in the section."""
    if section == LOGIN_PROFILES:
        rows = UserCredentials.objects.filter(account=job.account, valid_to__isnull=True, has_password=True)
        return rows.count()
    if section == TAGS:
        return sum(1 for known in job.census.of_kind(*TAGGED) if has_readable_tags(known))
    known_of_kind = job.census.of_kind(*KINDS[section])
    return sum(1 for known in known_of_kind if section != USER_MFA or not is_virtual_device(known))


def _verdict(job: LiveJob, lane: DetailLane, section: str, outcome: PartOutcome) -> SectionVerdict:
    calls, left = lane.calls[section], lane.waiting[section] - lane.read[section]
    if section in lane.errors:
        is_partial = lane.read[section] > 0
        return verdict_of(
            section, lane.errors[section], began_at=lane.began_at, calls=calls, is_partial=is_partial
        )
    if outcome.held:
        return SectionVerdict(
            section, SectionState.HELD.value, lane.began_at, calls=calls, message=outcome.held
        )
    if left > 0:
        message = (
            f"{lane.read[section]:,} of {lane.waiting[section]:,} due entries were synced. The next sync "
            "continues."
        )
        return SectionVerdict(
            section, SectionState.PARTIAL.value, lane.began_at, calls=calls, message=message
        )
    return SectionVerdict(
        section,
        SectionState.COMPLETE.value,
        lane.began_at,
        calls=calls,
        observed_at=_observed_at(job, lane, section),
    )


def _observed_at(job: LiveJob, lane: DetailLane, section: str) -> datetime:
    """The time of the section's oldest fact. Facts that the report confirms are as recent as the report."""
    kinds = TAGGED if section == TAGS else (Kind.USER,)
    entities = job.census.of_kind(*kinds)
    moments = [entity.detail_at for entity in entities if entity.detail_at is not None]
    oldest = min(moments, default=lane.began_at)
    if section == ACCESS_KEYS:
        reported_at = job.freshness.observed_at(CREDENTIAL_REPORT)
        oldest = max(oldest, reported_at or NEVER)
    return min(oldest, lane.began_at)
