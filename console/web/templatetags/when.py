"""Template tags for time in the mirror: between which two observations something began or ended."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.web.templatetags.ui import moment

register = template.Library()


@register.simple_tag
def since(value: datetime, after: datetime | None, only: str = "date") -> SafeString:
    """When something began, for a line of text: 'since 2 May 2023', or 'at least since …' where it was there at the first reading.

    The title of the time says between which observations the beginning lies.
    """
    words = "since" if after else "at least since"
    return format_html(
        '<span title="{}">{} {}</span>', _bounds(value, after), words, moment(value, only=only)
    )


@register.simple_tag
def between(value: datetime, after: datetime | None) -> SafeString:
    """'Between 14:00 and 14:15', or with dates; without an earlier observation, 'By 14:15'."""
    if after is None:
        return format_html("By {}", moment(value))
    if after.astimezone(UTC).date() == value.astimezone(UTC).date():
        return format_html("Between {} and {}", _clock(after), _clock(value))
    return format_html("Between {} and {}", moment(after), moment(value))


@register.simple_tag
def clock(value: datetime) -> SafeString:
    """'14:06:21' for today, '23 Nov, 14:06' for other days; UTC, the whole moment in the title."""
    utc = value.astimezone(UTC)
    is_today = utc.date() == datetime.now(tz=UTC).date()
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.isoformat(timespec="seconds"),
        utc.strftime("%-d %b %Y, %H:%M:%S UTC"),
        utc.strftime("%H:%M:%S" if is_today else "%-d %b, %H:%M"),
    )


def _clock(value: datetime) -> SafeString:
    utc = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.isoformat(timespec="seconds"),
        utc.strftime("%-d %b %Y, %H:%M:%S UTC"),
        utc.strftime("%H:%M:%S" if utc.second else "%H:%M"),
    )


def _bounds(value: datetime, after: datetime | None) -> str:
    last = value.astimezone(UTC).strftime("%-d %b %Y, %H:%M:%S UTC")
    if after is None:
        return f"It was there at the first reading, {last}"
    return f"Between {after.astimezone(UTC).strftime('%-d %b %Y, %H:%M:%S UTC')} and {last}"
