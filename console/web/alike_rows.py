"""Rows that differ in their texts alone: the markup is rendered once for all that are alike, and filled in
for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import fields, replace
from typing import Any, ClassVar, Final, TypeVar

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

MARK: Final = "\ue000"
"""Encloses the name of a text in markup that is to be filled in; a character that no text needs."""
NAMED: Final = re.compile(f"{MARK}([a-z_]+)(?::([0-9]+))?{MARK}")


class AlikeRow:
    """A row of a table. A subclass is a frozen dataclass.

    `TEXTS` names the fields that a template prints as they are, or only tests for being there: texts, or
    tuples of texts. Every other field can be hashed: rows with equal ones, and with the same texts missing,
    have the same markup.
    """

    __slots__ = ()
    TEXTS: ClassVar[frozenset[str]] = frozenset()


R = TypeVar("R", bound=AlikeRow)


def render_alike(rows: Iterable[R], render: Callable[[R], str]) -> SafeString:
    """What `render` gives for each row, joined; it is called once for each group of rows that are alike."""
    layouts: dict[Hashable, Callable[[R], str]] = {}
    parts = []
    for row in rows:
        form = _form(row)
        layout = layouts.get(form)
        if layout is None:
            layout = layouts[form] = _layout(render(_with_marks(row)))
        parts.append(layout(row))
    return mark_safe("".join(parts))  # noqa: S308


def _form(row: AlikeRow) -> Hashable:
    """What the markup of a row depends on, besides its texts."""
    values = []
    for field in fields(row):  # type: ignore[arg-type]
        value = getattr(row, field.name)
        if field.name in row.TEXTS:
            value = len(value) if isinstance(value, tuple) else bool(value)
        values.append(value)
    return tuple(values)


def _with_marks(row: R) -> R:
    """The same row with the name of each text that it has in place of the text."""
    marks: dict[str, Any] = {}
    for name in row.TEXTS:
        value = getattr(row, name)
        if isinstance(value, tuple):
            marks[name] = tuple(f"{MARK}{name}:{place}{MARK}" for place in range(len(value)))
        elif value:
            marks[name] = f"{MARK}{name}{MARK}"
    return replace(row, **marks)  # type: ignore[type-var]


def _layout(markup: str) -> Callable[[AlikeRow], str]:
    """A function that fills in such markup; texts are escaped, unless they are safe."""
    literals = NAMED.split(markup)
    names, places = literals[1::3], literals[2::3]
    form = "%s".join(literal.replace("%", "%%") for literal in literals[::3])
    wanted = list(zip(names, map(int, [place or -1 for place in places]), strict=True))

    def filled(row: AlikeRow) -> str:
        texts = []
        for name, place in wanted:
            value = getattr(row, name)
            if place >= 0:
                value = value[place]
            texts.append(conditional_escape(value))
        return form % tuple(texts)

    return filled
