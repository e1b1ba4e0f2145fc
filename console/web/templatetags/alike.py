"""Template tag for rows that differ only in their texts."""

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
    """Render the component for each row, which it sees as `name` beside the page's context.

    It is rendered once per group of rows with equal markup, so a table of 25 rows costs about as much as
    three.
    """
    markup: Template = get_template(component).template  # type: ignore[attr-defined]

    def render(row: AlikeRow) -> str:
        with context.push(**{name: row}):
            return markup.render(context)

    return render_alike(rows, render)
