"""Texts about users and people: how they sign in, risks, and a summary over all accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.utils.safestring import SafeString

from console.identities.details.labels import (
    EntityBadge,
    days_since,
    days_words,
    mfa_mark,
    no_key,
    password_words,
)
from console.web.access import ViewerRequest
from console.web.known_facts import UNKNOWN, PartialCount
from console.web.unsynced import unsynced_note
from iam.linking.queries import LinkedUserLine, accounts_not_matched
from iam.mirror.mfa import has_mfa
from iam.mirror.models import NEVER
from iam.mirror.pull.sections import USERS
from iam.phrases import joined

OLD, IDLE = 90, 90


class UserRow(NamedTuple):
    """A user as a table row."""

    line: LinkedUserLine
    mfa: EntityBadge
    console: str
    key: str
    key_is_old: bool
    used_at: datetime | None
    bar: SafeString | str = ""


def facts_of(line: LinkedUserLine, *, bar: SafeString | str = "") -> UserRow:
    """Return the row of a user; `bar` is their access-level bar."""
    credentials = line.credentials
    days = days_since(credentials.oldest_key_at, at=None) if credentials else None
    return UserRow(
        line,
        mfa_mark(credentials),
        password_words(credentials),
        days_words(days, never=no_key(credentials)),
        days is not None and days > OLD,
        line.used_at,
        bar,
    )


def unmatched_note(request: ViewerRequest) -> str:
    """Return why users without a person may only be unknown; "" if all were synced and matched."""
    waiting = accounts_not_matched(request.viewer)
    where = "1 account" if waiting == 1 else f"{waiting:,} accounts"
    not_matched = f"Not matched yet in {where}: users." if waiting else ""
    return f"{unsynced_note(request, USERS)} {not_matched}".strip()


def summary_of(lines: Sequence[LinkedUserLine], *, unsynced: int = 0) -> dict[str, Any]:
    """Summarize a person's users: MFA, keys, last use, and risks, the worst first.

    `unsynced` is the number of further users about whom nothing is known.
    """
    with_credentials = [line for line in lines if line.credentials]
    console = [line for line in with_credentials if line.credentials and line.credentials.has_password]
    bare = [line for line in console if line.credentials and line.credentials.mfa == "none"]
    used = [line.used_at for line in lines if line.used_at and line.used_at != NEVER]
    keys = sum(line.credentials.active_keys for line in with_credentials if line.credentials)
    is_synced = not unsynced and all(
        line.credentials and line.credentials.has_password is not None for line in lines
    )
    return {
        "users": len(lines),
        "accounts": len({line.user.account_id for line in lines}),
        "bare": len(bare),
        "mfa": _mfa_of(lines, console, bare, unsynced=unsynced),
        "keys": PartialCount(keys, is_whole=is_synced),
        "used_at": max(used) if used else NEVER,
        "never_used": "Never" if is_synced else UNKNOWN,
        "risks": [*_bare(bare), *_old(with_credentials), *_idle(with_credentials)],
    }


def _mfa_of(
    lines: Sequence[LinkedUserLine],
    console: Sequence[LinkedUserLine],
    bare: Sequence[LinkedUserLine],
    *,
    unsynced: int,
) -> EntityBadge:
    """Return one badge for all users; it is good only if every user with a password is known to have MFA."""
    if bare:
        return EntityBadge(f"Missing for {len(bare)} of {len(console)} with a password", "bad", "x")
    unknown = len([line for line in lines if _is_unknown(line)]) + unsynced
    if unknown:
        return EntityBadge(f"{UNKNOWN} for {unknown} of {len(lines) + unsynced}")
    return EntityBadge("On", "ok", "check") if console else EntityBadge("Not applicable")


def _is_unknown(line: LinkedUserLine) -> bool:
    """Return whether it is unknown if this user needs MFA and has it."""
    credentials = line.credentials
    if credentials is None or credentials.has_password is None:
        return True
    return credentials.has_password and has_mfa(credentials.mfa) is None


def _bare(lines: Sequence[LinkedUserLine]) -> list[tuple[str, str]]:
    return [("bad", f"Password without MFA in {_where(lines)}.")] if lines else []


def _old(lines: Sequence[LinkedUserLine]) -> list[tuple[str, str]]:
    before = datetime.now(tz=UTC) - timedelta(days=OLD)
    old = [
        line
        for line in lines
        if line.credentials
        and NEVER < line.credentials.oldest_key_at < before
        and line.credentials.active_keys
    ]
    return [("warn", f"Access key over {OLD} days old in {_where(old)}.")] if old else []


def _idle(lines: Sequence[LinkedUserLine]) -> list[tuple[str, str]]:
    before = datetime.now(tz=UTC) - timedelta(days=IDLE)
    idle = [
        line
        for line in lines
        if line.credentials
        and (line.credentials.has_password or line.credentials.active_keys)
        and (line.used_at or NEVER) < before
        and line.user.first_seen < before
    ]
    return [("warn", f"No sign-in for {IDLE} days in {_where(idle)}.")] if idle else []


def _where(lines: Sequence[LinkedUserLine], *, most: int = 3) -> str:
    names = list(dict.fromkeys(line.user.account.name for line in lines))
    more = len(names) - most
    if more <= 0:
        return joined(names)
    noun = "accounts" if more > 1 else "account"
    return f"{', '.join(names[:most])} and {more} more {noun}"
