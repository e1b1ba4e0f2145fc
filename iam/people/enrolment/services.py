"""Enrolls a virtual MFA device: begins, shows the seed, takes two codes, cancels. The session determines
whose device it is, never a form.

AWS is reached only through changes (`iam.changes.services.own_device`): one creates the device and seals its
seed for this browser, another enables it for the user with two sealed codes. While the seed is sealed, wrong
codes are detected here and are not sent.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from django.db import IntegrityError, transaction

from iam.changes.errors import FieldError, RefusedError
from iam.changes.operations.mfa_device import (
    DEVICES_PER_USER,
    CodesParams,
    EnableMfaDevice,
    seal_codes,
)
from iam.changes.operations.user_credential import UserParams
from iam.changes.operations.virtual_mfa_device import (
    NAME,
    SEED_HOLDS,
    CreateVirtualMfaDevice,
    name_taken_message,
    serial_of,
)
from iam.changes.services.own_device import queue_own
from iam.changes.services.requests import SetCause
from iam.directory.models import Person
from iam.journal.services import Actor, record
from iam.linking.ownership import owns
from iam.mirror.models import Entity, Kind
from iam.moments import moment_words
from iam.people.enrolment import texts, totp
from iam.people.enrolment.models import Enrolment, EnrolmentOutcome
from iam.people.enrolment.queries import (
    EnrolmentStage,
    devices_of,
    has_mfa,
    latest,
    locked_until,
    standing_of,
)
from iam.people.links.models import OneTimeLink
from iam.people.links.services import digest_of, revoke_link
from iam.sealed import services as sealed
from iam.sealed.services import SealedError

CAUSE: Final = "enrolment"
TOO_MANY: Final = "too many wrong codes"
MAX_WRONG_CODES: Final = 5
NOT_YOURS: Final = (
    "This IAM user is not linked to you. Ask an administrator to link it under “Match users to people”."
)
BAD_NAME: Final = "A name can contain only letters, digits and + = , . @ - _"


@dataclass(frozen=True, slots=True)
class EnrolmentSession:
    """The session of an enrollment: a person, the IAM user and the secret of this browser, by a link or
    signed in.
    """

    person: Person
    user: Entity
    secret: str
    link: OneTimeLink | None = None

    @property
    def browser(self) -> str:
        """The stored digest of the browser's secret."""
        return digest_of(f"enrolment:{self.secret}")


@dataclass(frozen=True, slots=True)
class MfaSeed:
    """The seed as shown in the browser: text in groups of four, and the address in the QR code."""

    text: str
    address: str


def begin(seat: EnrolmentSession, *, device_name: str) -> Enrolment:
    """Request the device. An open enrollment in this browser is returned instead. Raises RefusedError in
    words for the person.
    """
    name = device_name.strip()
    standing = latest(seat.user, browser=seat.browser)
    if standing is not None and standing_of(standing).stage not in (EnrolmentStage.DONE, EnrolmentStage.OVER):
        return standing
    _check_may_begin(seat, name)
    now = datetime.now(tz=UTC)
    try:
        with transaction.atomic():
            if standing is not None and standing.ended_at is None:
                end(standing, outcome=EnrolmentOutcome.EXPIRED, actor=None)
            made = Enrolment.objects.create(
                person=seat.person,
                user=seat.user,
                link=seat.link,
                browser=seat.browser,
                device_name=name,
                serial_number=serial_of(seat.user.account, name),
                begun_at=now,
                expires_at=now + SEED_HOLDS,
            )
            made.making = queue_own(
                CreateVirtualMfaDevice.of(
                    seat.user,
                    device_name=name,
                    sealed_id=made.sealed_id,
                    reader_id=seat.person.pk,
                    browser=seat.browser,
                ),
                person=seat.person,
                reason=_reason(made),
                cause=SetCause(CAUSE, made.pk),
                key=f"enrol:{made.pk}",
                actor=seat.person,
            )
            made.save(update_fields=["making"])
            _record("begin", made, actor=seat.person)
            return made
    except IntegrityError:
        again = latest(seat.user, browser=seat.browser)
        if again is None:
            raise
        return again


