"""Handles what AWS shows of both keys: drift, the next step when it is due, and reminders. The caller holds
the row lock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from iam.changes.errors import RefusedError
from iam.changes.models import reference_of
from iam.changes.operations.user_credential import ACTIVE, INACTIVE
from iam.mirror.models import Cause, EntityState, Kind
from iam.mirror.refresh.key_use import KeySeen, KeysSeen
from iam.people.rotation.events import dated, end, move_to, notify_people, record_event, save
from iam.people.rotation.labels import deletion_at, old_words, quiet_of, used_since
from iam.people.rotation.models import Rotation, RotationOutcome, RotationStage, RotationStep
from iam.people.rotation.rotation_plan import days
from iam.people.rotation.transitions import RETRY_AFTER, deactivate_old, delete_old
from iam.phrases import joined

REMIND_EVERY: Final = timedelta(days=3)
MAX_REMINDERS: Final = 5
_NOUNS: Final = {RotationStep.DEACTIVATE: "deactivation", RotationStep.DELETE: "deletion"}


def note_seen(rotation: Rotation, seen: KeysSeen) -> bool:
    """Store what AWS shows. Returns False if the rotation has ended as a result."""
    if not seen.exists:
        end(
            rotation,
            RotationOutcome.USER_GONE,
            f"User {rotation.user.name} no longer exists in AWS, so neither key exists.",
            actor=None,
        )
        return False
    old, new = seen.keys.get(rotation.old.aws_id), seen.keys.get(rotation.new_key_id)
    new_state_before = rotation.new_state
    old_state = old.status if old else ""
    new_state = new.status if new else ""
    save(
        rotation,
        read_at=seen.at,
        read_trouble="",
        retry_at=None,
        old_state=old_state,
        new_state=new_state,
        **_use("old", old),
        **_use("new", new),
    )
    _note_resumed(rotation, was=new_state_before)
    return not _ends_by_drift(rotation, old, new)


def is_other(rotation: Rotation, seen: KeysSeen) -> bool:
    """Return True if the keys in AWS don't match the stage."""
    old, new = seen.keys.get(rotation.old.aws_id), seen.keys.get(rotation.new_key_id)
    wanted = INACTIVE if rotation.stage == RotationStage.INACTIVE else ACTIVE
    return not (old and new and old.status == wanted and new.status == ACTIVE)


def _use(which: str, key: KeySeen | None) -> dict[str, object]:
    """Return the columns of a key's last use. A deleted key keeps its known values."""
    if key is None or key.used_at is None:
        return {}
    return {
        f"{which}_used_at": key.used_at,
        f"{which}_service": key.service[:64],
        f"{which}_region": key.region[:32],
    }


def _ends_by_drift(rotation: Rotation, old: KeySeen | None, new: KeySeen | None) -> bool:
    """End the rotation if someone deleted a key outside of Gatehouse so that nothing is left to do. Returns
    True if so.
    """
    if old is None and new is not None and rotation.stage != RotationStage.HANDING:
        end(
            rotation,
            RotationOutcome.DONE,
            f"The old key {rotation.old.aws_id} was deleted {_by(rotation, rotation.old.aws_id)}. "
            f"{rotation.new_key_id} replaces it.",
            actor=None,
        )
        return True
    if new is None and rotation.stage == RotationStage.INACTIVE and old is not None:
        _hold_back(
            rotation,
            f"The new key {rotation.new_key_id} was deleted {_by(rotation, rotation.new_key_id)} while the "
            "old one was inactive.",
            now="Reactivate the old one, or cancel.",
        )
        return False
    if new is None:
        rest = f"The old key {rotation.old.aws_id} still works." if old else "The old key is deleted, too."
        end(
            rotation,
            RotationOutcome.KEY_GONE,
            f"The new key {rotation.new_key_id} was deleted {_by(rotation, rotation.new_key_id)}. {rest}",
            actor=None,
        )
        return True
    return False


