"""Template tags for events in the mirror, which are known to lie between two observations."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.web.moments import full_text, moment_text, time_text, to_local
from console.web.templatetags.ui import moment, time_element

register = template.Library()


@register.simple_tag
def since(value: datetime, after: datetime | None, only: str = "date") -> SafeString:
    """Render when something began: 'since 2 May 2023', or 'at least since …' if it existed at the first sync.

    The title says between which observations it began.
    """
    words = "since" if after else "at least since"
    return format_html(
        '<span title="{}">{} {}</span>', _bounds(value, after), words, moment(value, only=only)
    )


@register.simple_tag
def between(value: datetime, after: datetime | None) -> SafeString:
    """Render 'Between 14:00 and 14:15', with dates if they differ, 'At 14:15:07' within one second, or
    'By 14:15' without an earlier observation.
    """
    if after is None:
        return format_html("By {}", moment(value))
    if after.replace(microsecond=0) == value.replace(microsecond=0):
        return format_html("At {}", time_element(value, time_text(value, seconds=True)))
    if to_local(after).date() == to_local(value).date():
        start = time_text(after, seconds=bool(after.second)).removesuffix(" UTC")
        end = time_text(value, seconds=bool(value.second))
        return format_html("Between {} and {}", time_element(after, start), time_element(value, end))
    return format_html("Between {} and {}", moment(after), moment(value))


@register.simple_tag
def clock(value: datetime) -> SafeString:
    """Render '14:06:21' for today and '23 Nov 2026, 14:06' for other days, in the reader's zone; the title is
    in UTC.
    """
    is_today = to_local(value).date() == to_local(datetime.now(tz=UTC)).date()
    shown = time_text(value, seconds=True) if is_today else moment_text(value)
    return time_element(value, shown)


def _bounds(value: datetime, after: datetime | None) -> str:
    if after is None:
        return f"It was there at the first sync, {full_text(value)}"
    return f"Between {full_text(after)} and {full_text(value)}"
