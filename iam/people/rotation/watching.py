"""What AWS shows of both keys, and what follows from it: drift, the next step when it is due, reminders. The
caller holds the row.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from iam.changes.errors import RefusedError
from iam.changes.operations.user_credential import ACTIVE, INACTIVE
from iam.mirror.refresh.key_use import KeySeen, KeysSeen
from iam.people.rotation.carrying import deactivate_old, delete_old, later
from iam.people.rotation.models import Outcome, Rotation, Stage, Wanted
from iam.people.rotation.noting import end, move_to, note, save, tell
from iam.people.rotation.standing import deletion_at, old_words, quiet_of, used_since

REMIND_EVERY: Final = timedelta(days=3)
MOST_REMINDERS: Final = 5


def note_seen(held: Rotation, seen: KeysSeen) -> bool:
    """Take over what AWS shows; False when the rotation has ended by it."""
    if not seen.exists:
        end(
            held,
            Outcome.USER_GONE,
            f"User {held.user.name} no longer exists in AWS, so neither key exists.",
            actor=None,
        )
        return False
    old, new = seen.keys.get(held.old.aws_id), seen.keys.get(held.new_key_id)
    old_state = old.status if old else ""
    new_state = new.status if new else ""
    save(
        held,
        read_at=seen.at,
        read_trouble="",
        retry_at=None,
        old_state=old_state,
        new_state=new_state,
        **_use("old", old),
        **_use("new", new),
    )
    return not _ends_by_drift(held, old, new)


def is_other(held: Rotation, seen: KeysSeen) -> bool:
    """Whether AWS shows the keys otherwise than the stage has them."""
    old, new = seen.keys.get(held.old.aws_id), seen.keys.get(held.new_key_id)
    wanted = INACTIVE if held.stage == Stage.INACTIVE else ACTIVE
    return not (old and new and old.status == wanted and new.status == ACTIVE)


def _use(which: str, key: KeySeen | None) -> dict[str, object]:
    """The columns of a key's use; one that is gone keeps what was known."""
    if key is None or key.used_at is None:
        return {}
    return {
        f"{which}_used_at": key.used_at,
        f"{which}_service": key.service[:64],
        f"{which}_region": key.region[:32],
    }


def _ends_by_drift(held: Rotation, old: KeySeen | None, new: KeySeen | None) -> bool:
    """Whether somebody has taken a key away outside of Gatehouse, so that nothing is left to be done."""
    if old is None and new is not None and held.stage != Stage.HANDING:
        end(
            held,
            Outcome.DONE,
            f"The old key {held.old.aws_id} was deleted outside of Gatehouse. {held.new_key_id} replaces it.",
            actor=None,
        )
        return True
    if new is None and held.stage == Stage.INACTIVE and old is not None:
        _hold(
            held,
            f"The new key {held.new_key_id} was deleted outside of Gatehouse, and the old one is inactive. "
            "Reactivate the old one, or cancel.",
        )
        return False
    if new is None:
        rest = f"The old key {held.old.aws_id} still works." if old else "The old key is deleted, too."
        end(
            held,
            Outcome.KEY_GONE,
            f"The new key {held.new_key_id} was deleted outside of Gatehouse. {rest}",
            actor=None,
        )
        return True
    return False


def watch_using(held: Rotation, seen: KeysSeen | None) -> None:
    """Both keys work: deactivate the old one when that is due or wanted."""
    if seen is None:
        return
    now = datetime.now(tz=UTC)
    if held.old_state == INACTIVE:
        move_to(held, Stage.INACTIVE, inactive_at=now, wanted="", told_at=now)
        _drifted(held, f"{held.old.aws_id} was deactivated outside of Gatehouse.")
        return
    if held.new_state == INACTIVE:
        _hold(
            held,
            f"The new key {held.new_key_id} was deactivated outside of Gatehouse. Reactivate it, or cancel.",
        )
        return
    quiet = quiet_of(held)
    is_due = quiet is not None and quiet.is_due(now)
    if held.wanted == Wanted.DEACTIVATE and not is_due and not held.in_spite:
        new = "" if held.new_used_at else f" The new key {held.new_key_id} was never used."
        _hold(
            held,
            f"The old key was last used {old_words(held)}: anything that still uses it would stop "
            f"working.{new} Confirm to continue anyway.",
        )
    elif held.wanted == Wanted.DEACTIVATE or (held.is_automatic and is_due):
        _try(held, lambda: deactivate_old(held, agreed=held.is_automatic and is_due))
    else:
        _quietly(held)
        _remind(held, now=now, is_due=is_due)


