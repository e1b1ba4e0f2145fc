"""Advances rotations according to their changes, the keys in AWS, and due dates. It is safe to run at any
time from several workers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from iam import nudge
from iam.changes.models import OPEN, Change, ChangeState, Decision
from iam.changes.operations.user_credential import ACTIVE, INACTIVE
from iam.linking.key_owners import pass_on_key_owner
from iam.mirror import services as mirror
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh.key_use import KeysSeen, UnreadableKeysError, reread_key_use
from iam.people.rotation.events import dated, end, move_to, notify_people, record_event, save
from iam.people.rotation.models import (
    CHANGING,
    OF_ROTATION,
    Rotation,
    RotationOutcome,
    RotationStage,
    RotationStep,
)
from iam.people.rotation.own_keys import ACTS
from iam.people.rotation.rotation_plan import days
from iam.people.rotation.services import CHECK_USAGE, fetched, hand_over, locked
from iam.people.rotation.transitions import RETRY_AFTER, discard_new, make_another
from iam.people.rotation.usage_checks import is_other, note_seen, watch_inactive, watch_using
from iam.people.runs.reconcile import reconcile_missed
from iam.sealed.models import Secret, SecretState
from iam.sealed.queries import secret_of

READ_EVERY: Final = timedelta(hours=6)
"""How often AWS is asked automatically. Before a key is removed, it is asked again."""
RETRY_UNREAD_AFTER: Final = timedelta(minutes=15)
SETTLES: Final = timedelta(minutes=1)
"""How long after a step AWS may still show the earlier state."""
BATCH: Final = 100
READ: Final = (RotationStage.HANDING, RotationStage.USING, RotationStage.INACTIVE)
"""Stages in which the next step depends on the keys in AWS."""


def change_ended(change: Change) -> None:
    """Advance the rotation of a change that ended, and check the one whose keys another change concerned. It
    is safe to run twice.
    """
    if change.change_set.cause_kind != OF_ROTATION:
        _check_keys_of(change)
        return
    about = Q(change=change) | Q(discarding=change)
    for pk in Rotation.objects.filter(about).exclude(stage=RotationStage.ENDED).values_list("pk", flat=True):
        reconcile(pk)


def _check_keys_of(change: Change) -> None:
    """Have AWS checked if a key of a user with a rotation was changed, so that the rotation follows."""
    if change.operation not in ACTS or change.state != ChangeState.APPLIED:
        return
    open_rotations = Rotation.objects.filter(user=change.entity_id, stage__in=READ)
    for pk in open_rotations.values_list("pk", flat=True):
        nudge.send_after_commit(CHECK_USAGE, pk)


def reconcile_open() -> int:
    """Advance rotations with missed changes or expired secrets, and check keys that are due. Returns how many
    were checked.
    """
    now = datetime.now(tz=UTC)
    reconcile_missed(_to_reconcile(now), reconcile, most=BATCH)
    due_ids = _to_check(now)
    for pk in due_ids:
        check_usage(pk)
    return len(due_ids)


def _to_reconcile(now: datetime) -> QuerySet[Rotation]:
    """Return rotations whose change has ended or whose secret has expired without a worker being notified."""
    is_handing = Q(stage=RotationStage.HANDING)
    secrets = Secret.objects.filter(pk=OuterRef("sealed_id"), state=SecretState.SEALED, expires_at__gt=now)
    has_ended = Q(stage__in=CHANGING) & ~Q(change__state__in=OPEN)
    has_expired = is_handing & Q(discarding__isnull=True) & ~Exists(secrets)
    is_discarded = is_handing & Q(discarding__isnull=False) & ~Q(discarding__state__in=OPEN)
    waiting = Rotation.objects.filter(Q(retry_at__isnull=True) | Q(retry_at__lte=now))
    unfinished = waiting.filter(stage__in=(*CHANGING, RotationStage.HANDING))
    return unfinished.filter(has_ended | has_expired | is_discarded)


def _to_check(now: datetime) -> list[UUID]:
    """Return the rotations to check in AWS: on request, for the first time, when their keys changed in the
    mirror, or after a while. Each is a separate query, so that an index finds the few among many.
    """
    waiting = Rotation.objects.filter(Q(retry_at__isnull=True) | Q(retry_at__lte=now))
    waiting = waiting.filter(stage__in=READ, discarding__isnull=True)
    due_ids: list[UUID] = []
    for due in (
        waiting.filter(wanted__in=RotationStep.values).order_by("wanted_at", "pk"),
        waiting.filter(read_at__isnull=True).order_by("pk"),
        waiting.filter(Exists(_changed_keys()), read_at__isnull=False).order_by("read_at", "pk"),
        waiting.filter(read_at__lte=now - READ_EVERY).order_by("read_at", "pk"),
    ):
        due_ids += due.exclude(pk__in=due_ids).values_list("pk", flat=True)[: BATCH - len(due_ids)]
    return due_ids


def _changed_keys() -> QuerySet[Entity]:
    """Return the keys of a rotation's user that began, ended or got another status after the last check."""
    began = Q(states__valid_to__isnull=True, states__valid_from__gt=OuterRef("read_at"))
    ended = Q(gone_at__gt=OuterRef("read_at"))
    return Entity.objects.filter(began | ended, owner=OuterRef("user"), kind=Kind.ACCESS_KEY)


