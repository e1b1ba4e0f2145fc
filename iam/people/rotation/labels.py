"""Describes a rotation in sentences and dates: when the next step is due, what remains if it is cancelled,
where each key was last used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from iam.changes.operations.user_credential import ACTIVE, INACTIVE
from iam.moments import moment_words
from iam.people.rotation.models import Rotation
from iam.phrases import counted


@dataclass(frozen=True, slots=True)
class QuietPeriod:
    """Since when the old key is unused, from when that is long enough, and whether the new key was used."""

    since: datetime
    due_at: datetime
    new_is_used: bool

    def is_due(self, now: datetime) -> bool:
        """Return True if the old key can be deactivated."""
        return self.new_is_used and now >= self.due_at


def quiet_of(rotation: Rotation) -> QuietPeriod | None:
    """Return for how long the old key has been unused, or None before the observation has begun."""
    if rotation.quiet_from is None:
        return None
    since = max(filter(None, [rotation.quiet_from, rotation.old_used_at]))
    new_is_used = rotation.new_used_at is not None and rotation.new_state == ACTIVE
    return QuietPeriod(since, since + timedelta(days=rotation.quiet_days), new_is_used)


def deletion_at(rotation: Rotation) -> datetime | None:
    """Return when the old key can be deleted, or None while it isn't inactive."""
    return rotation.inactive_at + timedelta(days=rotation.keep_days) if rotation.inactive_at else None


def used_since(rotation: Rotation) -> bool:
    """Return True if AWS reports a use of the old key since it was deactivated, or since the observation
    began.
    """
    begun = rotation.inactive_at or rotation.quiet_from
    return bool(begun and rotation.old_used_at and rotation.old_used_at > begun)


def used_words(at: datetime | None, service: str, region: str) -> str:
    """Return the last use in words, such as 'on 12 Nov 2026, 09:12 UTC by s3 in eu-west-1', or 'never'."""
    if at is None:
        return "never"
    moment = at.astimezone(UTC)
    by = f" by {service}" if service else ""
    where = f" in {region}" if region else ""
    return f"on {moment_words(moment)}{by}{where}"


def how_long_old_works(rotation: Rotation) -> str:
    """Return until when the old key works, in a sentence for the person who gets the new one."""
    if not rotation.is_automatic:
        return "The old key keeps working until someone requests its deactivation."
    return (
        "The old key keeps working until the new one has been used and the old one hasn’t been used for "
        f"{counted(rotation.quiet_days, 'day')}."
    )


def old_words(rotation: Rotation) -> str:
    """Return where the old key was last used."""
    return used_words(rotation.old_used_at, rotation.old_service, rotation.old_region)


_REMAINS: Final = {ACTIVE: "still works", INACTIVE: "stays inactive, and is not deleted"}


def what_stands(rotation: Rotation, *, discards: bool) -> str:
    """Return which keys remain if the rotation is cancelled now, in sentences."""
    old, new = rotation.old.aws_id, rotation.new_key_id
    says = f"The old key {old} {_REMAINS.get(rotation.old_state, 'no longer exists')}."
    if not new:
        return f"{says} No new key was created."
    if discards:
        return f"{says} The new key {new} is deleted because it is not used."
    return f"{says} The new key {new} is kept."
