"""Addresses that htmx changes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


def test_an_address_names_only_what_is_chosen(stage: Stage) -> None:
    form = (
        '<form hx-get="/part/" hx-target="#part"><input name="find" value=""><input name="kind" value="role">'
        '<input name="tag" value=""><input name="tag" value="x"><button>Filter</button></form><div '
        'id="part"></div>'
    )
    page = stage.open("addresses", form)
    stage.answers["/part/"] = "done"
    page.get_by_role("button").click()
    expect(page.locator("#part")).to_have_text("done")
    assert stage.asked[-1] == "/part/?kind=role&tag=&tag=x"


def test_what_is_posted_stays_whole(stage: Stage) -> None:
    page = stage.open(
        "addresses", '<form hx-post="/part/"><input name="find" value=""><button>Send</button></form>'
    )
    with page.expect_request("**/part/") as sent:
        page.get_by_role("button").click()
    assert sent.value.post_data == "find="


FRAME = (
    '<nav class="acct"><a href="?account=1&amp;old=1">One</a></nav><nav class="asof"><a '
    'href="?as-of=2026-01-01">Then</a>'
    '<form><input type="hidden" name="account" value="1"><input type="hidden" name="old" '
    'value="1"></form></nav>'
    '<a id="go" href="/" hx-get="/list/?kind=role&amp;after=9" hx-push-url="true" '
    'hx-target="#part">Go</a><div id="part"></div>'
)


def test_links_of_the_frame_follow_the_filters_of_the_address(stage: Stage) -> None:
    page = stage.open("addresses", FRAME, at="/?account=1")
    stage.answers["/list/"] = "done"
    page.locator("#go").click()
    expect(page.locator("#part")).to_have_text("done")
    expect(page.get_by_role("link", name="One")).to_have_attribute("href", "?kind=role&account=1")
    expect(page.get_by_text("Then")).to_have_attribute("href", "?kind=role&as-of=2026-01-01")
    fields = page.locator(".asof input").evaluate_all("(all) => all.map((f) => [f.name, f.value])")
    assert sorted(fields) == [["account", "1"], ["kind", "role"]]
