"""Further MFA devices of one's own: hardware tokens by serial number, and labels, because AWS can't rename a
device.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction

from iam.changes.errors import FieldChecks, FieldError, RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations.facts import tags_in_mirror
from iam.changes.operations.mfa_device import DEVICES_PER_USER, CodesParams, EnableMfaDevice, seal_codes
from iam.changes.operations.tags import SetTags
from iam.changes.operations.user_credential import UserParams
from iam.changes.services.own_device import queue_own
from iam.changes.services.requests import SetCause
from iam.directory.models import Person
from iam.linking.ownership import owns
from iam.mirror.models import Entity, Kind, TagSet, valid_at
from iam.mirror.refresh.credentials import is_virtual
from iam.people.enrolment import texts
from iam.people.enrolment.queries import devices_of
from iam.people.enrolment.resync import MAX_FAILED, WITHIN
from iam.people.enrolment.services import NOT_YOURS

CAUSE: Final = "mfa_device"
LABEL: Final = "Label"
SERIAL: Final = re.compile(r"[A-Z0-9]{9,64}")
BAD_SERIAL: Final = (
    "The serial number is on the back of the token. It has 9 or more uppercase letters and digits, such as "
    "GAHT12345678."
)
BAD_LABEL: Final = "A label can have up to 60 letters, digits, spaces and + - = . _ : / @"
_LABEL: Final = re.compile(r"[\w .:/=+@-]{1,60}")
_KEYS: Final = UUID("5a0b7e6c-9a2b-4e43-8ad2-0f4c0e5f3b71")


def add_hardware(user: Entity, *, person: Person, serial: str, codes: tuple[str, str], key: str) -> Change:
    """Register a hardware token to its user with two codes that it shows. The same form returns the same
    change. Raises RefusedError in words for the person.
    """
    if not owns(person.pk, user_arn=user.arn):
        raise RefusedError(NOT_YOURS)
    number = serial.strip().replace("-", "").replace(" ", "").upper()
    checks = FieldChecks()
    if not SERIAL.fullmatch(number):
        checks.add("serial", BAD_SERIAL)
    sealed_id = uuid5(_KEYS, f"{person.pk}:{key}")
    standing = Change.objects.filter(requested_by=person.pk, params__sealed_id=str(sealed_id)).first()
    if standing is not None:
        return standing
    first, second = (code.replace(" ", "") for code in codes)
    checks.collect(lambda: texts.check_codes(first, second, shower="the token"))
    checks.finish()
    _check_room(user, number)
    with transaction.atomic():
        seal_codes(first, second, sealed_id=sealed_id, account_id=user.account.account_id)
        params = CodesParams(**UserParams.names_of(user), credential_id=number, sealed_id=str(sealed_id))
        return queue_own(
            EnableMfaDevice(user.account, params),
            person=person,
            reason=f"{person.name} adds a hardware token of their own.",
            cause=SetCause(CAUSE, sealed_id),
            key=f"hardware:{sealed_id}",
            actor=person,
        )


def label_of(device: Entity) -> str:
    """Return the label of a device, or an empty string."""
    return str(tags_in_mirror(device).get(LABEL, ""))


def labels_of(devices: Sequence[int], *, at: datetime | None = None) -> dict[int, str]:
    """Return the labels of devices by number, for those that have one. Without devices, there is no query."""
    if not devices:
        return {}
    rows = TagSet.objects.filter(valid_at(at), entity__in=devices).values_list("entity", "tags")
    return {device: str(tags[LABEL]) for device, tags in rows if tags.get(LABEL)}


def set_label(device: Entity, *, person: Person, label: str, key: str) -> Change:
    """Set the label of one's own virtual device; it can't be removed. Raises RefusedError in words for the
    person.
    """
    if not is_virtual(device.aws_id):
        raise RefusedError("Only virtual devices can have labels in AWS.")
    wanted = " ".join(label.split())
    if wanted and not _LABEL.fullmatch(wanted):
        raise FieldError(BAD_LABEL, field="label")
    tags = {name: value for name, value in tags_in_mirror(device).items() if name != LABEL}
    return queue_own(
        SetTags.of(device, tags=tags | ({LABEL: wanted} if wanted else {})),
        person=person,
        reason=f"{person.name} labels an MFA device of their own.",
        cause=SetCause(CAUSE, uuid5(_KEYS, f"{person.pk}:{key}")),
        key=f"label:{uuid5(_KEYS, key).hex}",
        actor=person,
    )


def _check_room(user: Entity, serial: str) -> None:
    """Raise RefusedError for what AWS would refuse."""
    serials = {device.entity.aws_id for device in devices_of(user)}
    if serial in serials:
        raise RefusedError(f"{user.name} already has the token {serial}.")
    if len(serials) >= DEVICES_PER_USER:
        raise RefusedError(
            f"{user.name} has {len(serials)} MFA devices, and AWS allows {DEVICES_PER_USER}. Remove one "
            "first."
        )
    other = Entity.objects.filter(
        kind=Kind.MFA_DEVICE, aws_id=serial, gone_at__isnull=True, owner__isnull=False
    )
    if other.exists():
        raise RefusedError("This token is already registered. A token can belong to only one user.")
    failed = Change.objects.filter(
        entity=user,
        operation=EnableMfaDevice.spec.slug,
        state=ChangeState.FAILED,
        created_at__gt=datetime.now(tz=UTC) - WITHIN,
    )
    if failed.count() >= MAX_FAILED:
        raise RefusedError(f"AWS has refused the codes {MAX_FAILED} times. Try again in half an hour.")
