"""Applies changes that people make to their own MFA devices, without approval.

Enrolling one's own device takes nothing from anyone and gives no permission, and waiting for approval would
leave the person without MFA. Removing a device needs a request like any other change.
"""

from __future__ import annotations

from typing import Final

from django.db import IntegrityError, transaction

from iam.changes.approval.models import OWN_DEVICE, Requirement
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet
from iam.changes.operations import Operation
from iam.changes.operations.mfa_device import EnableMfaDevice, ResyncMfaDevice
from iam.changes.operations.tags import SET_TAGS, SetTags
from iam.changes.operations.user_credential import OfUser
from iam.changes.operations.virtual_mfa_device import CreateVirtualMfaDevice, DeleteSpareMfaDevice, serial_of
from iam.changes.receipts import set_receipt_of
from iam.changes.services.decisions import queue
from iam.changes.services.plans import check_account, examine
from iam.changes.services.requests import SetCause, already_requested, write_set
from iam.changes.summary import summary_of
from iam.directory.models import Person
from iam.guard import Viewer
from iam.journal.services import Actor
from iam.linking.ownership import owns
from iam.mirror.models import Kind

NOTE: Final = "No approval: it is a device of their own."
_OF_USER: Final = (CreateVirtualMfaDevice, EnableMfaDevice, ResyncMfaDevice)


def queue_own(
    operation: Operation, *, person: Person, reason: str, cause: SetCause, key: str, actor: Actor | None
) -> Change:
    """Queue an operation on the person's own MFA device. Idempotent by key.

    `actor` starts it (None: Gatehouse). Raises RefusedError if the device is not theirs or the operation is
    not possible.
    """
    _check_own(operation, person)
    asker = Viewer(person_id=person.pk, name=person.name, email=person.email)
    standing = already_requested([operation], actor=asker, idempotency_key=key)
    if standing:
        return standing[0]
    check_account(operation.account)
    planned = examine(operation)
    try:
        with transaction.atomic():
            group = ChangeSet.objects.create(
                title=operation.title,
                receipt=set_receipt_of([operation]),
                summary=[block.body for block in summary_of([operation])],
                cause_kind=cause.kind,
                cause_id=cause.id,
            )
            (change,) = write_set(
                [planned],
                group=group,
                actor=asker,
                reason=reason,
                prefix=f"{person.pk}:{key[:64]}",
                not_before=None,
                lanes=(),
            )
            Requirement.objects.create(
                change_set=group, digest=group.receipt_digest, stages=[], because=[OWN_DEVICE], wait_hours=0
            )
            queue(change, actor=actor, kind="accepted", note=NOTE, data={"rule": OWN_DEVICE})
            return change
    except IntegrityError:
        return already_requested([operation], actor=asker, idempotency_key=key)[0]


def _check_own(operation: Operation, person: Person) -> None:
    if isinstance(operation, _OF_USER):
        is_theirs = isinstance(operation, OfUser) and owns(person.pk, user_arn=operation.inputs.user_arn)
    else:
        is_theirs = (isinstance(operation, DeleteSpareMfaDevice) and _has_made(operation, person)) or (
            isinstance(operation, SetTags)
            and operation.spec is SET_TAGS[Kind.MFA_DEVICE]
            and _is_own_device(operation, person)
        )
    if not is_theirs:
        raise RefusedError("This is not an MFA device of your own.")


def _is_own_device(operation: SetTags, person: Person) -> bool:
    """True if the device belongs to a user of theirs. Only its label may change, because other tags can
    affect permissions.
    """
    device = operation.subject()
    differs = {key.lower() for key in (*operation.removed_keys, *operation.added_tags)}
    return (
        device is not None
        and device.owner is not None
        and owns(person.pk, user_arn=device.owner.arn)
        and differs <= {"label"}
    )


def _has_made(operation: DeleteSpareMfaDevice, person: Person) -> bool:
    """True if they enrolled the device themselves."""
    made = Change.objects.filter(
        account=operation.account, operation=CreateVirtualMfaDevice.spec.slug, requested_by=person.pk
    )
    return any(
        serial_of(operation.account, params["device_name"]) == operation.inputs.serial_number
        for params in made.values_list("params", flat=True)
    )
