"""Template tags of the design system: icons, badges, avatars, bars, times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django import template
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from console.web.access_levels import plain_words
from console.web.moments import (
    date_text,
    day_text,
    full_text,
    input_text,
    left_text,
    moment_text,
    time_text,
    with_local_times,
    zone_label,
)
from iam.mirror.models import NEVER
from iam.policy.catalogue import AccessLevel

register = template.Library()

LEVELS = [
    ("list", "List", "L"),
    ("read", "Read", "R"),
    ("write", "Write", "W"),
    ("perm", "Perms", "P"),
    ("tag", "Tag", "T"),
]
WORDS = ["none", "a quarter", "half", "most", "full"]


@register.simple_tag
def icon(name: str, cls: str = "", label: str = "") -> SafeString:
    """Render an icon of the sprite; it is decorative unless it has a label."""
    return (
        _icon(name, cls, format_html('role="img" aria-label="{}"', label))
        if label
        else _decoration(name, cls)
    )


@lru_cache(maxsize=512)
def _decoration(name: str, cls: str) -> SafeString:
    """Render a decorative icon; cached because a page has some sixty of only a few kinds."""
    return _icon(name, cls, mark_safe('aria-hidden="true"'))


def _icon(name: str, cls: str, a11y: SafeString) -> SafeString:
    return format_html(
        '<svg class="icon {}" {}><use href="{}#{}"/></svg>', cls, a11y, static("icons.svg"), name
    )


@register.simple_tag
def badge(text: object, tone: str = "", ic: str = "", cls: str = "") -> SafeString:
    """Render a badge; the tone is ok, warn, bad, note or info."""
    words = text if isinstance(text, str) else str(text)
    return _badge(words, tone, ic, cls)


@lru_cache(maxsize=2048, typed=True)
def _badge(text: str, tone: str, ic: str, cls: str) -> SafeString:
    """Render a badge, cached by type too, because a safe text and an equal unsafe text differ."""
    data = format_html(' data-tone="{}"', tone) if tone else ""
    sign = icon(ic) if ic else ""
    return format_html('<span class="badge {}"{}>{}{}</span>', cls, data, sign, text)


@register.simple_tag
def avatar(name: str, cls: str = "") -> SafeString:
    """Render initials on one of six tints, chosen by the name."""
    parts = [p for p in name.replace("-", " ").replace(".", " ").replace("_", " ").split() if p]
    initials = "".join(p[0] for p in parts[:2]).upper()
    return _avatar(initials, sum(map(ord, name)) % 6, cls)


@lru_cache(maxsize=4096)
def _avatar(initials: str, tint: int, cls: str) -> SafeString:
    return format_html(
        '<span class="avatar {}" data-h="{}" aria-hidden="true">{}</span>', cls, tint, initials
    )


UNBROKEN = re.compile(r"\b[A-Z]{3}-[0-9A-F]{8}\b|(?<![\w:-])(?:\d{4}-\d{4}-\d{4}|\d{12})(?![\w:-])")
"""Reference numbers (CHG-9DA136C6) and account IDs."""


@register.filter(is_safe=True)
def unbroken(text: object) -> SafeString:
    """A text in which no line breaks within a reference number or an account ID."""
    escaped = str(conditional_escape(str(text)))
    return SafeString(UNBROKEN.sub(r'<span class="ref">\g<0></span>', escaped))


@register.simple_tag(takes_context=True)
def lvl(context: template.Context, fills: str, counts: str = "") -> SafeString:
    """Render the access-level bar: '4 4 1 0 0' are quarters of list, read, write, permissions and tagging.

    Counts give the wide form. Viewers who see no accounts get plain words.
    """
    if _reads_plain_words(context):
        return _plain_levels(str(fills))
    return level_bar(str(fills), str(counts))


def _reads_plain_words(context: template.Context) -> bool:
    viewer = context.get("viewer")
    return viewer is not None and not viewer.sees_accounts


@lru_cache(maxsize=1024)
def _plain_levels(fills: str) -> SafeString:
    levels = [level for level, fill in zip(AccessLevel, fills.split(), strict=True) if fill != "0"]
    if levels == [AccessLevel.PERMISSIONS]:
        # AWS counts signing in to a database (rds-db:connect) as managing permissions.
        return SafeString("")
    return format_html('<span class="small ink-2">{}</span>', plain_words(levels))


@lru_cache(maxsize=4096)
def level_bar(fills: str, counts: str) -> SafeString:
    """Render the bar; cached because a person's access has bars for hundreds of services, made of a few
    numbers.
    """
    quarters = [int(x) for x in fills.split()]
    numbers = counts.split()
    items = []
    for i, (key, name, letter) in enumerate(LEVELS):
        if numbers:
            text = format_html("<b>{}</b> {}", name, numbers[i])
        else:
            text = format_html(
                '<abbr title="{}: {}" aria-hidden="true">{}</abbr><span class="sr">{}: {}</span>',
                name,
                WORDS[quarters[i]],
                letter,
                name,
                WORDS[quarters[i]],
            )
        items.append((key, quarters[i], text))
    rows = format_html_join("", '<li data-l="{}" data-f="{}"><span>{}</span></li>', items)
    kind = "" if numbers else "mini"
    return format_html('<ul class="lvl {}">{}</ul>', kind, rows)


@register.simple_tag(takes_context=True)
def lvl_inline(context: template.Context, fills: str) -> SafeString:
    """Render the small bar within a label; it is decorative, because the label already names the control.

    Viewers who see no accounts get plain words.
    """
    if _reads_plain_words(context):
        return _plain_levels(fills)
    letters = zip(LEVELS, fills.split(), strict=True)
    cells = format_html_join(
        "",
        '<i data-l="{}" data-f="{}"><span>{}</span></i>',
        ((key, fill, mark) for (key, _, mark), fill in letters),
    )
    return format_html('<span class="lvl mini" aria-hidden="true">{}</span>', cells)


@register.simple_tag
def stackbar(*parts: Any) -> SafeString:
    """Render the shares of one bar: 'ok', 92, 'bad', 8.

    The widths are SVG attributes, which a strict CSP allows.
    """
    at, rects = 0.0, []
    for tone, width in zip(parts[::2], parts[1::2], strict=True):
        rects.append((tone, round(at, 2), round(float(width), 2)))
        at += float(width)
    drawn = format_html_join("", '<rect class="s-{}" x="{}" width="{}" height="10"/>', rects)
    return format_html(
        '<svg class="stackbar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="s-off" width="100" height="10"/>{}</svg>',
        drawn,
    )


def _short(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


@register.simple_tag
def age(moment: datetime | None, never: str = "Never") -> str:
    """Return how long ago a moment was, in short: '41 d'; `never` for None."""
    if moment is None or moment == NEVER:
        return never
    return _short((datetime.now(tz=UTC) - moment).total_seconds())


@register.simple_tag
def ago(moment: datetime | None, never: str = "Never", *, within: bool = False) -> SafeString:
    """Render '4 min ago' as a <time> with the full moment in its title.

    `within` a sentence, 'just now' starts in lower case.
    """
    if moment is None or moment == NEVER:
        return conditional_escape(never)
    short = _short((datetime.now(tz=UTC) - moment).total_seconds())
    now = "just now" if within else "Just now"
    text = now if short == "now" else f"{short} ago"
    return time_element(moment, text)


@register.simple_tag
def left(end: datetime | None, never: str = "No end date") -> SafeString:
    """Render '7 days left', or 'ended', as a <time> with the full moment in its title."""
    if end is None or end == NEVER:
        return conditional_escape(never)
    return time_element(end, left_text(end))


@register.simple_tag
def moment(value: datetime | date | None, never: str = "Never", only: str = "") -> SafeString:
    """Render '2 May 2023, 14:05' as a <time> in the reader's zone, or in UTC, labeled, if that is unknown.

    `only="date"` omits the time. A date without a time is the same in all zones.
    """
    if value is None or value == NEVER:
        return conditional_escape(never)
    if not isinstance(value, datetime):
        return mark_safe(f'<time datetime="{value.isoformat()}">{day_text(value)}</time>')  # noqa: S308
    shown = date_text(value) if only == "date" else moment_text(value)
    return time_element(value, shown)


def time_element(value: datetime, text: str) -> SafeString:
    """Build a <time> without escaping, which is fast and safe: a list has up to a hundred, and neither the
    moment nor its text contains special characters.
    """
    iso = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return mark_safe(f'<time datetime="{iso}" title="{full_text(value)}">{text}</time>')  # noqa: S308


@register.filter
def local_times(text: object) -> SafeString:
    """Render a sentence of `iam` with its times in the reader’s zone; each has UTC in its title."""
    if text is None:
        return SafeString("")
    return SafeString(with_local_times(conditional_escape(str(text)), time_element))


@register.simple_tag
def time_of_day(value: datetime) -> SafeString:
    """Render '14:05' as a <time>: below a heading with the day, or for something that lasts minutes."""
    return time_element(value, time_text(value))


@register.simple_tag
def synced(value: datetime | None) -> SafeString:
    """Render 'synced 5 min ago', or 'not synced yet'."""
    if value is None:
        return conditional_escape("not synced yet")
    return format_html("synced {}", ago(value, within=True))


register.simple_tag(zone_label, name="zone")
register.filter("local_input", input_text)
register.filter("moment_text", moment_text)


@register.simple_tag(takes_context=True)
def here(context: dict[str, Any], **changes: object) -> str:
    """Return the page's address with other query values: `{% here sort="-name" after=None %}`; None or ''
    removes a key.

    An underscore in a name stands for a hyphen (`as_of` is `as-of`). The page's position in a list is removed
    unless it is given.
    """
    new = {name.replace("_", "-"): value for name, value in changes.items()}
    gone = {"after", "before", *new}
    pairs: list[tuple[str, str]] = []
    for key, values in context["request"].GET.lists():
        if key not in gone:
            pairs.extend((key, value) for value in values)
    for key, value in new.items():
        several = value if isinstance(value, list | tuple) else [value]
        pairs += [(key, str(url_name)) for url_name in several if url_name not in (None, "")]
    text = urlencode(pairs)
    return f"?{text}" if text else "?"


@register.simple_tag(takes_context=True)
def keep(context: dict[str, Any], address: str, **extra: object) -> str:
    """Add the account and the as-of moment of this page to an address."""
    query = context["request"].GET
    pairs = [(key, query[key]) for key in ("account", "as-of") if query.get(key)]
    for key, value in extra.items():
        if value not in (None, ""):
            pairs.append((key.replace("_", "-"), str(value)))
    return f"{address}?{urlencode(pairs)}" if pairs else address


@register.filter
def message_tone(level: str) -> str:
    """Return the tone of a message level of Django."""
    return {"error": "bad", "warning": "warn", "success": "ok"}.get(level, "info")


@register.filter
def get(mapping: dict[str, Any], key: str) -> Any:
    """Return a value of a mapping by a variable key."""
    return mapping.get(key)


@register.filter
def breakable(address: str) -> SafeString:
    """Render an email address that breaks after its @ first."""
    return format_html_join(mark_safe("@<wbr>"), "{}", ((part,) for part in address.split("@")))


@register.filter
def words(text: str) -> list[str]:
    """Split a text into words, to loop over them."""
    return text.split()
