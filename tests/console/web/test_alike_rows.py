"""Rows that are alike are rendered once, and say what each would say if it were rendered by itself."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from django.template import Context, Template
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

from console.access.effective_rows import EffectiveServiceRow
from console.reviews.presenters import RowShown
from console.setup.account_rows import ListedAccount
from console.web.alike_rows import MARK, AlikeRow, render_alike

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


REQUEST = RequestFactory().get("/?account=111111111111&as-of=2026-11-12T10:00:00")
REVIEWED = RowShown(
    pk="7", version="2", who="Ana Ruiz", whose="person in production", access="Readers & writers",
    sort="Group", is_unread=False, sod=(), is_administrator=False, is_requested=False, used="",
    lines=("Read <all>",), more="", use="Unknown", why="No grant explains it", peers="2 of 3 others",
    replay="Being calculated", reviewer="Ines", decision="", tone="", decided_by="", decision_reason="",
    trouble="", refusal="", may_decide=True, url="/reviews/1/rows/7/", label="Ana Ruiz, Readers",
)  # fmt: skip
REVIEW_ROWS = {
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
    "trial": (),
    "request_state": ("waiting for approval",),
    "request_url": ("/changes/7/request/?a=1&b=<2>",),
}
ACCOUNT = ListedAccount(
    name="pay & co", number="111111111111", display_id="1111-1111-1111", url="/accounts/1/", alias="",
    removed="", strip=mark_safe("<ul><li>now</li></ul>"), tone="ok", words="Synced 4 min ago", note="",
    unit="", source="Role", identities="1,204", mode="Read only", settings_url="/accounts/1/settings/",
    connect_url="", is_active=False,
)  # fmt: skip
ACCOUNT_ROWS = {
    "alias": ("pays",),
    "removed": (mark_safe("<time>2 May</time>"),),
    "tone": ("bad",),
    "note": ("Missing: iam:<List>",),
    "unit": ("Core / Pay",),
    "mode": ("Snapshot",),
    "connect_url": ("/connect/?name=a&b",),
    "is_active": (True,),
}
SERVICE = EffectiveServiceRow(
    prefix="s3", title="S3 & <more>", url="/people/7/access/s3/", bar=mark_safe("<ul><li>List</li></ul>"),
    words="Can list and read", everywhere="1,204", limited="", conditional="", unlisted="",
    is_everywhere=False, resources=("bucket/a&b",), more="", risks=(),
)  # fmt: skip
SERVICE_ROWS = {
    "everywhere": ("",),
    "limited": ("3",),
    "conditional": ("2",),
    "unlisted": ("1",),
    "is_everywhere": (True,),
    "resources": ((), ("role/<x>", "role/100 %s")),
    "more": ("12",),
    "risks": (("Full access",), ("Full <access>", "iam:PassRole")),
}
TABLES = (
    ("access/_effective_service.html", "service", SERVICE, SERVICE_ROWS, ("viewer",)),
    ("reviews/_row.html", "shown", REVIEWED, REVIEW_ROWS, ("may_review",)),
    ("setup/_account_row.html", "row", ACCOUNT, ACCOUNT_ROWS, ("at", "may_connect")),
)
"""For each table: its component, a row that nothing is special about, what else its fields may hold, and what
the page decides.
"""


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table[0])
def test_rows_of_a_table_are_what_each_is_by_itself(table: Any) -> None:
    component, name, plain, others, switches = table
    rows = [plain]
    for (one, values), (other, beside) in product(others.items(), others.items()):
        for value, second in product(values, beside):
            rows.append(replace(plain, **{one: value, other: second}))
    alone = get_template(component).template  # type: ignore[attr-defined]
    together = Template(f'{{% load alike %}}{{% each_alike rows "{component}" "{name}" %}}')
    for choice in product([True, False], repeat=len(switches)):
        page: dict[str, Any] = {"csrf_token": "token", "request": REQUEST}
        page |= dict(zip(switches, choice, strict=True))
        if "viewer" in page:
            page["viewer"] = SimpleNamespace(sees_accounts=page["viewer"])
        expected = "".join(alone.render(Context({**page, name: row})) for row in rows)
        assert together.render(Context({**page, "rows": rows})) == expected


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table[0])
def test_every_field_that_may_be_missing_or_decides_something_is_tried(table: Any) -> None:
    _, _, plain, others, _ = table
    decisive = {
        field.name
        for field in fields(plain)
        if field.name not in plain.TEXTS or not getattr(plain, field.name)
    }
    assert decisive <= set(others)


def test_every_kind_of_row_is_tried() -> None:
    tried = {type(table[2]).__name__ for table in TABLES} | {NamedRow.__name__}
    assert {kind.__name__ for kind in AlikeRow.__subclasses__()} == tried
