"""The changes that advance a rotation. Those covered by its approval are queued; others are requested
normally.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db import IntegrityError, transaction

from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.user_credential import ACTIVATE, DEACTIVATE, DeleteCredential, SetStatus
from iam.changes.services import SetCause
from iam.changes.services.accepted_changes import queue_accepted
from iam.directory.models import Person
from iam.guard import viewer_for
from iam.journal.services import Actor
from iam.linking.owners import leads_of
from iam.mirror.models import Entity, Kind
from iam.people.rotation.events import dated, end, move_to, record_event, save
from iam.people.rotation.labels import old_words
from iam.people.rotation.models import OF_ROTATION, Rotation, RotationOutcome, RotationStage
from iam.people.rotation.rotation_plan import MAX_ISSUES, creation, for_own
from iam.sealed import services as sealed

RETRY_AFTER: Final = timedelta(hours=1)
"""Time after which a failed step is retried automatically."""


def deactivate_old(rotation: Rotation, *, agreed: bool) -> None:
    """Deactivate the old key, as approved or as requested by the person in `wanted_by`. The caller holds the
    row lock. Raises RefusedError.
    """
    change = _queued_or_asked(
        rotation, SetStatus.of(DEACTIVATE[rotation.old.kind], rotation.old), "deactivate", agreed=agreed
    )
    move_to(rotation, RotationStage.DEACTIVATING, change=change, wanted="", inactive_at=None)
    did, actor = ("started as approved", None) if agreed else ("requested", rotation.wanted_by)
    record_event(
        rotation,
        "deactivate",
        f"Deactivation of {rotation.old.aws_id} was {did}. It was last used {old_words(rotation)}.",
        actor=actor,
        change=change,
    )


def delete_old(rotation: Rotation, *, agreed: bool) -> None:
    """Delete the old key permanently. The caller holds the row lock. Raises RefusedError."""
    change = _queued_or_asked(rotation, DeleteCredential.of(rotation.old), "delete", agreed=agreed)
    move_to(rotation, RotationStage.DELETING, change=change, wanted="")
    did, actor = ("started as approved", None) if agreed else ("requested", rotation.wanted_by)
    record_event(
        rotation, "delete", f"Deletion of {rotation.old.aws_id} was {did}.", actor=actor, change=change
    )


def activate_old(rotation: Rotation, *, actor: Actor) -> None:
    """Reactivate the old key, as approved. The caller holds the row lock. Raises RefusedError."""
    change = queue(rotation, SetStatus.of(ACTIVATE[rotation.old.kind], rotation.old), "activate", actor=actor)
    deactivated = rotation.change
    if deactivated is not None and deactivated.operation == DEACTIVATE[Kind.ACCESS_KEY].slug:
        Change.objects.filter(pk=change.pk).update(reverts=deactivated)
    move_to(rotation, RotationStage.ACTIVATING, change=change, wanted="")
    record_event(
        rotation,
        "activate",
        f"Reactivation of {rotation.old.aws_id} was requested.",
        actor=actor,
        change=change,
    )


def discard_new(rotation: Rotation, *, actor: Actor | None) -> None:
    """Delete the new key and its secret. The caller holds the row lock."""
    if rotation.sealed_id:
        sealed.destroy(rotation.sealed_id, actor=actor)
    key = new_key(rotation)
    if key is None:
        save(rotation, discarding=None)
        return
    try:
        change = queue(rotation, DeleteCredential.of(key), "discard", actor=actor)
    except RefusedError as refused:
        retry_later(rotation, dated(f"{key.aws_id} couldn’t be deleted: {refused.message}"))
        return
    save(rotation, discarding=change, tries=rotation.tries)
    record_event(
        rotation,
        "discard",
        f"The new key {key.aws_id} is deleted because no one has its secret.",
        actor=actor,
        change=change,
    )


def make_another(rotation: Rotation) -> None:
    """Create another new key, as approved, or end the rotation after a few keys that no one retrieved. The
    caller holds the row lock.
    """
    if rotation.issues >= MAX_ISSUES:
        end(
            rotation,
            RotationOutcome.UNFETCHED,
            f"{MAX_ISSUES} new keys were created and no one got a secret. All of them are deleted. The old "
            f"key {rotation.old.aws_id} still works.",
            actor=None,
        )
        return
    successor = None if rotation.person.is_active else _other_lead(rotation)
    if successor is not None:
        save(rotation, person=successor)
    if not rotation.person.is_active:
        end(
            rotation,
            RotationOutcome.UNFETCHED,
            f"{rotation.person.name} has left, so no other key is created. The old key {rotation.old.aws_id} "
            "still works.",
            actor=None,
        )
        return
    sealed_id = uuid4()
    try:
        operation = creation(rotation.user, person=rotation.person, sealed_id=sealed_id)
        change = queue(rotation, operation, "create", actor=None)
    except RefusedError as refused:
        retry_later(rotation, dated(f"Another key couldn’t be created: {refused.message}"))
        return
    move_to(
        rotation,
        RotationStage.ASKED,
        change=change,
        sealed_id=sealed_id,
        issues=rotation.issues + 1,
        new_key_id="",
        new_state="",
        new_used_at=None,
        discarding=None,
        fetched_at=None,
    )
    record_event(rotation, "issue", "Another new key is created.", actor=None, change=change)


def _other_lead(rotation: Rotation) -> Person | None:
    """Return another lead of the owning team, for a new key whose person has left, or None."""
    if rotation.team is None:
        return None
    leads = leads_of(rotation.team, account_id=rotation.user.account.account_id)
    return leads[0] if leads else None


def queue(rotation: Rotation, operation: Operation, what: str, *, actor: Actor | None) -> Change:
    """Queue an operation that the approval covers, once per attempt. Raises RefusedError."""
    if rotation.agreed is None:
        raise RefusedError("The request for this was never approved.")
    rotation.tries += 1
    key = f"rotation-{rotation.pk.hex}-{what}-{_moment(rotation)}-{rotation.tries}"
    try:
        with transaction.atomic():
            (change,) = queue_accepted(
                [operation],
                with_set=rotation.agreed.change_set,
                actor=actor,
                reason=f"{rotation.reference}: {rotation.run.reason}"[:1024],
                title="",
                cause=SetCause(OF_ROTATION, rotation.run_id),
                key=key,
            )
    except IntegrityError:
        change = Change.objects.get(idempotency_key=f"{key}:0")
    return change


def retry_later(rotation: Rotation, trouble: str) -> None:
    """Record what went wrong and when to retry."""
    save(
        rotation,
        trouble=trouble[:1024],
        retry_at=datetime.now(tz=UTC) + RETRY_AFTER,
        wanted="",
        tries=rotation.tries,
    )


def new_key(rotation: Rotation) -> Entity | None:
    """Return the mirror row of the new key while it exists in AWS, or None."""
    if not rotation.new_key_id:
        return None
    rows = Entity.objects.filter(
        account=rotation.user.account, kind=Kind.ACCESS_KEY, aws_id=rotation.new_key_id, gone_at__isnull=True
    )
    return rows.select_related("owner", "account").first()


def _moment(rotation: Rotation) -> int:
    """Return when the stage was reached, as a part of idempotency keys that differs between stages."""
    return int(rotation.stage_at.timestamp() * 1_000_000)


def _queued_or_asked(rotation: Rotation, operation: Operation, what: str, *, agreed: bool) -> Change:
    if agreed:
        return queue(rotation, operation, what, actor=None)
    if rotation.wanted_by is None:
        raise RefusedError("This wasn’t requested.")
    viewer = for_own(viewer_for(rotation.wanted_by))
    rotation.tries += 1
    (change,) = changes.request_changes(
        changes.plan_set([operation], viewer=viewer),
        actor=viewer,
        reason=f"{rotation.reference}: {rotation.run.reason}"[:1000],
        idempotency_key=f"rot-{rotation.pk.hex[:16]}-{what}-{_moment(rotation)}-{rotation.tries}",
        cause=SetCause(OF_ROTATION, rotation.run_id),
        notes=[f"The old key {rotation.old.aws_id} was last used {old_words(rotation)}."],
    )
    return change
