"""Formats times for people, in one format and in the reader's time zone, or in UTC, labeled, if that is
unknown.

Addresses, exports, policies, mails and the journal stay in UTC, and so does Django's current time zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
INPUT_FORMAT: Final = "%Y-%m-%dT%H:%M"
"""Value format of an input of type datetime-local."""
WRITTEN: Final = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(MONTHS)}) (\d{{4}}), (\d\d):(\d\d)(?::(\d\d))? UTC\b")
"""A time as `iam.moments` writes it into a sentence."""
_zone: ContextVar[ZoneInfo | None] = ContextVar("reader_zone", default=None)


@lru_cache
def zone_names() -> frozenset[str]:
    """Return the names in this machine's time zone database."""
    return frozenset(available_timezones())


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """Return the time zone with this name, such as Europe/Riga, or None if the name is unknown.

    Names come from browsers and are never used as a path.
    """
    return ZoneInfo(name) if name in zone_names() else None


@contextmanager
def read_in(zone: ZoneInfo | None) -> Iterator[None]:
    """Context manager that shows times in this zone; None means UTC."""
    token = _zone.set(zone)
    try:
        yield
    finally:
        _zone.reset(token)


def reader_zone() -> tzinfo:
    """Return the time zone of the current reader."""
    return _zone.get() or UTC


def zone_label() -> str:
    """Return the name of the reader's zone for a label: 'Europe/Riga', or 'UTC'."""
    zone = _zone.get()
    return zone.key if zone else "UTC"


def suffix(local: datetime) -> str:
    """Return ' UTC' for a time whose reader has no zone of their own, else ''."""
    return "" if _zone.get() and local.tzname() != "UTC" else " UTC"


def to_local(moment: datetime) -> datetime:
    """Convert the moment to the reader's zone."""
    return moment.astimezone(reader_zone())


def day_text(day: date) -> str:
    """Format a date: '5 Dec 2026'."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def date_text(moment: datetime) -> str:
    """Format a moment as a date in the reader's zone: '5 Dec 2026'."""
    return day_text(to_local(moment))


def moment_text(moment: datetime, *, seconds: bool = False) -> str:
    """Format a moment: '5 Dec 2026, 13:26', with ' UTC' if the reader's zone is unknown."""
    local = to_local(moment)
    return f"{day_text(local)}, {_clock(local, seconds=seconds)}{suffix(local)}"


def time_text(moment: datetime, *, seconds: bool = False) -> str:
    """Format a time of day: '13:26' or '13:26:07', with ' UTC' if the reader's zone is unknown."""
    local = to_local(moment)
    return f"{_clock(local, seconds=seconds)}{suffix(local)}"


def _clock(local: datetime, *, seconds: bool) -> str:
    clock = f"{local.hour:02}:{local.minute:02}"
    return f"{clock}:{local.second:02}" if seconds else clock


def with_local_times(text: str, show: Callable[[datetime, str], str]) -> str:
    """Replace the times that a sentence of `iam` has in UTC.

    `show` gets the moment and its text in the reader’s zone. The text is unchanged if the zone is unknown.
    """
    if _zone.get() is None:
        return text
    return WRITTEN.sub(lambda written: _local(written, show), text)


def _local(written: re.Match[str], show: Callable[[datetime, str], str]) -> str:
    day, month, year, hour, minute, second = written.groups()
    number = MONTHS.index(month) + 1
    try:
        at = datetime(int(year), number, int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
        return show(at, moment_text(at, seconds=second is not None))
    except (ValueError, OverflowError):
        return written[0]


def full_text(moment: datetime) -> str:
    """Format a moment for a tooltip: '5 Dec 2026, 11:26:07 UTC'."""
    utc = moment.astimezone(UTC)
    return f"{day_text(utc)}, {_clock(utc, seconds=True)} UTC"


def duration_text(length: timedelta) -> str:
    """Format a duration in its largest sensible unit, rounded: '7 days', '3 hours', '5 min', 'less than a
    minute'.
    """
    seconds = length.total_seconds()
    if seconds < 60:
        return "less than a minute"
    if seconds < 3_570:
        return f"{round(seconds / 60)} min"
    if seconds < 47.5 * 3_600:
        hours = round(seconds / 3_600)
        return f"{hours} hour{'' if hours == 1 else 's'}"
    return f"{round(seconds / 86_400)} days"


def left_text(end: datetime, *, now: datetime | None = None) -> str:
    """Return '7 days left', or 'ended'."""
    left = end - (now or datetime.now(tz=UTC))
    return "ended" if left <= timedelta() else f"{duration_text(left)} left"


def day_start(day: date, *, later: int = 0) -> datetime:
    """Return the first moment of the day, or of `later` days after it, in the reader's zone, converted to
    UTC.
    """
    try:
        local = datetime.combine(day + timedelta(days=later), time(), tzinfo=reader_zone())
        return local.astimezone(UTC)
    except OverflowError:
        edge = datetime.min if day.year == MINYEAR else datetime.max
        return edge.replace(tzinfo=UTC)


def day_end(day: date) -> datetime:
    """Return the last second of the day in the reader's zone, converted to UTC."""
    following = day_start(day, later=1)
    return following if following.year == MAXYEAR else following - timedelta(seconds=1)


def read_day(text: str) -> date | None:
    """Parse the value of an input of type date; None if malformed."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def read_day_start(text: str, *, later: int = 0) -> datetime | None:
    """Parse a date and return its start, or that of `later` days after it, in UTC; None if malformed."""
    day = read_day(text)
    return None if day is None else day_start(day, later=later)


def read_day_end(text: str) -> datetime | None:
    """Parse a date and return its last second, in UTC; None if malformed."""
    day = read_day(text)
    return None if day is None else day_end(day)


def input_text(moment: datetime | None) -> str:
    """Format a moment for an input of type datetime-local, in the reader's zone.

    Label the field with `zone_label`.
    """
    if not moment:
        return ""
    local = to_local(moment)
    shape = INPUT_FORMAT if not local.second else f"{INPUT_FORMAT}:%S"
    return local.strftime(shape)


def read_input(text: str) -> datetime | None:
    """Parse the value of an input of type datetime-local and return it in UTC; None if malformed.

    Without an offset it is in the reader's zone.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=reader_zone())
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
