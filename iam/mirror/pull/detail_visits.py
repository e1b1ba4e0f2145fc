"""Plans which entities the detail lane reads, and which sections of each: only what the report and earlier
reads leave open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from iam.mirror.models import NEVER, EntityState, Kind
from iam.mirror.pull.entity_cache import EntityCache, EntityRow
from iam.mirror.pull.evidence import reported_keys
from iam.mirror.pull.sections import (
    ACCESS_KEYS,
    LOGIN_PROFILES,
    SIGNING_CERTIFICATES,
    SSH_KEYS,
    TAGS,
    USER_MFA,
)
from iam.mirror.pull.transform.credentials import VIRTUAL

REFRESH = timedelta(hours=24)
"""The maximum age of a read if nothing else tells whether it is still up to date."""
TAGGED = (Kind.POLICY, Kind.INSTANCE_PROFILE, Kind.MFA_DEVICE, Kind.SERVER_CERTIFICATE)
"""Kinds whose tags are returned only by a call per entity."""
Made = tuple[datetime | None, str]


@dataclass(slots=True)
class EntityVisit:
    """An entity to read on its own, its sections to read, and the urgency (0 is urgent).

    With `is_full`, everything that the detail lane knows about the entity is as recent as the visit
    afterwards.
    """

    known: EntityRow
    sections: tuple[str, ...]
    urgency: int
    is_full: bool = True

    @property
    def rank(self) -> tuple[int, bool, datetime, int]:
        """The sort key: urgent ones first, then tagged entities before users, because they are few, then the
        oldest reads, starting with entities that were never read.
        """
        read_at = self.known.detail_at or NEVER
        return self.urgency, self.known.kind == Kind.USER, read_at, self.known.id


@dataclass
class HeldCredentials:
    """The credentials of users in the mirror, by owner: statuses of keys and certificates, and devices."""

    keys: dict[int, list[str]] = field(default_factory=dict)
    certificates: dict[int, list[str]] = field(default_factory=dict)
    virtual: set[int] = field(default_factory=set)
    other_devices: set[int] = field(default_factory=set)


def held_of(census: EntityCache) -> HeldCredentials:
    """Load the credentials. One query."""
    known_credentials = HeldCredentials()
    for device in census.of_kind(Kind.MFA_DEVICE):
        if device.owner_id is not None:
            (known_credentials.virtual if VIRTUAL in device.aws_id else known_credentials.other_devices).add(
                device.owner_id
            )
    rows = EntityState.objects.filter(
        account=census.account, kind__in=(Kind.ACCESS_KEY, Kind.SIGNING_CERTIFICATE), valid_to__isnull=True
    )
    for pk, kind, status in rows.values_list("entity_id", "kind", "category"):
        known = census.by_pk.get(pk)
        if known is not None and known.owner_id is not None:
            by_owner = known_credentials.keys if kind == Kind.ACCESS_KEY else known_credentials.certificates
            by_owner.setdefault(known.owner_id, []).append(status)
    return known_credentials


def visits(
    census: EntityCache, *, reports: dict[int, dict[str, Any]], reported_at: datetime | None, now: datetime
) -> list[EntityVisit]:
    """All visits that are due, most urgent first. `reports` has the report's facts by user."""
    known_credentials = held_of(census)
    planned_visits = [
        *(
            _visit_user(user, reports.get(user.id, {}), reported_at, known_credentials, now)
            for user in census.of_kind(Kind.USER)
        ),
        *(_visit_tagged(known, now) for known in census.of_kind(*TAGGED) if has_readable_tags(known)),
    ]
    return sorted((visit for visit in planned_visits if visit is not None), key=lambda visit: visit.rank)


def has_readable_tags(known: EntityRow) -> bool:
    """False for AWS managed policies and hardware devices, which have no tags."""
    if known.kind == Kind.POLICY:
        return known.arn.split(":", 5)[4] != "aws" and not known.is_placeholder
    return known.kind != Kind.MFA_DEVICE or VIRTUAL in known.aws_id


