"""Renders table rows that differ only in their texts: the markup is rendered once per group and filled in per
row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import fields, replace
from typing import Any, ClassVar, Final, TypeVar

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

MARK: Final = "\ue000"
"""Encloses the name of a text in the markup to fill in; a private-use character that no text contains."""
NAMED: Final = re.compile(f"{MARK}([a-z_]+)(?::([0-9]+))?{MARK}")


class AlikeRow:
    """A row of a table. Subclasses are frozen dataclasses.

    `TEXTS` names the fields (texts or tuples of texts) that a template only prints or tests for being empty.
    All other fields must be hashable: rows that agree in them, and in which texts are empty, have the same
    markup.
    """

    __slots__ = ()
    TEXTS: ClassVar[frozenset[str]] = frozenset()


R = TypeVar("R", bound=AlikeRow)


def render_alike(rows: Iterable[R], render: Callable[[R], str]) -> SafeString:
    """Return the joined markup of all rows; `render` is called once per group of rows with equal markup."""
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
    """Return the key of the row's markup: all values, with texts reduced to their presence or number."""
    values = []
    for field in fields(row):  # type: ignore[arg-type]
        value = getattr(row, field.name)
        if field.name in row.TEXTS:
            value = len(value) if isinstance(value, tuple) else bool(value)
        values.append(value)
    return tuple(values)


def _with_marks(row: R) -> R:
    """Return a copy of the row in which each text is replaced by its marked name."""
    marks: dict[str, Any] = {}
    for name in row.TEXTS:
        value = getattr(row, name)
        if isinstance(value, tuple):
            marks[name] = tuple(f"{MARK}{name}:{place}{MARK}" for place in range(len(value)))
        elif value:
            marks[name] = f"{MARK}{name}{MARK}"
    return replace(row, **marks)  # type: ignore[type-var]


def _layout(markup: str) -> Callable[[AlikeRow], str]:
    """Return a function that fills a row's texts into the markup; texts are escaped unless they are safe."""
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
