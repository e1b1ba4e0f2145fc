"""The changes by which a rotation goes on: what was agreed to at its beginning is queued, the rest is asked
for like anything else.
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
from iam.changes.operations.credential_status import ACTIVATE, DEACTIVATE, DeleteCredential, SetStatus
from iam.changes.services import Cause
from iam.changes.services.accepted import queue_accepted
from iam.directory.models import Person
from iam.guard import viewer_for
from iam.journal.services import Actor
from iam.linking.owners import leads_of
from iam.mirror.models import Entity, Kind
from iam.people.rotation.models import OF_ROTATION, Outcome, Rotation, Stage
from iam.people.rotation.noting import end, move_to, note, save
from iam.people.rotation.planning import MOST_ISSUES, creation, for_own
from iam.people.rotation.standing import old_words
from iam.sealed import services as sealed

AGAIN: Final = timedelta(hours=1)
"""So long after something that failed it is tried again by itself."""


def deactivate_old(held: Rotation, *, agreed: bool) -> None:
    """Make the old key inactive: as agreed, or asked for by who wanted it. The caller holds the row. Raises
    RefusedError.
    """
    change = _queued_or_asked(
        held, SetStatus.of(DEACTIVATE[held.old.kind], held.old), "deactivate", agreed=agreed
    )
    move_to(held, Stage.DEACTIVATING, change=change, wanted="", trouble="", inactive_at=None)
    did, actor = ("started as approved", None) if agreed else ("requested", held.wanted_by)
    note(
        held,
        "deactivate",
        f"Deactivation of {held.old.aws_id} was {did}. It was last used {old_words(held)}.",
        actor=actor,
        change=change,
    )


def delete_old(held: Rotation, *, agreed: bool) -> None:
    """Delete the old key for good. The caller holds the row. Raises RefusedError."""
    change = _queued_or_asked(held, DeleteCredential.of(held.old), "delete", agreed=agreed)
    move_to(held, Stage.DELETING, change=change, wanted="", trouble="")
    did, actor = ("started as approved", None) if agreed else ("requested", held.wanted_by)
    note(held, "delete", f"Deletion of {held.old.aws_id} was {did}.", actor=actor, change=change)


def activate_old(held: Rotation, *, actor: Actor) -> None:
    """Make the old key active again, as agreed. The caller holds the row. Raises RefusedError."""
    change = queue(held, SetStatus.of(ACTIVATE[held.old.kind], held.old), "activate", actor=actor)
    deactivated = held.change
    if deactivated is not None and deactivated.operation == DEACTIVATE[Kind.ACCESS_KEY].slug:
        Change.objects.filter(pk=change.pk).update(reverts=deactivated)
    move_to(held, Stage.ACTIVATING, change=change, wanted="", trouble="")
    note(held, "activate", f"Reactivation of {held.old.aws_id} was requested.", actor=actor, change=change)


def discard_new(held: Rotation, *, actor: Actor | None) -> None:
    """Delete the new key, and what is left of its secret. The caller holds the row."""
    if held.sealed_id:
        sealed.shred(held.sealed_id, actor=actor)
    key = new_key(held)
    if key is None:
        save(held, discarding=None)
        return
    try:
        change = queue(held, DeleteCredential.of(key), "discard", actor=actor)
    except RefusedError as refused:
        later(held, f"{key.aws_id} couldn’t be deleted: {refused.message}")
        return
    save(held, discarding=change, tries=held.tries)
    note(
        held,
        "discard",
        f"The new key {key.aws_id} is deleted because no one has its secret.",
        actor=actor,
        change=change,
    )


def make_another(held: Rotation) -> None:
    """Another new key, as agreed; after a few that nobody fetched it ends. The caller holds the row."""
    if held.issues >= MOST_ISSUES:
        end(
            held,
            Outcome.UNFETCHED,
            f"{MOST_ISSUES} new keys were created and no one got a secret. All of them are deleted. The old "
            f"key {held.old.aws_id} still works.",
            actor=None,
        )
        return
    successor = None if held.person.is_active else _other_lead(held)
    if successor is not None:
        save(held, person=successor)
    if not held.person.is_active:
        end(
            held,
            Outcome.UNFETCHED,
            f"{held.person.name} has left, so no other key is created. The old key {held.old.aws_id} still "
            "works.",
            actor=None,
        )
        return
    sealed_id = uuid4()
    try:
        operation = creation(held.user, person=held.person, sealed_id=sealed_id)
        change = queue(held, operation, "create", actor=None)
    except RefusedError as refused:
        later(held, f"Another key couldn’t be created: {refused.message}")
        return
    move_to(
        held,
        Stage.ASKED,
        change=change,
        sealed_id=sealed_id,
        issues=held.issues + 1,
        new_key_id="",
        new_state="",
        new_used_at=None,
        discarding=None,
        fetched_at=None,
        trouble="",
    )
    note(held, "issue", "Another new key is created.", actor=None, change=change)


def _other_lead(held: Rotation) -> Person | None:
    """Another lead of the owning team, for a new key whose person has left."""
    if held.team is None:
        return None
    leads = leads_of(held.team, account_id=held.user.account.account_id)
    return leads[0] if leads else None


def queue(held: Rotation, operation: Operation, what: str, *, actor: Actor | None) -> Change:
    """Queue what was agreed to at the beginning; twice for the same trial is once. Raises RefusedError."""
    if held.agreed is None:
        raise RefusedError("The request for this was never approved.")
    held.tries += 1
    key = f"rotation-{held.pk.hex}-{what}-{_moment(held)}-{held.tries}"
    try:
        with transaction.atomic():
            (change,) = queue_accepted(
                [operation],
                with_set=held.agreed.change_set,
                actor=actor,
                reason=f"{held.reference}: {held.reason}"[:1024],
                title="",
                cause=Cause(OF_ROTATION, held.batch),
                key=key,
            )
    except IntegrityError:
        change = Change.objects.get(idempotency_key=f"{key}:0")
    return change


def later(held: Rotation, trouble: str) -> None:
    """Say what went wrong, and try again in a while."""
    save(
        held,
        trouble=trouble[:1024],
        retry_at=datetime.now(tz=UTC) + AGAIN,
        wanted="",
        tries=held.tries,
    )


def new_key(held: Rotation) -> Entity | None:
    """The mirror's row of the new key, while AWS has it."""
    if not held.new_key_id:
        return None
    rows = Entity.objects.filter(
        account=held.user.account, kind=Kind.ACCESS_KEY, aws_id=held.new_key_id, gone_at__isnull=True
    )
    return rows.select_related("owner", "account").first()


def _moment(held: Rotation) -> int:
    """When the stage was reached: what is done in one stage and in the next has another key."""
    return int(held.stage_at.timestamp() * 1_000_000)


def _queued_or_asked(held: Rotation, operation: Operation, what: str, *, agreed: bool) -> Change:
    if agreed:
        return queue(held, operation, what, actor=None)
    if held.wanted_by is None:
        raise RefusedError("This wasn’t requested.")
    viewer = for_own(viewer_for(held.wanted_by))
    held.tries += 1
    (change,) = changes.request_changes(
        changes.plan_set([operation], viewer=viewer),
        actor=viewer,
        reason=f"{held.reference}: {held.reason}"[:1000],
        idempotency_key=f"rot-{held.pk.hex[:16]}-{what}-{_moment(held)}-{held.tries}",
        cause=Cause(OF_ROTATION, held.batch),
        notes=[f"The old key {held.old.aws_id} was last used {old_words(held)}."],
    )
    return change