def check_usage(pk: UUID) -> None:
    """Ask AWS about the keys of a rotation, and advance it accordingly. No transaction spans the call."""
    rotation = Rotation.objects.select_related("user__account").filter(pk=pk, stage__in=READ).first()
    if rotation is None:
        return
    try:
        seen = reread_key_use(rotation.user.account, rotation.user)
    except UnreadableKeysError as error:
        _unread(pk, str(error))
        return
    if not seen.exists:
        # The user was deleted or renamed in AWS. Only a sync of the account tells which.
        mirror.request_pull(rotation.user.account, trigger="change")
    reconcile(pk, seen)


def reconcile(pk: UUID, seen: KeysSeen | None = None) -> None:
    """Advance one rotation as far as possible."""
    with transaction.atomic():
        locked_rotation = locked(Rotation(pk=pk))
        if locked_rotation.stage in (RotationStage.ENDED, RotationStage.WAITING):
            return
        if seen is not None and seen.at < locked_rotation.stage_at:
            # The read began before the latest step, so it can show the earlier state.
            seen = None
        if (
            seen is not None
            and seen.at < locked_rotation.stage_at + SETTLES
            and is_other(locked_rotation, seen)
        ):
            # IAM is eventually consistent, so what was just changed is read once more before the next step.
            seen = None
        if seen is not None and locked_rotation.stage in READ and not note_seen(locked_rotation, seen):
            return
        _BY_STAGE[RotationStage(locked_rotation.stage)](locked_rotation, seen)


def _unread(pk: UUID, why: str) -> None:
    with transaction.atomic():
        locked_rotation = locked(Rotation(pk=pk))
        if locked_rotation.stage == RotationStage.ENDED:
            return
        trouble = locked_rotation.trouble
        if locked_rotation.wanted and locked_rotation.wanted != RotationStep.LOOK:
            trouble = dated("AWS couldn’t be checked, so nothing was changed.")
        save(
            locked_rotation,
            read_trouble=why[:1024],
            retry_at=datetime.now(tz=UTC) + RETRY_UNREAD_AFTER,
            wanted="",
            trouble=trouble,
        )


def _asked(rotation: Rotation, seen: KeysSeen | None) -> None:
    change = rotation.change
    if change is None or change.state in OPEN:
        return
    if change.state == ChangeState.APPLIED:
        _made(rotation, change)
    elif not _recorded_as_unknown(rotation, change):
        end(
            rotation,
            RotationOutcome.NOT_MADE,
            f"{_failure_text(change)} The old key {rotation.old.aws_id} still works.",
            actor=None,
            change=change,
        )


def _made(rotation: Rotation, change: Change) -> None:
    seal = secret_of(rotation.sealed_id) if rotation.sealed_id else None
    new_key_id = seal.label if seal else ""
    move_to(rotation, RotationStage.HANDING, new_key_id=new_key_id, new_state=ACTIVE)
    pass_on_key_owner(rotation.old, new_key_id, why=f"It replaces {rotation.old.aws_id}.")
    record_event(
        rotation,
        "made",
        f"The new key {rotation.new_key_id} was created. Its secret is waiting for {rotation.person.name}.",
        actor=None,
        change=change,
    )
    hand_over(rotation)


def _handing(rotation: Rotation, seen: KeysSeen | None) -> None:
    discarding = rotation.discarding
    if discarding is not None:
        _discarded(rotation, discarding)
        return
    seal = secret_of(rotation.sealed_id) if rotation.sealed_id else None
    if seal is not None and seal.state == SecretState.OPENED:
        fetched(rotation, actor=rotation.person)
    elif seal is None or seal.state != SecretState.SEALED or seal.expires_at <= datetime.now(tz=UTC):
        record_event(
            rotation,
            "unfetched",
            f"No one got the secret of {rotation.new_key_id} in time. It was destroyed.",
            actor=None,
        )
        discard_new(rotation, actor=None)
        if rotation.discarding is None and not rotation.retry_at:
            make_another(rotation)


def _discarded(rotation: Rotation, discarding: Change) -> None:
    if discarding.state in OPEN:
        return
    if discarding.state == ChangeState.APPLIED:
        make_another(rotation)
        return
    if not _recorded_as_unknown(rotation, discarding):
        save(rotation, discarding=None, trouble=dated(_failure_text(discarding))[:1024])
        save(rotation, retry_at=datetime.now(tz=UTC) + RETRY_AFTER)


