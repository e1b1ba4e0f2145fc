"""Template tags of list pages: column headers, and the first cells of a row in one call, since a page has
fifty rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from console.web.templatetags.ui import icon

register = template.Library()


@register.simple_tag(takes_context=True)
def th(context: dict[str, Any], label: str, sort: str = "", cls: str = "") -> SafeString:
    """Render a column header; a sortable one is a link that sorts the list or reverses its order."""
    css = format_html(' class="{}"', cls) if cls else ""
    head = context["heads"].get(sort)
    if head is None:
        return format_html('<th scope="col"{}>{}</th>', css, label)
    arrow_name = "arrow-down" if head.direction == "descending" else "arrow-up"
    arrow = icon(arrow_name) if head.direction else ""
    state = format_html(' aria-sort="{}"', head.direction) if head.direction else ""
    return format_html('<th scope="col"{}{}><a href="{}">{} {}</a></th>', css, state, head.url, label, arrow)


@register.filter
def with_any(rows: Iterable[Any], name: str) -> bool:
    """Return whether any row has a value in this field, so that an empty column of actions isn’t drawn."""
    for row in rows:
        value = row.get(name) if isinstance(row, dict) else getattr(row, name)
        if value:
            return True
    return False


CHECK = (
    '<td class="check"><label class="hit"><input type="checkbox" form="chosen" name="id" value="{pk}"'
    ' aria-label="Select {name}"></label></td>'
)
NAME = (
    '<td><div class="who">{face}<div><a href="/{section}/{pk}/{link}">{name}</a>{sub}{below}</div></div></td>'
)
SHORT = '<small class="p2-only">{}</small>'


@register.simple_tag(takes_context=True)
def who(context: dict[str, Any], row: dict[str, Any], short: str = "", face: str = "") -> SafeString:
    """Render the first cells of a row: the checkbox, and the name as a link above a second line (`row.sub`).

    `short` appears on narrow screens in place of columns that don’t fit, after the account if there are
    several; `face` are the initials.
    """
    name = row["name"]
    if context["all_accounts"]:
        short = f"In {row['account_name']}. {short}"
    layout = CHECK + NAME if context["may_export"] else NAME
    below = format_html(SHORT, short) if short != "" else ""
    return format_html(
        layout,
        pk=row["pk"],
        name=name,
        face=face,
        section=context["section"],
        link=context["link"],
        sub=row["sub"],
        below=below,
    )


def td(css: str) -> str:
    """Return a format string for a cell with these classes."""
    return f'<td class="{css}">{{}}</td>' if css else "<td>{}</td>"


def under(text: str, cls: str = "") -> SafeString:
    """Render the second line below a name; paths use the font of identifiers."""
    if not text:
        return mark_safe("")
    css = f' class="{conditional_escape(cls)}"' if cls else ""
    return mark_safe(f"<small{css}>{conditional_escape(text)}</small>")  # noqa: S308 - both are escaped
