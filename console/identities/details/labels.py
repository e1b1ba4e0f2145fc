"""Labels and badges of detail pages: MFA, credentials, categories and ages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from console.web.known_facts import UNKNOWN
from iam.mirror.models import NEVER, EntityState, Kind, UserCredentials
from iam.mirror.pull.transform.credentials import MAX_SIGN_IN

DAY_S: Final = 24 * 3600
KEY_DAYS = 90
"""Maximum age of a key in days; AWS and CIS recommend replacing older ones."""


@dataclass(frozen=True, slots=True)
class EntityBadge:
    """A badge: text, tone and icon."""

    text: str
    tone: str = ""
    icon: str = ""


MFA = {
    "virtual": EntityBadge("App", "ok", "smartphone"),
    "hardware": EntityBadge("Hardware token", "ok", "usb"),
    "security-key": EntityBadge("Passkey or security key", "ok", "fingerprint"),
    "several": EntityBadge("Several devices", "ok", "shield-check"),
    "unknown": EntityBadge(UNKNOWN),
    "unread": EntityBadge(UNKNOWN),
}

POLICY_TYPES = {"aws": "AWS managed", "customer": "Customer managed"}


def mfa_mark(credentials: UserCredentials | None) -> EntityBadge:
    """Return the badge of a user's MFA; a missing device is bad only for users with a console password."""
    if credentials is None:
        return MFA["unread"]
    if credentials.mfa == "none":
        return EntityBadge("None", "bad", "x") if credentials.has_password else EntityBadge("None")
    return MFA.get(credentials.mfa, EntityBadge(credentials.mfa))


def password_words(credentials: UserCredentials | None) -> str:
    """Return whether there is a console password, in words."""
    if credentials is None or credentials.has_password is None:
        return UNKNOWN
    return "Enabled" if credentials.has_password else "No password"


def no_key(credentials: UserCredentials | None) -> str:
    """Return the text for a user without a known active key."""
    is_known = credentials is not None and credentials.has_password is not None
    return "No active key" if is_known else UNKNOWN


def never_used(credentials: UserCredentials | None) -> str:
    """Return the text for a user or key without a known use; without a credential report it is unknown."""
    is_known = credentials is not None and credentials.has_password is not None
    return "Never" if is_known else UNKNOWN


def moment_from(text: object) -> datetime | None:
    """Parse an ISO 8601 text; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def days_since(moment: datetime | None, *, at: datetime | None) -> int | None:
    """Return the whole days from a moment to the shown one; None without a moment."""
    if moment is None or moment == NEVER:
        return None
    return max(0, ((at or datetime.now(tz=UTC)) - moment).days)


def days_words(days: int | None, *, never: str) -> str:
    """Return '1 day' or '77 days'."""
    if days is None:
        return never
    return "1 day" if days == 1 else f"{days} days"


def session_words(seconds: object) -> str:
    """Return a role's maximum session duration: '1 hour' or '90 minutes'."""
    if not isinstance(seconds, int) or seconds <= 0:
        return ""
    if seconds % 3600 == 0:
        hours = seconds // 3600
        return f"{hours} hour{'' if hours == 1 else 's'}"
    return f"{seconds // 60} minutes"


def sign_in_words(facts: Mapping[str, Any]) -> str:
    """Return how long a sign-in can last, from the facts of a role or console password."""
    if MAX_SIGN_IN not in facts:
        return "Not synced"
    seconds = facts[MAX_SIGN_IN]
    if seconds and seconds % DAY_S == 0 and seconds > DAY_S:
        return f"{seconds // DAY_S} days"
    return session_words(seconds) or "Not set (AWS’s own limit)"


def key_mark(state: EntityState, *, at: datetime | None) -> EntityBadge:
    """Return the badge of an access key's age; an active key older than 90 days is highlighted."""
    days = days_since(state.created_at, at=at)
    tone = "warn" if state.category == "Active" and days is not None and days > KEY_DAYS else ""
    text = "Unknown" if days is None else f"{days} d"
    return EntityBadge(text, tone)


STATUS = {
    "Active": EntityBadge("Active", "ok", "check"),
    "Inactive": EntityBadge("Inactive"),
    "Expired": EntityBadge("Expired", "warn"),
}


def status_mark(state: EntityState) -> EntityBadge:
    """Return the badge of a credential's status."""
    return STATUS.get(state.category, EntityBadge(state.category or UNKNOWN))


DEVICES = {
    "virtual": EntityBadge("Authenticator app", "", "smartphone"),
    "hardware": EntityBadge("Hardware token", "", "usb"),
    "security-key": EntityBadge("Passkey or security key", "", "fingerprint"),
}


def device_mark(state: EntityState, *, label: str = "") -> EntityBadge:
    """Return the badge of an MFA device: its type and its label."""
    mark = DEVICES.get(state.category, EntityBadge("MFA device", "", "smartphone"))
    return replace(mark, text=f"{mark.text}: {label}") if label else mark


KIND_ICONS = {
    Kind.USER: "user-round",
    Kind.GROUP: "users",
    Kind.ROLE: "bot",
    Kind.POLICY: "scroll-text",
    Kind.INSTANCE_PROFILE: "server",
    Kind.SAML_PROVIDER: "fingerprint",
    Kind.OIDC_PROVIDER: "globe",
}