def seed_of(enrolment: Enrolment, seat: EnrolmentSession) -> MfaSeed | None:
    """Return the seed in the browser for which it was sealed; None in any other browser and when
    it is gone.
    """
    seed = _seed(enrolment, seat)
    if seed is None:
        return None
    grouped = " ".join(seed[at : at + 4] for at in range(0, len(seed), 4))
    address = totp.address_of(seed, user_name=seat.user.name, account=seat.user.account.account_id)
    return MfaSeed(grouped, address)


def submit_codes(enrolment: Enrolment, seat: EnrolmentSession, *, first: str, second: str) -> None:
    """Send two codes to AWS unless they are certainly wrong. A second form at the same time sends nothing.
    Raises RefusedError in words for the person.
    """
    codes = [code.replace(" ", "") for code in (first, second)]
    texts.check_codes(*codes)
    refusal = ""
    with transaction.atomic():
        locked_enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("making", "giving")
            .get(pk=enrolment.pk)
        )
        standing = standing_of(locked_enrolment)
        if standing.stage in (EnrolmentStage.CHECKING, EnrolmentStage.DONE):
            return
        seed = _seed(locked_enrolment, seat) if standing.stage is EnrolmentStage.SCAN else None
        if seed is None:
            raise RefusedError(standing.said or texts.SEED_EXPIRED)
        refusal = texts.trouble_in(totp.reading_of(seed, *codes, at=time.time()))
        if not refusal:
            _give(locked_enrolment, seat, first=codes[0], second=codes[1])
        elif refusal == texts.WRONG:
            refusal = _count_failure(locked_enrolment, seat)
    if refusal == texts.LOCKED:
        raise RefusedError(refusal)
    if refusal:
        raise FieldError(refusal, field="first")


def cancel(enrolment: Enrolment, seat: EnrolmentSession) -> None:
    """Cancel the enrollment: the seed is destroyed and the device deleted. It is safe to call when it is
    over.
    """
    with transaction.atomic():
        locked_enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("making", "giving")
            .get(pk=enrolment.pk)
        )
        if locked_enrolment.browser == seat.browser and standing_of(locked_enrolment).stage in (
            EnrolmentStage.MAKING,
            EnrolmentStage.SCAN,
        ):
            end(locked_enrolment, outcome=EnrolmentOutcome.CANCELLED, actor=seat.person)


def end(enrolment: Enrolment, *, outcome: EnrolmentOutcome, actor: Actor | None) -> bool:
    """End the enrollment and destroy its seed. Returns False if it has ended already.
    `iam.people.enrolment.reconcile` deletes what is left in AWS.
    """
    now = datetime.now(tz=UTC)
    with transaction.atomic():
        open_one = Enrolment.objects.filter(pk=enrolment.pk, ended_at__isnull=True)
        if not open_one.update(ended_at=now, outcome=outcome, is_settled=outcome is EnrolmentOutcome.ENABLED):
            return False
        enrolment.ended_at, enrolment.outcome = now, outcome.value
        sealed.destroy(enrolment.sealed_id, actor=actor)
        _record(outcome.value, enrolment, actor=actor)
    return True


def free_name(user: Entity) -> str:
    """Return a device name that is free in the account, as far as the mirror shows: the user's name, or that
    with a number.
    """
    letters = [letter for letter in user.name if NAME.fullmatch(letter)]
    base = "".join(letters)[:200] or "device"
    for name in (base, *(f"{base}-{number}" for number in range(2, 100))):
        serial = serial_of(user.account, name)
        if not _is_taken(user, serial):
            return serial.rpartition("/")[2]
    return f"{base}-{uuid4().hex[:6]}"


