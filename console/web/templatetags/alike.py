"""The tag for rows that differ in their texts alone."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.template import Context, Template
from django.template.loader import get_template
from django.utils.safestring import SafeString

from console.web.alike_rows import AlikeRow, render_alike

register = template.Library()


@register.simple_tag(takes_context=True)
def each_alike(context: Context, rows: Iterable[AlikeRow], component: str, name: str) -> SafeString:
    """The component for each row, which it sees by `name` beside the page's own values. It is rendered once
    for all rows that are alike: a table of 25 rows costs about as much as one of three.
    """
    markup: Template = get_template(component).template  # type: ignore[attr-defined]

    def render(row: AlikeRow) -> str:
        with context.push(**{name: row}):
            return markup.render(context)

    return render_alike(rows, render)