def _deactivating(rotation: Rotation, seen: KeysSeen | None) -> None:
    if (change := _ended(rotation)) is None:
        return
    if change.state == ChangeState.APPLIED:
        now = datetime.now(tz=UTC)
        move_to(
            rotation,
            RotationStage.INACTIVE,
            old_state=INACTIVE,
            inactive_at=now,
            in_spite=False,
            told_at=now,
        )
        record_event(rotation, "inactive", f"{rotation.old.aws_id} is inactive.", actor=None, change=change)
        notify_people(
            rotation,
            subject=f"The key {rotation.old.aws_id} is inactive",
            text="AWS now rejects every use of it. If something stopped working, reactivate the key on the "
            "rotation’s page with one click. "
            f"{_kept(rotation)}",
            key=f"inactive:{int(now.timestamp())}",
        )
    elif not _recorded_as_unknown(rotation, change):
        _back(rotation, RotationStage.USING, change)


def _kept(rotation: Rotation) -> str:
    """Return a sentence on how long an inactive key is kept."""
    if rotation.is_automatic:
        return f"It is permanently deleted in {days(rotation.keep_days)}."
    return f"It is kept for at least {days(rotation.keep_days)}."


def _activating(rotation: Rotation, seen: KeysSeen | None) -> None:
    if (change := _ended(rotation)) is None:
        return
    if change.state == ChangeState.APPLIED:
        now = datetime.now(tz=UTC)
        move_to(
            rotation,
            RotationStage.USING,
            old_state=ACTIVE,
            inactive_at=None,
            quiet_from=now,
            told_at=now,
            reminders=0,
        )
        record_event(
            rotation,
            "active",
            f"{rotation.old.aws_id} is active again. Monitoring starts again.",
            actor=None,
            change=change,
        )
    elif not _recorded_as_unknown(rotation, change):
        _back(rotation, RotationStage.INACTIVE, change)


def _deleting(rotation: Rotation, seen: KeysSeen | None) -> None:
    if (change := _ended(rotation)) is None:
        return
    if change.state == ChangeState.APPLIED:
        end(
            rotation,
            RotationOutcome.DONE,
            f"The old key {rotation.old.aws_id} is deleted. {rotation.new_key_id} replaces it.",
            actor=None,
            change=change,
        )
    elif not _recorded_as_unknown(rotation, change):
        _back(rotation, RotationStage.INACTIVE, change)


def _back(rotation: Rotation, stage: RotationStage, change: Change) -> None:
    """Return to the stage before a change that failed or was not approved. A failed change is retried
    automatically later.
    """
    text = _failure_text(change)
    move_to(rotation, stage, trouble=dated(text)[:1024])
    if change.state == ChangeState.FAILED:
        save(rotation, retry_at=datetime.now(tz=UTC) + RETRY_AFTER)
    record_event(rotation, "back", text, actor=None, change=change)


def _ended(rotation: Rotation) -> Change | None:
    return None if rotation.change is None or rotation.change.state in OPEN else rotation.change


def _recorded_as_unknown(rotation: Rotation, change: Change) -> bool:
    """Return whether the result is unknown. If so, the rotation shows it until someone checks AWS."""
    if change.state != ChangeState.UNKNOWN:
        return False
    text = f"The result of {change.reference} is unknown. Open it and check AWS again."
    if rotation.trouble != text:
        save(rotation, trouble=text)
    return True


def _failure_text(change: Change) -> str:
    """Return what happened to a change that didn't reach AWS, such as 'Hana Sato rejected the request
    “Deactivate the key AKIA…”: “The batch still uses it.”'
    """
    if change.state == ChangeState.REJECTED:
        return _rejection(change)
    if change.state == ChangeState.CANCELLED:
        return f"{change.title}: the request was withdrawn."
    if change.state == ChangeState.EXPIRED:
        return f"{change.title}: the request was not answered in time."
    return f"{change.title} failed. {change.error_message}".strip()


def _rejection(change: Change) -> str:
    decision = change.change_set.approvals.filter(decision=Decision.REJECT).order_by("-id").first()
    if decision is None:
        return f"{change.title}: the request was rejected."
    return f"{decision.approver_label} rejected the request “{change.title}”: “{decision.comment}”"


_BY_STAGE: Final[dict[RotationStage, Callable[[Rotation, KeysSeen | None], None]]] = {
    RotationStage.ASKED: _asked,
    RotationStage.HANDING: _handing,
    RotationStage.USING: watch_using,
    RotationStage.DEACTIVATING: _deactivating,
    RotationStage.INACTIVE: watch_inactive,
    RotationStage.ACTIVATING: _activating,
    RotationStage.DELETING: _deleting,
}
