"""Template tags of list pages: the heads of columns."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.web.templatetags.ui import icon

register = template.Library()


@register.simple_tag(takes_context=True)
def th(context: dict[str, Any], label: str, sort: str = "", cls: str = "") -> SafeString:
    """A column's head; one that the list can be sorted by is a link that sorts it, or turns the order around."""
    css = format_html(' class="{}"', cls) if cls else ""
    head = context["heads"].get(sort)
    if head is None:
        return format_html('<th scope="col"{}>{}</th>', css, label)
    arrow = icon("arrow-down" if head.direction == "descending" else "arrow-up") if head.direction else ""
    state = format_html(' aria-sort="{}"', head.direction) if head.direction else ""
    return format_html('<th scope="col"{}{}><a href="{}">{} {}</a></th>', css, state, head.url, label, arrow)