def _check_may_begin(seat: EnrolmentSession, name: str) -> None:
    if not owns(seat.person.pk, user_arn=seat.user.arn):
        raise RefusedError(NOT_YOURS)
    if seat.link is not None and not seat.link.is_checked and has_mfa(seat.user):
        raise RefusedError(texts.BESIDE.format(user=seat.user.name))
    if seat.user.gone_at is not None:
        raise RefusedError(f"User {seat.user.name} no longer exists in AWS, as of the last sync.")
    if not NAME.fullmatch(name):
        raise FieldError(BAD_NAME, field="name")
    until = locked_until(seat.user)
    if until is not None:
        raise RefusedError(
            f"There were too many attempts for {seat.user.name}. Try again after {moment_words(until)}."
        )
    count = len(devices_of(seat.user))
    if count >= DEVICES_PER_USER:
        raise RefusedError(
            f"{seat.user.name} has {count} MFA devices, and AWS allows {DEVICES_PER_USER}. Remove one first."
        )
    if _is_taken(seat.user, serial_of(seat.user.account, name)):
        raise FieldError(name_taken_message(name), field="name")


def _is_taken(user: Entity, serial: str) -> bool:
    return Entity.objects.filter(
        account=user.account, kind=Kind.MFA_DEVICE, aws_id=serial, gone_at__isnull=True
    ).exists()


def _seed(enrolment: Enrolment, seat: EnrolmentSession) -> str | None:
    if enrolment.browser != seat.browser or enrolment.expires_at <= datetime.now(tz=UTC):
        return None
    try:
        return sealed.show_text(enrolment.sealed_id, person=seat.person, session=seat.browser)
    except SealedError:
        return None


def _give(enrolment: Enrolment, seat: EnrolmentSession, *, first: str, second: str) -> None:
    account = seat.user.account
    sealed_id = seal_codes(first, second, sealed_id=uuid4(), account_id=account.account_id)
    params = CodesParams(
        **UserParams.names_of(seat.user), credential_id=enrolment.serial_number, sealed_id=str(sealed_id)
    )
    enrolment.attempts += 1
    enrolment.giving = queue_own(
        EnableMfaDevice(account, params),
        person=seat.person,
        reason=_reason(enrolment),
        cause=SetCause(CAUSE, enrolment.pk),
        key=f"enrol:{enrolment.pk}:{enrolment.attempts}",
        actor=seat.person,
    )
    enrolment.save(update_fields=["giving", "attempts"])


def _count_failure(enrolment: Enrolment, seat: EnrolmentSession) -> str:
    """Count a pair of wrong codes and return the message for the person."""
    enrolment.failures += 1
    enrolment.save(update_fields=["failures"])
    left = MAX_WRONG_CODES - enrolment.failures
    if left > 0:
        return (
            f"{texts.WRONG} {texts.NOTHING_SENT} {left} {'attempt is' if left == 1 else 'attempts are'} left."
        )
    end(enrolment, outcome=EnrolmentOutcome.LOCKED, actor=seat.person)
    if enrolment.link is not None:
        # Revoke it now and not when the device is deleted, so that the page doesn't offer to start again.
        revoke_link(enrolment.link, actor=None, why=TOO_MANY)
    return texts.LOCKED


def _reason(enrolment: Enrolment) -> str:
    by = f", by a link of {enrolment.link.created_label}" if enrolment.link else ""
    return f"{enrolment.person.name} enrolls their own MFA device{by}."


def _record(act: str, enrolment: Enrolment, *, actor: Actor | None) -> None:
    record(
        kind=f"enrolment.{act}",
        actor=actor,
        subject=enrolment.user.arn,
        account_id=enrolment.user.account.account_id,
        data={
            "device": enrolment.serial_number,
            "for": enrolment.person.email,
            "enrolment": enrolment.pk,
            "link": enrolment.link_id,
        },
    )
