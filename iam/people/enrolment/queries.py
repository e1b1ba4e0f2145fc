"""The status of an enrollment, derived from its row and its changes, and never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import Q, Sum

from iam.changes.models import OPEN, Change, ChangeState
from iam.mirror.models import Entity, EntityState, Kind, UserCredentials, valid_at
from iam.people.enrolment import texts
from iam.people.enrolment.models import Enrolment, EnrolmentOutcome

KEPT_FOR: Final = timedelta(minutes=30)
"""How long after its end a page still shows how an enrollment ended."""
SLOW_AFTER: Final = timedelta(seconds=15)
MAX_FAILURES, LOCKED_FOR, MAX_BEGUN = 10, timedelta(minutes=30), 6


class EnrolmentStage(StrEnum):
    """The stage of an enrollment as shown to its person."""

    MAKING = "making"
    SCAN = "scan"
    CHECKING = "checking"
    DONE = "done"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class EnrolmentStatus:
    """The stage and a message. `is_late` means that AWS takes longer than usual."""

    stage: EnrolmentStage
    said: str = ""
    is_late: bool = False
    done_at: datetime | None = None

    @property
    def is_waiting(self) -> bool:
        """True if a worker is busy with it."""
        return self.stage in (EnrolmentStage.MAKING, EnrolmentStage.CHECKING)


def standing_of(enrolment: Enrolment) -> EnrolmentStatus:
    """Return the current status of an enrollment."""
    giving, making = enrolment.giving, enrolment.making
    if giving is not None and giving.state == ChangeState.APPLIED:
        return EnrolmentStatus(EnrolmentStage.DONE, done_at=giving.ended_at)
    if giving is not None and giving.state in OPEN:
        return EnrolmentStatus(EnrolmentStage.CHECKING, said=giving.error_message, is_late=_is_late(giving))
    if enrolment.ended_at is not None:
        return EnrolmentStatus(EnrolmentStage.OVER, said=_is_over(enrolment))
    if enrolment.expires_at <= datetime.now(tz=UTC):
        return EnrolmentStatus(EnrolmentStage.OVER, said=texts.SEED_EXPIRED)
    if making is None or making.state in OPEN:
        error_text = making.error_message if making else ""
        return EnrolmentStatus(
            EnrolmentStage.MAKING, said=error_text, is_late=making is not None and _is_late(making)
        )
    if making.state != ChangeState.APPLIED:
        return EnrolmentStatus(EnrolmentStage.OVER, said=making.error_message)
    error_text = giving.error_message if giving else ""
    return EnrolmentStatus(EnrolmentStage.SCAN, said=error_text)


def latest(user: Entity, *, browser: str) -> Enrolment | None:
    """Return the newest enrollment for the user in this browser, if it is open or ended recently."""
    since = datetime.now(tz=UTC) - KEPT_FOR
    mine = Enrolment.objects.filter(user=user, browser=browser).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=since)
    )
    return mine.select_related("making", "giving", "person").order_by("-begun_at").first()


def locked_until(user: Entity) -> datetime | None:
    """Return until when enrollments for the user are blocked after too many wrong codes or too many starts,
    or None.
    """
    since = datetime.now(tz=UTC) - LOCKED_FOR
    recent = Enrolment.objects.filter(user=user, begun_at__gt=since).exclude(outcome=EnrolmentOutcome.ENABLED)
    failures = recent.aggregate(all=Sum("failures"))["all"] or 0
    if failures < MAX_FAILURES and recent.count() < MAX_BEGUN:
        return None
    return recent.order_by("begun_at").values_list("begun_at", flat=True)[0] + LOCKED_FOR


def devices_of(user: Entity) -> list[EntityState]:
    """Return the user's MFA devices in the mirror, by name."""
    devices = EntityState.objects.filter(
        valid_at(None), kind=Kind.MFA_DEVICE, entity__owner=user, entity__gone_at__isnull=True
    )
    return list(devices.select_related("entity").order_by("sort_name", "entity_id"))


def has_mfa(user: Entity) -> bool:
    """Return True if the user has an MFA device, according to the mirror or the credential report."""
    if devices_of(user):
        return True
    return (
        UserCredentials.objects.filter(valid_at(None), user=user).exclude(mfa__in=["none", "unread"]).exists()
    )


def has_password(user: Entity) -> bool:
    """Return True if the user has a console password."""
    return UserCredentials.objects.filter(valid_at(None), user=user, has_password=True).exists()


def _is_over(enrolment: Enrolment) -> str:
    failed = enrolment.making.error_message if enrolment.making else ""
    return {
        EnrolmentOutcome.CANCELLED: "It was cancelled, and its device is deleted.",
        EnrolmentOutcome.EXPIRED: texts.SEED_EXPIRED,
        EnrolmentOutcome.LOCKED: texts.LOCKED,
        EnrolmentOutcome.FAILED: failed,
    }.get(EnrolmentOutcome(enrolment.outcome), "")


def _is_late(change: Change) -> bool:
    since = change.queued_at or change.created_at
    return datetime.now(tz=UTC) - since > SLOW_AFTER
