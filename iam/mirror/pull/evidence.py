"""What is true of a user's password, MFA and keys, when the report, the device lists and the key list differ
in age.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from iam.mirror.models import NEVER

NONE, UNKNOWN, UNREAD, SEVERAL = "none", "unknown", "unread", "several"
_LONG_AGO = NEVER


@dataclass(slots=True)
class CredentialEvidence:
    """What was seen of one user's credentials, and when.

    `report` are the report's facts, made by AWS at `reported_at`; without a line for the user, no
    `user_creation_time` is among them. `login_profile` stands there too once it was read: a dictionary, or
    False when there is no console password. `devices` are the sorts of the devices that the mirror holds;
    virtual ones were last listed at `listed_at`, all others at `visited_at`, when the user was read on its
    own. `has_lost_device`: a device that was there when the report was made has gone since. `keys` are
    (created, status) of the keys that the mirror holds. Straight after a change keys and devices are read
    without all else of the user: at `keys_read_at` and `mfa_read_at`.
    """

    report: dict[str, Any] = field(default_factory=dict)
    reported_at: datetime | None = None
    devices: Sequence[str] = ()
    listed_at: datetime | None = None
    visited_at: datetime | None = None
    keys_read_at: datetime | None = None
    mfa_read_at: datetime | None = None
    has_lost_device: bool = False
    keys: Sequence[tuple[datetime | None, str]] = ()

    @property
    def is_reported(self) -> bool:
        """Whether a report has a line for the user."""
        return "user_creation_time" in self.report


def credentials_of(seen: CredentialEvidence) -> tuple[Any, ...]:
    """The values of a UserCredentials row: has_password, password_changed_at, mfa, active_keys, keys,
    oldest_key_at, report.
    """
    report = seen.report
    active, keys, oldest = _keys(seen)
    profile = report.get("login_profile")
    return (
        report.get("password_enabled") if profile is None else bool(profile),
        _latest(*(_moment(report.get(name)) for name in ("password_last_changed", "password_set_at"))),
        mfa_of(seen),
        active,
        keys,
        oldest,
        report,
    )


def mfa_of(seen: CredentialEvidence) -> str:
    """The devices decide; the report only where it is newer, or speaks of a device whose sort nobody has read
    yet.
    """
    reported_at = seen.reported_at if seen.is_reported else None
    says_active = bool(seen.report.get("mfa_active"))
    devices = [
        sort
        for sort in seen.devices
        if says_active or reported_at is None or reported_at <= (_read_at(seen, sort) or _LONG_AGO)
    ]
    if devices:
        return devices[0] if len(devices) == 1 else SEVERAL
    read_at = [_read_at(seen, sort) for sort in ("virtual", "hardware")]
    if reported_at is None:
        return NONE if all(read_at) else UNREAD
    if not says_active or seen.has_lost_device:
        return NONE
    read_since = all(at is not None and at > reported_at for at in read_at)
    return NONE if read_since else UNKNOWN


def _read_at(seen: CredentialEvidence, sort: str) -> datetime | None:
    own_list_at = seen.listed_at if sort == "virtual" else seen.visited_at
    return _latest(own_list_at, seen.mfa_read_at)


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _keys(seen: CredentialEvidence) -> tuple[int, int, datetime]:
    """Active keys, keys, and since when the oldest active one exists; NEVER without an active key."""
    read_at = _latest(seen.visited_at, seen.keys_read_at)
    reported_at = seen.reported_at if seen.is_reported else None
    is_read_later = read_at is not None and (reported_at is None or read_at > reported_at)
    keys = list(seen.keys) if is_read_later else reported_keys(seen.report)
    active = [created or _LONG_AGO for created, status in keys if status == "Active"]
    return len(active), len(keys), min(active, default=NEVER)


def reported_keys(report: dict[str, Any]) -> list[tuple[datetime | None, str]]:
    """(made or rotated, status) of the keys that the report knows; it gives no ids."""
    keys = []
    for slot in (1, 2):
        is_active, rotated = (
            report.get(f"access_key_{slot}_active"),
            report.get(f"access_key_{slot}_last_rotated"),
        )
        if is_active or rotated:
            keys.append((_moment(rotated), "Active" if is_active else "Inactive"))
    return keys


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