def _by(rotation: Rotation, key_id: str) -> str:
    """Return what gave a key its latest status: 'by CHG-9DA136C6' or 'outside of Gatehouse'."""
    states = EntityState.objects.filter(
        account=rotation.user.account_id, kind=Kind.ACCESS_KEY, entity__aws_id=key_id
    )
    state = states.order_by("-valid_from", "-pk").first()
    if state is None:
        return "outside of Gatehouse"
    kind, cause_id = state.cause_kind, state.cause_id
    if state.valid_to is not None:
        kind, cause_id = state.end_cause_kind, state.end_cause_id
    if kind != Cause.CHANGE or cause_id is None:
        return "outside of Gatehouse"
    return f"by {reference_of(cause_id)}"


def watch_using(rotation: Rotation, seen: KeysSeen | None) -> None:
    """Handle the stage with both keys active: deactivate the old one when that is due or requested."""
    if seen is None:
        return
    now = datetime.now(tz=UTC)
    if rotation.old_state == INACTIVE:
        move_to(rotation, RotationStage.INACTIVE, inactive_at=now, wanted="", told_at=now)
        by = _by(rotation, rotation.old.aws_id)
        _drifted(rotation, f"{rotation.old.aws_id} was deactivated {by}.", by=by)
        return
    if rotation.new_state == INACTIVE:
        _hold_back(
            rotation,
            f"The new key {rotation.new_key_id} was deactivated {_by(rotation, rotation.new_key_id)}.",
            now="Reactivate it, or cancel.",
        )
        return
    quiet = quiet_of(rotation)
    is_due = quiet is not None and quiet.is_due(now)
    if rotation.wanted == RotationStep.DEACTIVATE and not is_due and not rotation.in_spite:
        _not_done(rotation, RotationStep.DEACTIVATE, f"was not done: {_why_early(rotation)}.")
    elif rotation.wanted == RotationStep.DEACTIVATE or (rotation.is_automatic and is_due):
        _try(rotation, RotationStep.DEACTIVATE, deactivate_old, agreed=rotation.is_automatic and is_due)
    else:
        _quietly(rotation)
        _remind(rotation, now=now, is_due=is_due)


def watch_inactive(rotation: Rotation, seen: KeysSeen | None) -> None:
    """Handle the stage with an inactive old key: delete it when that is due or requested."""
    if seen is None:
        return
    now = datetime.now(tz=UTC)
    if rotation.old_state == ACTIVE:
        move_to(
            rotation,
            RotationStage.USING,
            inactive_at=None,
            quiet_from=now,
            wanted="",
            told_at=now,
            reminders=0,
        )
        by = _by(rotation, rotation.old.aws_id)
        _drifted(
            rotation,
            f"{rotation.old.aws_id} was reactivated {by}, so it is still needed. Monitoring starts again.",
            by=by,
        )
        return
    if rotation.new_state == INACTIVE:
        _hold_back(
            rotation,
            f"The new key {rotation.new_key_id} was deactivated {_by(rotation, rotation.new_key_id)}, too.",
            now="Reactivate it before the old one is deleted.",
        )
        return
    if rotation.new_state != ACTIVE:
        # `note_seen` has held back what would be deleted.
        _quietly(rotation)
        return
    at = deletion_at(rotation)
    is_due = at is not None and now >= at and not used_since(rotation)
    if used_since(rotation) and not rotation.in_spite:
        _hold_back(
            rotation,
            f"AWS recorded that the old key was used {old_words(rotation)}, after it was deactivated, so it "
            "was not deleted.",
            now="Find out what used it before you delete it.",
        )
    elif rotation.wanted == RotationStep.DELETE or (rotation.is_automatic and is_due):
        _try(rotation, RotationStep.DELETE, delete_old, agreed=rotation.is_automatic and is_due)
    else:
        _quietly(rotation)
        if is_due:
            _tell_due(
                rotation,
                f"{rotation.old.aws_id} was inactive for {rotation.keep_days} days, and can be deleted",
            )


def _try(rotation: Rotation, step: RotationStep, act: Callable[..., None], *, agreed: bool) -> None:
    try:
        act(rotation, agreed=agreed)
    except RefusedError as refused:
        _not_done(rotation, step, f"was refused: “{refused.message}”")
        save(rotation, retry_at=datetime.now(tz=UTC) + RETRY_AFTER, tries=rotation.tries)


