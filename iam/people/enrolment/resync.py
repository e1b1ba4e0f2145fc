"""Resynchronizes one's own device with a drifted clock: AWS compares two consecutive codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction

from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations.mfa_device import ResyncMfaDevice, seal_codes
from iam.changes.services.own_device import queue_own
from iam.changes.services.requests import SetCause
from iam.directory.models import Person
from iam.mirror.models import Entity, Kind
from iam.people.enrolment import texts

CAUSE: Final = "mfa_resync"
MAX_FAILED, WITHIN = 5, timedelta(minutes=30)
_KEYS: Final = UUID("7b0d5f0e-2c5a-4b57-9b1b-1f7c0f3a9d11")


def own_totp_device(pk: int, *, arns: frozenset[str]) -> Entity | None:
    """Return a device that belongs to one of these users and shows codes, or None."""
    devices = Entity.objects.filter(
        pk=pk, kind=Kind.MFA_DEVICE, owner__arn__in=arns, owner__gone_at__isnull=True, gone_at__isnull=True
    )
    return devices.exclude(aws_id__contains=":u2f/").select_related("owner__account", "account").first()


def resync(device: Entity, *, person: Person, first: str, second: str, key: str) -> Change:
    """Send two codes of the device to AWS. The same form returns the same change. Raises RefusedError in
    words for the person.
    """
    user = device.owner
    if user is None:
        raise RefusedError("This device isn’t registered to a user.")
    codes = [code.replace(" ", "") for code in (first, second)]
    texts.check_codes(*codes)
    _check_not_locked(user)
    sealed_id = uuid5(_KEYS, f"{person.pk}:{key}")
    standing = Change.objects.filter(requested_by=person.pk, params__sealed_id=str(sealed_id)).first()
    if standing is not None:
        return standing
    with transaction.atomic():
        seal_codes(codes[0], codes[1], sealed_id=sealed_id, account_id=user.account.account_id)
        return queue_own(
            ResyncMfaDevice.of_user(device, user=user, sealed_id=sealed_id),
            person=person,
            reason=f"{person.name} resyncs their own MFA device.",
            cause=SetCause(CAUSE, sealed_id),
            key=f"resync:{sealed_id}",
            actor=person,
        )


def _check_not_locked(user: Entity) -> None:
    since = datetime.now(tz=UTC) - WITHIN
    failed = Change.objects.filter(
        entity=user, operation=ResyncMfaDevice.spec.slug, state=ChangeState.FAILED, created_at__gt=since
    )
    if failed.count() >= MAX_FAILED:
        raise RefusedError(
            f"AWS has refused the codes {MAX_FAILED} times. Try again in half an hour, or have the device "
            "replaced."
        )