def _is_stale(known: EntityRow, now: datetime) -> bool:
    return known.detail_at is None or known.detail_at < now - REFRESH


def _gaps(known: EntityRow) -> set[str]:
    return set(known.detail_gaps.split()) if known.detail_gaps else set()


def _visit_tagged(known: EntityRow, now: datetime) -> EntityVisit | None:
    if not _is_stale(known, now) and not known.detail_gaps:
        return None
    return EntityVisit(known, (TAGS,), urgency=_usual_urgency(known))


def _usual_urgency(known: EntityRow) -> int:
    """Entities that were never visited come before those that are visited again."""
    return 1 if known.detail_at is None else 2


def _visit_user(
    user: EntityRow,
    report: dict[str, Any],
    reported_at: datetime | None,
    known_credentials: HeldCredentials,
    now: datetime,
) -> EntityVisit | None:
    is_stale = _is_stale(user, now)
    is_reported = "user_creation_time" in report and reported_at is not None
    is_news = is_reported and (user.detail_at is None or (reported_at or NEVER) > user.detail_at)
    urgent = set(_contradictions(user, report, known_credentials)) if is_news else set()
    is_full = is_stale or bool(urgent)
    due = urgent | _gaps(user)
    if is_full:
        due |= set(
            _unknowable(report, is_reported=is_reported, user=user, known_credentials=known_credentials)
        )
    if not due:
        return None
    urgency = 0 if urgent else _usual_urgency(user)
    return EntityVisit(user, tuple(sorted(due)), urgency=urgency, is_full=is_full)


def _contradictions(
    user: EntityRow, report: dict[str, Any], known_credentials: HeldCredentials
) -> Iterator[str]:
    """The sections in which a newer report contradicts the mirror."""
    if not agree(reported_keys(report), known_credentials.keys.get(user.id, ()), read_at=user.detail_at):
        yield ACCESS_KEYS
    if not agree(
        _reported_certificates(report),
        known_credentials.certificates.get(user.id, ()),
        read_at=user.detail_at,
    ):
        yield SIGNING_CERTIFICATES
    has_known = user.id in known_credentials.virtual or user.id in known_credentials.other_devices
    if report.get("mfa_active") and not has_known:
        yield USER_MFA
    if not report.get("mfa_active") and user.id in known_credentials.other_devices:
        yield USER_MFA


def _unknowable(
    report: dict[str, Any], *, is_reported: bool, user: EntityRow, known_credentials: HeldCredentials
) -> Iterator[str]:
    """The sections that no report covers, and those to confirm since the user is read anyway; without a
    report, all of them.
    """
    yield SSH_KEYS
    if not is_reported:
        yield from (ACCESS_KEYS, USER_MFA, SIGNING_CERTIFICATES, LOGIN_PROFILES)
        return
    if report.get("password_enabled"):
        yield LOGIN_PROFILES
    if user.id in known_credentials.other_devices:
        yield USER_MFA
    if user.id in known_credentials.keys or reported_keys(report):
        yield ACCESS_KEYS
    if user.id in known_credentials.certificates or _reported_certificates(report):
        yield SIGNING_CERTIFICATES


def _reported_certificates(report: dict[str, Any]) -> list[Made]:
    renamed = {
        name.replace("cert_", "access_key_"): value
        for name, value in report.items()
        if name.startswith("cert_")
    }
    return reported_keys(renamed)


def agree(reported: Iterable[Made], mirrored_statuses: Iterable[str], *, read_at: datetime | None) -> bool:
    """True if the report's (created or changed, status) pairs show no change since `mirrored_statuses` were
    read.

    IDs can't be compared, since the report has none.
    """
    reported = list(reported)
    if read_at is None:
        return not reported and not list(mirrored_statuses)
    is_older = all(made is None or made <= read_at for made, _ in reported)
    return is_older and sorted(status for _, status in reported) == sorted(mirrored_statuses)
