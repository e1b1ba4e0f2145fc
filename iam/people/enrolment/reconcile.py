"""Follows the changes of enrollments to their end, ends those not finished in time, and deletes devices that
were never enabled.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from django.db import transaction

from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change, ChangeState
from iam.changes.operations.virtual_mfa_device import DeleteSpareMfaDevice, SpareParams
from iam.changes.services.own_device import queue_own
from iam.changes.services.requests import SetCause
from iam.mirror import services as mirror
from iam.mirror.models import Entity, Kind
from iam.people.enrolment.models import Enrolment, EnrolmentOutcome
from iam.people.enrolment.services import CAUSE, TOO_MANY, end
from iam.people.links.models import LinkPurpose
from iam.people.links.services import finish_link, revoke_link

logger = structlog.get_logger(__name__)
RETRY_AFTER: Final = timedelta(minutes=10)
"""How long to wait before a failed deletion is retried."""
FORGOTTEN: Final = timedelta(days=1)
"""How long to look for a device when it is unknown whether AWS created it."""
REASON: Final = "Its enrollment was not finished, so no one has this device."
BATCH: Final = 200


def change_ended(change: Change) -> None:
    """Advance the enrollment of a change that ended. It is safe to run twice."""
    cause = change.change_set
    if cause.cause_kind != CAUSE or cause.cause_id is None:
        return
    enrolment = Enrolment.objects.filter(pk=cause.cause_id).first()
    if enrolment is not None:
        settle(enrolment)


def reconcile_enrolments() -> int:
    """Advance the enrollments that are not settled: missed changes, expired ones, devices to delete. Returns
    how many were looked at.
    """
    waiting = list(Enrolment.objects.filter(is_settled=False).order_by("begun_at")[:BATCH])
    for enrolment in waiting:
        settle(enrolment)
    return len(waiting)


def settle(enrolment: Enrolment) -> None:
    """Advance one enrollment as far as possible."""
    with transaction.atomic():
        locked_enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("making", "giving", "cleaning", "link", "person", "user__account")
            .get(pk=enrolment.pk)
        )
        if locked_enrolment.is_settled:
            return
        if locked_enrolment.giving is not None and locked_enrolment.giving.state in OPEN:
            return
        if locked_enrolment.giving is not None and locked_enrolment.giving.state == ChangeState.APPLIED:
            _enabled(locked_enrolment)
            return
        _end_what_is_over(locked_enrolment)
        if locked_enrolment.ended_at is not None:
            _clean(locked_enrolment)


def _enabled(enrolment: Enrolment) -> None:
    """End the enrollment because AWS shows the device as the user's, even if it was cancelled during the
    call.
    """
    if not end(enrolment, outcome=EnrolmentOutcome.ENABLED, actor=enrolment.person):
        Enrolment.objects.filter(pk=enrolment.pk).update(outcome=EnrolmentOutcome.ENABLED, is_settled=True)
    if enrolment.link is not None and enrolment.link.purpose == LinkPurpose.MFA:
        # An invitation continues: it has passwords to pick up, and can cover users of several accounts.
        finish_link(enrolment.link)


def _end_what_is_over(enrolment: Enrolment) -> None:
    making = enrolment.making
    if making is not None and making.state not in (*OPEN, ChangeState.APPLIED):
        end(enrolment, outcome=EnrolmentOutcome.FAILED, actor=None)
    elif enrolment.expires_at <= datetime.now(tz=UTC):
        end(enrolment, outcome=EnrolmentOutcome.EXPIRED, actor=None)


def _clean(enrolment: Enrolment) -> None:
    """Delete the device if AWS has it and it isn't assigned."""
    making, cleaning = enrolment.making, enrolment.cleaning
    if enrolment.outcome == EnrolmentOutcome.LOCKED and enrolment.link is not None:
        revoke_link(enrolment.link, actor=None, why=TOO_MANY)
    if making is None or making.state in (ChangeState.FAILED, ChangeState.CANCELLED, ChangeState.EXPIRED):
        _settled(enrolment)
        return
    if making.state in OPEN or (cleaning is not None and cleaning.state in OPEN):
        return
    if cleaning is not None and cleaning.state == ChangeState.APPLIED:
        _settled(enrolment)
        return
    now = datetime.now(tz=UTC)
    if cleaning is not None and cleaning.ended_at is not None and cleaning.ended_at > now - RETRY_AFTER:
        return
    if not _is_in_mirror(enrolment):
        _look_for(enrolment, making, now=now)
        return
    _delete(enrolment)


def _delete(enrolment: Enrolment) -> None:
    account = enrolment.user.account
    tries = 1 if enrolment.cleaning is None else int(enrolment.cleaning.created_at.timestamp())
    try:
        enrolment.cleaning = queue_own(
            DeleteSpareMfaDevice(account, SpareParams(enrolment.serial_number)),
            person=enrolment.person,
            reason=REASON,
            cause=SetCause(CAUSE, enrolment.pk),
            key=f"clean:{enrolment.pk}:{tries}",
            actor=None,
        )
    except RefusedError as refused:
        logger.warning("enrolment.not_cleaned", enrolment=str(enrolment.pk), why=refused.message)
        return
    enrolment.save(update_fields=["cleaning"])


def _look_for(enrolment: Enrolment, making: Change, *, now: datetime) -> None:
    """Handle a device that the mirror doesn't show: it is deleted, or AWS created it and the answer was lost.
    In that case a sync of the account finds it.
    """
    assert enrolment.ended_at is not None
    if making.state == ChangeState.APPLIED or enrolment.ended_at < now - FORGOTTEN:
        _settled(enrolment)
    elif enrolment.ended_at > now - timedelta(minutes=1):
        mirror.request_pull(enrolment.user.account, trigger="change")


def _is_in_mirror(enrolment: Enrolment) -> bool:
    return Entity.objects.filter(
        account=enrolment.user.account,
        kind=Kind.MFA_DEVICE,
        aws_id=enrolment.serial_number,
        gone_at__isnull=True,
        owner__isnull=True,
    ).exists()


def _settled(enrolment: Enrolment) -> None:
    Enrolment.objects.filter(pk=enrolment.pk).update(is_settled=True)