def watch_inactive(held: Rotation, seen: KeysSeen | None) -> None:
    """The old key is inactive: delete it when that is due or wanted."""
    if seen is None:
        return
    now = datetime.now(tz=UTC)
    if held.old_state == ACTIVE:
        move_to(
            held,
            Stage.USING,
            inactive_at=None,
            quiet_from=now,
            wanted="",
            told_at=now,
            reminders=0,
            trouble="",
        )
        _drifted(
            held,
            f"{held.old.aws_id} was reactivated outside Gatehouse, so it is still needed. Monitoring starts "
            "again.",
        )
        return
    if held.new_state != ACTIVE:
        _hold(
            held,
            held.trouble
            or (
                f"The new key {held.new_key_id} is inactive, too. Reactivate it before the old one is "
                "deleted."
            ),
        )
        return
    at = deletion_at(held)
    is_due = at is not None and now >= at and not used_since(held)
    if used_since(held) and not held.in_spite:
        _hold(
            held,
            f"AWS shows that the old key was used {old_words(held)}, after it was deactivated. Find out "
            "what used it before you delete it.",
        )
    elif held.wanted == Wanted.DELETE or (held.is_automatic and is_due):
        _try(held, lambda: delete_old(held, agreed=held.is_automatic and is_due))
    else:
        _quietly(held)
        if is_due:
            _tell_due(held, f"{held.old.aws_id} was inactive for {held.keep_days} days, and can be deleted")


def _try(held: Rotation, act) -> None:  # type: ignore[no-untyped-def]
    try:
        act()
    except RefusedError as refused:
        later(held, refused.message)


def _hold(held: Rotation, trouble: str) -> None:
    """Nothing is done, and the page says why."""
    is_news = held.trouble != trouble
    save(held, trouble=trouble[:1024], wanted="", in_spite=False)
    if is_news:
        note(held, "hold", trouble, actor=None)


def _quietly(held: Rotation) -> None:
    if held.wanted:
        save(held, wanted="", in_spite=False)


def _drifted(held: Rotation, text: str) -> None:
    note(held, "drift", text, actor=None)
    tell(
        held,
        subject=f"Key {held.old.aws_id} was changed outside of Gatehouse",
        text=text,
        key=f"drift:{int(held.stage_at.timestamp())}",
        others=True,
    )


def _tell_due(held: Rotation, subject: str) -> None:
    tell(
        held,
        subject=subject,
        text="Open the rotation’s page to continue.",
        key=f"due:{held.stage}:{int(held.stage_at.timestamp())}",
        others=True,
    )


def _remind(held: Rotation, *, now: datetime, is_due: bool) -> None:
    """Every few days while the old key is in use or the new one never was; once where somebody has to go on
    by hand.
    """
    if is_due:
        _tell_due(held, f"{held.old.aws_id} was not used for {held.quiet_days} days, and can be deactivated")
        return
    if held.reminders >= MOST_REMINDERS or (held.told_at and held.told_at > now - REMIND_EVERY):
        return
    if held.new_used_at is None:
        subject = f"The new key {held.new_key_id} was never used"
        text = f"Use it wherever {held.old.aws_id} is used. The old key was last used {old_words(held)}."
    elif used_since(held):
        subject = f"The old key {held.old.aws_id} is still in use"
        text = f"It was last used {old_words(held)}. Use the new key {held.new_key_id} there instead."
    else:
        return
    save(held, told_at=now, reminders=held.reminders + 1)
    note(held, "remind", f"{subject}: {held.person.name} was reminded.", actor=None)
    tell(held, subject=subject, text=text, key=f"remind:{held.reminders}:{int(held.stage_at.timestamp())}")
