"""Rows that are alike are rendered once, and say what each would say if it were rendered by itself."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

import pytest
from django.template import Context, Template
from django.template.loader import get_template
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

from console.reviews.presenters import RowShown
from console.web.alike_rows import MARK, AlikeRow, render_alike

EACH = Template('{% load alike %}{% each_alike rows "reviews/_row.html" "shown" %}')
TEXT = st.one_of(
    st.just(""),
    st.text(max_size=6),
    st.sampled_from([f"{MARK}name{MARK}", "100 %s", "%(name)s", "<b>&'\"", "{name}", r"\1"]),
    st.just(mark_safe("<i>5 &amp; 6</i>")),
)


@dataclass(frozen=True, slots=True)
class NamedRow(AlikeRow):
    """A row with two texts, some lines, and what changes its markup."""

    TEXTS = frozenset({"name", "note", "lines"})

    name: str
    note: str
    lines: tuple[str, ...]
    is_bad: bool


ROWS = st.lists(
    st.builds(
        NamedRow, name=TEXT, note=TEXT, lines=st.lists(TEXT, max_size=3).map(tuple), is_bad=st.booleans()
    ),
    max_size=8,
)
LAYOUT = Template(
    '<a title="{{ row.name }} 50%">{{ row.name|default:"nameless" }}</a>{% if row.is_bad %}!{% endif %}'
    "{% if row.note %}({{ row.note }}){% else %}-{% endif %}"
    "{% for line in row.lines %}<p>{{ line }}{% if not forloop.last %};{% endif %}</p>{% endfor %}"
)


def by_itself(row: AlikeRow) -> str:
    return LAYOUT.render(Context({"row": row}))


@given(ROWS)
def test_rows_say_what_each_says_by_itself(rows: list[NamedRow]) -> None:
    assert render_alike(rows, by_itself) == "".join(map(by_itself, rows))


def test_what_is_alike_is_rendered_once() -> None:
    rendered: list[AlikeRow] = []

    def render(row: AlikeRow) -> str:
        rendered.append(row)
        return by_itself(row)

    rows = [NamedRow(f"name {number}", "", ("a", "b"), is_bad=number % 2 == 0) for number in range(50)]
    render_alike(rows, render)
    assert len(rendered) == 2


PLAIN = RowShown(
    pk="7", version="2", who="Ana Ruiz", whose="person in production", access="Readers & writers",
    sort="Group", is_unread=False, sod=(), is_administrator=False, is_requested=False, used="",
    lines=("Read <all>",), more="", use="Unknown", why="No grant explains it", peers="2 of 3 others",
    replay="Being calculated", reviewer="Ines", decision="", tone="", decided_by="", decision_reason="",
    trouble="", refusal="", may_decide=True, url="/reviews/1/rows/7/", label="Ana Ruiz, Readers",
)  # fmt: skip
"""A row that nothing is special about."""
OTHERS: dict[str, tuple[Any, ...]] = {
    "is_unread": (True,),
    "sod": (("Pays and approves",), ("One", "Two <2>")),
    "is_administrator": (True,),
    "used": (mark_safe('<time datetime="2026-11-01">29 days ago</time>'),),
    "lines": ((), ("One", "Two & 2")),
    "more": ("3",),
    "reviewer": ("",),
    "decision": ("Keep",),
    "tone": ("ok",),
    "decided_by": ("Hana",),
    "decision_reason": ("Needs it > others",),
    "trouble": ("AWS refused it",),
    "refusal": ("This is your own access",),
    "may_decide": (False,),
    "is_chosen": (True,),
    "is_requested": (True,),
    "error": ("Give a reason",),
    "conflict": ("Jonas decided first",),
    "reason": ("Because",),
}
"""What else a field may hold."""


@pytest.mark.parametrize("may_review", [True, False])
def test_rows_of_a_review_are_what_each_is_by_itself(may_review: bool) -> None:
    rows = [PLAIN, replace(PLAIN, pk="8", who="Al <b>")]
    for (one, values), (other, others) in product(OTHERS.items(), OTHERS.items()):
        for value, beside in product(values, others):
            rows.append(replace(PLAIN, **{one: value, other: beside}))
    context = {"may_review": may_review, "csrf_token": "token"}
    row = get_template("reviews/_row.html").template  # type: ignore[attr-defined]
    expected = "".join(row.render(Context({**context, "shown": each})) for each in rows)
    assert EACH.render(Context({**context, "rows": rows})) == expected


def test_every_field_of_a_review_row_is_tried_or_a_text_that_is_always_there() -> None:
    always = {
        "pk",
        "version",
        "who",
        "whose",
        "access",
        "sort",
        "use",
        "why",
        "peers",
        "replay",
        "url",
        "label",
    }
    assert {field.name for field in fields(RowShown)} == always | set(OTHERS) | {"trial"}
