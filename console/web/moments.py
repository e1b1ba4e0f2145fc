"""Moments as people read them: in one format and in the reader's time zone; UTC, and named, where that is not
known.

Only what people read follows the reader: addresses, exports, policies, mails and the journal stay in UTC, and
so does Django's current time zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
INPUT_FORMAT: Final = "%Y-%m-%dT%H:%M"
"""What an input of type datetime-local holds."""
_zone: ContextVar[ZoneInfo | None] = ContextVar("reader_zone", default=None)


@lru_cache
def zone_names() -> frozenset[str]:
    """The names that this machine's time zone database has."""
    return frozenset(available_timezones())


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of this name, such as Europe/Riga; None where the name is unknown. Names come from
    browsers: never a path.
    """
    return ZoneInfo(name) if name in zone_names() else None


@contextmanager
def read_in(zone: ZoneInfo | None) -> Iterator[None]:
    """Within it, moments are shown in this zone; None is UTC."""
    token = _zone.set(zone)
    try:
        yield
    finally:
        _zone.reset(token)


def reader_zone() -> tzinfo:
    """The time zone of anyone who reads this page."""
    return _zone.get() or UTC


def zone_label() -> str:
    """The reader's zone as a label names it: 'Europe/Riga', or 'UTC'."""
    zone = _zone.get()
    return zone.key if zone else "UTC"


def suffix(local: datetime) -> str:
    """' UTC' behind a time that is not in a zone of the reader's own, else nothing."""
    return "" if _zone.get() and local.tzname() != "UTC" else " UTC"


def to_local(moment: datetime) -> datetime:
    """The moment in the reader's zone."""
    return moment.astimezone(reader_zone())


def day_text(day: date) -> str:
    """'5 Dec 2026'."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def date_text(moment: datetime) -> str:
    """'5 Dec 2026', the day that the reader has then."""
    return day_text(to_local(moment))


def moment_text(moment: datetime, *, seconds: bool = False) -> str:
    """'5 Dec 2026, 13:26', with ' UTC' where the reader's zone is not known."""
    local = to_local(moment)
    return f"{day_text(local)}, {_clock(local, seconds=seconds)}{suffix(local)}"


def time_text(moment: datetime, *, seconds: bool = False) -> str:
    """'13:26' or '13:26:07', with ' UTC' where the reader's zone is not known."""
    local = to_local(moment)
    return f"{_clock(local, seconds=seconds)}{suffix(local)}"


def _clock(local: datetime, *, seconds: bool) -> str:
    clock = f"{local.hour:02}:{local.minute:02}"
    return f"{clock}:{local.second:02}" if seconds else clock


def full_text(moment: datetime) -> str:
    """'5 Dec 2026, 11:26:07 UTC': what a pointer over a moment shows."""
    utc = moment.astimezone(UTC)
    return f"{day_text(utc)}, {_clock(utc, seconds=True)} UTC"


def duration_text(length: timedelta) -> str:
    """A length in its largest sensible unit, rounded: '7 days', '3 hours', '5 min', 'less than a minute'."""
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
    """'7 days left', or 'ended'."""
    left = end - (now or datetime.now(tz=UTC))
    return "ended" if left <= timedelta() else f"{duration_text(left)} left"


def day_start(day: date, *, later: int = 0) -> datetime:
    """The first moment of a day where the reader is, or of that so many days later, in UTC."""
    try:
        local = datetime.combine(day + timedelta(days=later), time(), tzinfo=reader_zone())
        return local.astimezone(UTC)
    except OverflowError:
        edge = datetime.min if day.year == MINYEAR else datetime.max
        return edge.replace(tzinfo=UTC)


def day_end(day: date) -> datetime:
    """The last second of a day where the reader is, in UTC."""
    following = day_start(day, later=1)
    return following if following.year == MAXYEAR else following - timedelta(seconds=1)


def read_day(text: str) -> date | None:
    """The day that an input of type date was given; None if malformed."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def read_day_start(text: str, *, later: int = 0) -> datetime | None:
    """The first moment of the day that an input was given, or so many days later; None if malformed."""
    day = read_day(text)
    return None if day is None else day_start(day, later=later)


def read_day_end(text: str) -> datetime | None:
    """The last second of the day that an input was given; None if malformed."""
    day = read_day(text)
    return None if day is None else day_end(day)


def input_text(moment: datetime | None) -> str:
    """The moment for an input of type datetime-local, in the reader's zone; label the field with
    `zone_label`.
    """
    if not moment:
        return ""
    local = to_local(moment)
    shape = INPUT_FORMAT if not local.second else f"{INPUT_FORMAT}:%S"
    return local.strftime(shape)


def read_input(text: str) -> datetime | None:
    """The moment that an input of type datetime-local was given, in UTC: without an offset it is in the
    reader's zone. None if malformed.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=reader_zone())
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
