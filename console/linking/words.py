"""What the pages say of users and of people: how they sign in, what stands out, in one line for all
accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.utils.safestring import SafeString

from console.identities.details.words import Mark, days_since, days_words, mfa_mark, no_key, password_words
from console.web.known import UNKNOWN, Figure
from iam.linking.queries import Line
from iam.mirror.mfa import has_mfa
from iam.mirror.models import NEVER

OLD, IDLE = 90, 90


class Facts(NamedTuple):
    """A user as a row of a table."""

    line: Line
    mfa: Mark
    console: str
    key: str
    key_is_old: bool
    used_at: datetime | None
    bar: SafeString | str = ""


def facts_of(line: Line, *, bar: SafeString | str = "") -> Facts:
    """The words for one user; `bar` is how far they reach."""
    held = line.credentials
    days = days_since(held.oldest_key_at, at=None) if held else None
    return Facts(
        line,
        mfa_mark(held),
        password_words(held),
        days_words(days, never=no_key(held)),
        days is not None and days > OLD,
        line.used_at,
        bar,
    )


def summary_of(lines: Sequence[Line]) -> dict[str, Any]:
    """All users of a person in one: MFA, keys, last use, and what stands out, the worst first."""
    held = [one for one in lines if one.credentials]
    console = [one for one in held if one.credentials and one.credentials.has_password]
    bare = [one for one in console if one.credentials and one.credentials.mfa == "none"]
    used = [one.used_at for one in lines if one.used_at and one.used_at != NEVER]
    keys = sum(one.credentials.active_keys for one in held if one.credentials)
    is_synced = all(one.credentials and one.credentials.has_password is not None for one in lines)
    return {
        "users": len(lines),
        "accounts": len({one.user.account_id for one in lines}),
        "bare": len(bare),
        "mfa": _mfa_of(lines, console, bare),
        "keys": Figure(keys, is_whole=is_synced),
        "used_at": max(used) if used else NEVER,
        "never_used": "Never" if is_synced else UNKNOWN,
        "risks": [*_bare(bare), *_old(held), *_idle(held)],
    }


def _mfa_of(lines: Sequence[Line], console: Sequence[Line], bare: Sequence[Line]) -> Mark:
    """One mark for all users: good only where MFA is known to be on for each that has a password."""
    if bare:
        return Mark(f"Missing for {len(bare)} of {len(console)} with a password", "bad", "x")
    unknown = [line for line in lines if _is_unknown(line)]
    if unknown:
        return Mark(f"{UNKNOWN} for {len(unknown)} of {len(lines)}")
    return Mark("On", "ok", "check") if console else Mark("Not applicable")


def _is_unknown(line: Line) -> bool:
    """True if it is unknown whether this user needs MFA and has it."""
    held = line.credentials
    if held is None or held.has_password is None:
        return True
    return held.has_password and has_mfa(held.mfa) is None


def _bare(lines: Sequence[Line]) -> list[tuple[str, str]]:
    return [("bad", f"Password without MFA in {_where(lines)}.")] if lines else []


def _old(lines: Sequence[Line]) -> list[tuple[str, str]]:
    before = datetime.now(tz=UTC) - timedelta(days=OLD)
    old = [
        one
        for one in lines
        if one.credentials and NEVER < one.credentials.oldest_key_at < before and one.credentials.active_keys
    ]
    return [("warn", f"Access key over {OLD} days old in {_where(old)}.")] if old else []


def _idle(lines: Sequence[Line]) -> list[tuple[str, str]]:
    before = datetime.now(tz=UTC) - timedelta(days=IDLE)
    idle = [
        one
        for one in lines
        if one.credentials
        and (one.credentials.has_password or one.credentials.active_keys)
        and (one.used_at or NEVER) < before
        and one.user.first_seen < before
    ]
    return [("warn", f"No sign-in for {IDLE} days in {_where(idle)}.")] if idle else []


def _where(lines: Sequence[Line], *, most: int = 3) -> str:
    names = list(dict.fromkeys(one.user.account.name for one in lines))
    more = len(names) - most
    if more > 0:
        return f"{', '.join(names[:most])} and {more} more account{'s' if more > 1 else ''}"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
