"""A list that is cut says so, says how many there are, and shows the rest: no list of the console is cut in
silence.
"""

from __future__ import annotations

import ast
import re
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory

from console.web.shortened_lists import ShortenedList, first_rows

ROOT: Final = Path(__file__).parents[3]
CONSOLE: Final = ROOT / "console"
OF_QUERIES: Final = frozenset(
    {"order_by", "values_list", "values", "filter", "exclude", "select_related", "distinct", "all"}
)
ALLOWED: Final = {
    "operators/pages/audit_scope.py": "the field says that the newest are offered",
    "search/entities.py": "suggestions: typing more narrows them",
    "search/references.py": "suggestions: typing more narrows them",
    "operators/pages/teams.py": "suggestions for a text field that takes any account ID",
    "operators/pages/people.py": "suggestions for a text field that takes any account ID",
    "access/grants/detail.py": "a grant has at most as many parts as it can have accounts",
    "access/grants/parts.py": "a grant has at most as many parts as it can have accounts",
    "access/what/managed.py": "one policy",
    "offboarding/notice.py": "one notice: the newest request decides",
    "changes/act_text.py": "the page says how many more there are",
    "identities/details/history.py": "counts the moments for the tab, which then says 'more than'",
    "web/context.py": "the number beside an entry of the menu, which then says 'more than'",
    "setup/organization.py": "the last few runs of the discovery; the newest counts",
}
"""Files that take the beginning of a query, and why no row is missed there."""


def cut_queries(path: Path) -> list[str]:
    """Where the beginning of a query is taken: `rows.order_by(…)[:MAX_ROWS]`. `[: SIZE + 1]` looks whether
    there is more.
    """
    cuts = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
            continue
        value, upper = node.value, node.slice.upper
        is_query = isinstance(value, ast.Call) and getattr(value.func, "attr", "") in OF_QUERIES
        is_cut = node.slice.lower is None and isinstance(upper, ast.Name | ast.Constant | ast.Attribute)
        if is_query and is_cut:
            cuts.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
    return cuts


def test_no_query_of_the_console_is_cut_in_silence() -> None:
    cut = []
    for path in sorted(CONSOLE.rglob("*.py")):
        name = str(path.relative_to(CONSOLE))
        if not name.startswith("demo/") and name not in ALLOWED:
            cut += cut_queries(path)
    assert cut == [], "use console.web.shortened_lists.first_rows, and include components/cut.html"


def test_each_file_that_may_cut_still_does() -> None:
    assert [name for name in ALLOWED if not cut_queries(CONSOLE / name)] == []


LISTS: Final = {
    # Where a list is cut: the template that shows it, its variable, and its name in the address.
    "console/access/grant_references.py": None,
    "console/changes/act.py": ("changes/acts.html", "others", ""),
    "console/changes/approvals.py": ("changes/approvals.html", "rows", "chosen"),
    "console/changes/audit_requests.py": ("changes/_inbox_audit.html", "audit_requests.shown", "requests"),
    "console/changes/rules.py": ("changes/rules.html", "past", ""),
    "console/dashboard/my_access.py": ("dashboard/_my_grants.html", "grants", "grants"),
    "console/offboarding/detail.py": ("offboarding/_leaver_grants.html", "grants", "grants"),
    "console/mfa/send_link.py": ("mfa/send.html", "links", ""),
    "console/onboarding/blueprints.py": ("onboarding/_versions.html", "versions", ""),
    "console/rotation/my_keys.py": ("rotation/mine.html", "rotations", "rotations"),
    "console/rotation/detail.py": ("rotation/_rotation_events.html", "events", ""),
}
"""None: said within a sentence."""


def test_each_list_that_is_cut_is_in_the_table() -> None:
    cutting = {
        str(path.relative_to(ROOT))
        for path in CONSOLE.rglob("*.py")
        if "first_rows(" in path.read_text() and path.name != "shortened_lists.py"
    }
    assert cutting == set(LISTS)


@pytest.mark.parametrize("source", [source for source, shown in LISTS.items() if shown])
def test_the_page_of_a_cut_list_includes_the_note_about_it(source: str) -> None:
    template, variable, name = LISTS[source]  # type: ignore[misc]
    text = Path(get_template(template).origin.name).read_text()  # type: ignore[attr-defined]
    (include,) = re.findall(rf'{{% include "components/cut.html" with rows={variable} [^%]*%}}', text)
    assert (f'name="{name}"' in include) is bool(name)
    code = (ROOT / source).read_text()
    assert not name or f'name="{name}"' in code


@pytest.mark.parametrize(("total", "shown"), [(0, 0), (1, 1), (3, 3), (4, 3), (90, 3)])
def test_the_note_says_how_many_and_shows_the_rest(total: int, shown: int) -> None:
    request = RequestFactory().get("/somewhere/", {"tab": "mine"})
    rows = first_rows(request, range(total), most=3, name="others")
    assert (len(rows), rows.total, rows.more) == (shown, total, total - shown)
    note = render_to_string(
        "components/cut.html", {"rows": rows, "what": "requests", "name": "others"}, request=request
    )
    if total == shown:
        assert not note.strip()
        return
    note_text = unescape(" ".join(note.split()))
    assert f"The first 3 of {total} requests are shown." in note_text
    address = re.findall(r'href="([^"]+)"', note_text)[0]
    assert address == "?tab=mine&all=others"
    everything = first_rows(
        RequestFactory().get(f"/somewhere/{address}"), range(total), most=3, name="others"
    )
    assert list(everything) == list(range(total))
    other = first_rows(RequestFactory().get(f"/somewhere/{address}"), range(total), most=3)
    assert len(other) == 3, "only the list that is named"


def test_rows_that_are_made_of_others_keep_the_number() -> None:
    assert ShortenedList([1, 2], 9).with_rows(["a", "b"]).more == 7
