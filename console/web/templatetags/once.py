"""Renders what repeats only once: a component per set of values, the markup of a row per page."""

from __future__ import annotations

import html
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, NoReturn

from django import template
from django.conf import settings
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from console.web.moments import zone_label

register = template.Library()
KEPT = 4096


@register.simple_tag
def once(component: str, **values: Hashable) -> SafeString:
    """A component that sees these values and nothing else of the page, and is therefore rendered once for
    each set of them.

    Values are told apart by type too: a safe text must never stand for an equal one that is to be escaped.
    Within tuples no text may be safe.
    """
    key = tuple((name, type(value), value) for name, value in values.items())
    render = _rendered.__wrapped__ if settings.DEBUG else _rendered
    return render(component, key, zone_label())


@lru_cache(maxsize=KEPT)
def _rendered(component: str, values: tuple[tuple[str, type, Hashable], ...], zone: str) -> SafeString:
    """`zone` is the reader's, in which the component shows moments: readers elsewhere need another text."""
    return render_to_string(component, {name: value for name, _, value in values})


class Cell(SafeString):
    """Where a value of each row will stand. Nothing is known of it yet, so nothing may be decided by it."""

    def _unknown(self, *_: object) -> NoReturn:
        raise template.TemplateSyntaxError(
            "In {% filled %}, values of a row can only be shown, not looked at."
        )

    __bool__ = __iter__ = __len__ = _unknown


class Cells:
    """The row while its markup is rendered: every name in it is a place to be filled, marked by NULs, which
    no page contains.
    """

    def __getitem__(self, name: str) -> Cell:
        return Cell(f"\0{name}\0")


class Filled(template.Node):
    """Fifty rows have one markup: it is rendered once, cut at its cells, and filled with what each row
    says.
    """

    def __init__(self, row: str, rows: FilterExpression, nodelist: NodeList) -> None:
        self.row, self.rows, self.nodelist = row, rows, nodelist

    def render(self, context: template.Context) -> SafeString:
        """All rows."""
        with context.push(**{self.row: Cells()}):
            parts = self.nodelist.render(context).split("\0")
        names, out = parts[1::2], []
        for row in self.rows.resolve(context):
            parts[1::2] = [_escaped(row[name]) for name in names]
            out.append("".join(parts))
        return mark_safe("".join(out))  # noqa: S308 - the markup is the template's, and every value is escaped


@register.tag
def filled(parser: Parser, token: Token) -> Filled:
    """`{% filled r in rows %}<tr><td>{{ r.name }}</td></tr>{% endfilled %}`: a loop over mappings whose
    values are only shown.
    """
    words = token.split_contents()
    if len(words) != 4 or words[2] != "in":
        raise template.TemplateSyntaxError("Write {% filled row in rows %}.")
    nodelist = parser.parse(("endfilled",))
    parser.delete_first_token()
    return Filled(words[1], parser.compile_filter(words[3]), nodelist)


def _escaped(value: Any) -> str:
    """As `conditional_escape`, which spends most of its time on translations that there are none of."""
    return value.__html__() if hasattr(value, "__html__") else html.escape(str(value))
