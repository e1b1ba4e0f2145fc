"""Applies a batch of the detail lane. Each entity's list is complete, so what is missing from it no longer
exists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from django.db.models import F

from iam.mirror.models import Entity, EntityState, Kind
from iam.mirror.pull import bulk, temporal
from iam.mirror.pull.apply import apply_parts
from iam.mirror.pull.credentials import EvidenceTimes, derive
from iam.mirror.pull.detail_reads import DetailResults
from iam.mirror.pull.entity_cache import EntityRow
from iam.mirror.pull.facts import ObservationTimes, PartOutcome, SectionPart
from iam.mirror.pull.job import PullJob
from iam.mirror.pull.sections import ACCESS_KEYS, KINDS, TAGS, USER_MFA
from iam.mirror.pull.sweep import LossLimit
from iam.mirror.pull.transform.credentials import VIRTUAL
from iam.mirror.pull.upsert_entities import is_newer
from iam.mirror.pull.usage import load_usage


@dataclass(frozen=True, slots=True)
class VisitedEntity:
    """An entity that was read: whether everything that the lane knows about it is now up to date, and the
    sections that failed.
    """

    known: EntityRow
    is_full: bool
    gaps: tuple[str, ...]


def apply_batch(
    job: PullJob, answers: DetailResults, *, at: datetime, visited: list[VisitedEntity]
) -> dict[str, PartOutcome]:
    """Apply what was read about some entities since `at`; `visited` are these entities. Returns the outcome
    by section.
    """
    with job.applying():
        limit = job.take_hold()
        outcomes = _apply_credentials(job, answers, at, limit)
        outcomes[TAGS] = _apply_tags(job, answers, at)
        sections_on_hold = (section for section, outcome in outcomes.items() if outcome.held)
        on_hold = set(chain.from_iterable(answers.read.get(section, ()) for section in sections_on_hold))
        _note_visits(job, [visit for visit in visited if visit.known.id not in on_hold], at)
        changed = _derive(job, answers, at)
        outcomes.setdefault(USER_MFA, PartOutcome()).changed |= changed
        _load_key_usage(job, answers, at)
    return outcomes


def _apply_credentials(
    job: PullJob, answers: DetailResults, at: datetime, limit: LossLimit
) -> dict[str, PartOutcome]:
    _note_absences(job, set().union(*answers.read.values()))
    nothing = PartOutcome()
    parts = [
        SectionPart(
            section=section,
            seen=ObservationTimes(at=at, after=None),
            found=aws_entities,
            covers=_owned_by(job, section, answers.read[section], at),
            whole_size=sum(1 for _ in job.census.of_kind(*KINDS[section])),
            ended_before=job.outcomes.get(section, nothing).ended,
        )
        for section, aws_entities in answers.found.items()
        if section in KINDS
    ]
    return apply_parts(job.census, parts, limit=limit).outcomes


def _note_absences(job: PullJob, owners: set[int]) -> None:
    """Note the last time before an entity existed, for owners whose details are read for the first time. One
    query, which finds nothing after a first sync.
    """
    new = [pk for pk in owners if (known := job.census.by_pk.get(pk)) is not None and known.detail_at is None]
    if new:
        first = EntityState.objects.filter(
            entity__in=new, valid_from=F("entity__first_seen"), after__isnull=False
        )
        job.census.absent_at |= {pk: after for pk, after in first.values_list("entity_id", "after") if after}


def _owned_by(job: PullJob, section: str, owners: set[int], at: datetime) -> Callable[[EntityRow], bool]:
    """Return a test for the entities that a batch covers: credentials of the users that it read, unless these
    were read again since.
    """
    kinds = KINDS[section]
    by_pk = job.census.by_pk

    def covers(known: EntityRow) -> bool:
        if known.kind not in kinds or known.owner_id not in owners:
            return False
        if known.kind == Kind.MFA_DEVICE and VIRTUAL in known.aws_id:
            return False
        owner = by_pk.get(known.owner_id)
        return owner is not None and not is_newer(owner, at)

    return covers


def _apply_tags(job: PullJob, answers: DetailResults, at: datetime) -> PartOutcome:
    current = {pk: tags for pk, tags in answers.tags.items() if pk in job.census.by_pk}
    read_before = {pk for pk in current if job.census.by_pk[pk].detail_at is not None}
    changed = temporal.load(
        temporal.TAGS,
        wanted={pk: temporal.tag_rows(tags) for pk, tags in current.items()},
        account_id=job.account.pk,
        seen=ObservationTimes(at=at, after=None),
        after=lambda pk: job.census.by_pk[pk].detail_at,
    )
    # Tags that are synced for the first time are no change of their entity.
    return PartOutcome(changed=changed & read_before)


def _note_visits(job: PullJob, visited: list[VisitedEntity], at: datetime) -> None:
    rows = []
    for visit in visited:
        known = job.census.by_pk.get(visit.known.id)
        if known is not None:
            # A user who was read again since keeps what that reading showed, and is visited by the next pull.
            is_applied = known.kind != Kind.USER or not is_newer(known, at)
            known.detail_at = at if visit.is_full and is_applied else known.detail_at
            known.detail_gaps = " ".join(visit.gaps)
            rows.append((known.id, known.detail_at, known.detail_gaps))
    bulk.update(Entity, key="id", columns=("detail_at", "detail_gaps"), rows=rows)


def _derive(job: PullJob, answers: DetailResults, at: datetime) -> set[int]:
    """Derive the credentials of the users that were read: the types of their devices and their keys are known
    now.
    """
    ids = set().union(*answers.read.values()) if answers.read else set()
    users = [
        known for pk in ids if (known := job.census.by_pk.get(pk)) is not None and known.kind == Kind.USER
    ]
    seen = ObservationTimes(at=at, after=None)
    clock = EvidenceTimes.of_single_read(seen, job.freshness)
    return derive(job.census, users, reported=None, clock=clock, login_profiles=answers.login_profiles)


def _load_key_usage(job: PullJob, answers: DetailResults, at: datetime) -> None:
    users = answers.read.get(ACCESS_KEYS, set())
    keys = [key for key in job.census.of_kind(Kind.ACCESS_KEY) if key.owner_id in users]
    uses = {key.id: answers.uses[key.aws_id] for key in keys if key.aws_id in answers.uses}
    load_usage(job.account.pk, entities=keys, uses=uses, observed_at=at)