def _not_done(rotation: Rotation, step: RotationStep, what: str) -> None:
    """Record an attempt that came to nothing: whose it was, and what became of it (`what`). The timeline has
    it once, however often it is retried.
    """
    if not rotation.wanted:
        attempt = f"The automatic {_NOUNS[step]} of {rotation.old.aws_id}"
    elif rotation.wanted_by is None:
        attempt = f"The requested {_NOUNS[step]} of {rotation.old.aws_id}"
    else:
        attempt = f"The {_NOUNS[step]} of {rotation.old.aws_id}, requested by {rotation.wanted_by.name},"
    text = f"{attempt} {what}"
    save(rotation, trouble=dated(text)[:1024], wanted="")
    latest = rotation.events.order_by("-at", "-pk").first()
    if latest is None or latest.text != text[:512]:
        record_event(rotation, "hold", text, actor=None)


def _why_early(rotation: Rotation) -> str:
    """Return why the old key was not deactivated when a person requested it."""
    reasons = []
    if rotation.old_used_at is not None:
        reasons.append(
            f"the old key was last used {old_words(rotation)}, and what used it would have stopped working"
        )
    if rotation.new_used_at is None:
        reasons.append(f"the new key {rotation.new_key_id} had not been used")
    return joined(reasons) or f"{days(rotation.quiet_days)} without use had not passed"


def _hold_back(rotation: Rotation, reason: str, *, now: str) -> None:
    """Do nothing, because of what AWS shows. The timeline says what happened (`reason`), the page also what
    is needed (`now`), until AWS shows something else.
    """
    trouble = f"{reason} {now}"[:1024]
    is_news = rotation.trouble != trouble
    save(rotation, trouble=trouble, wanted="", in_spite=False)
    if is_news:
        record_event(rotation, "hold", reason, actor=None)


def _note_resumed(rotation: Rotation, *, was: str) -> None:
    """Take back what was needed while the new key was inactive (`was` is its former status)."""
    if was == INACTIVE and rotation.new_state == ACTIVE and rotation.trouble:
        save(rotation, trouble="")
        record_event(rotation, "resume", f"The new key {rotation.new_key_id} is active again.", actor=None)


def _quietly(rotation: Rotation) -> None:
    if rotation.wanted:
        save(rotation, wanted="", in_spite=False)


def _drifted(rotation: Rotation, text: str, *, by: str) -> None:
    record_event(rotation, "drift", text, actor=None)
    notify_people(
        rotation,
        subject=f"Key {rotation.old.aws_id} was changed {by}",
        text=text,
        key=f"drift:{int(rotation.stage_at.timestamp())}",
        others=True,
    )


def _tell_due(rotation: Rotation, subject: str) -> None:
    notify_people(
        rotation,
        subject=subject,
        text="Open the rotation’s page to continue.",
        key=f"due:{rotation.stage}:{int(rotation.stage_at.timestamp())}",
        others=True,
    )


def _remind(rotation: Rotation, *, now: datetime, is_due: bool) -> None:
    """Send a reminder every few days while the old key is in use or the new one is unused, and once if a
    person has to take the next step.
    """
    if is_due:
        _tell_due(
            rotation,
            f"{rotation.old.aws_id} was not used for {rotation.quiet_days} days, and can be deactivated",
        )
        return
    if rotation.reminders >= MAX_REMINDERS or (rotation.told_at and rotation.told_at > now - REMIND_EVERY):
        return
    if rotation.new_used_at is None:
        subject = f"The new key {rotation.new_key_id} was never used"
        text = (
            f"Use it wherever {rotation.old.aws_id} is used. The old key was last used {old_words(rotation)}."
        )
    elif used_since(rotation):
        subject = f"The old key {rotation.old.aws_id} is still in use"
        text = f"It was last used {old_words(rotation)}. Use the new key {rotation.new_key_id} there instead."
    else:
        return
    save(rotation, told_at=now, reminders=rotation.reminders + 1)
    record_event(rotation, "remind", f"{subject}: {rotation.person.name} was reminded.", actor=None)
    notify_people(
        rotation,
        subject=subject,
        text=text,
        key=f"remind:{rotation.reminders}:{int(rotation.stage_at.timestamp())}",
    )
