"""Where the focus goes after an answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


WRONG = (
    '<input type="hidden" aria-invalid="true"><details><summary>More</summary>'
    '<input aria-label="Name" aria-invalid="true"></details><input aria-label="Date" aria-invalid="true">'
)


@pytest.mark.parametrize(("status", "name"), [(422, "Name"), (409, "Name"), (200, "Name")])
def test_a_refused_page_opens_at_its_first_wrong_field(stage: Stage, status: int, name: str) -> None:
    stage.status["/"] = status
    page = stage.open("focus", f"<main>{WRONG}</main>")
    expect(page.get_by_label(name)).to_be_focused()
    expect(page.locator("details")).to_have_attribute("open", "")


@pytest.mark.parametrize(("status", "is_focused"), [(422, True), (200, False)])
def test_a_message_gets_the_focus_only_where_the_page_was_refused(
    stage: Stage, status: int, is_focused: bool
) -> None:
    stage.status["/"] = status
    page = stage.open("focus", '<main><p role="alert">Wrong</p></main>')
    page.wait_for_timeout(50)
    assert page.evaluate("document.activeElement.tagName") == ("P" if is_focused else "BODY")


PART = (
    '<div id="part" data-announce="{0} entries"><a href="/{0}/" hx-get="/part/" '
    'hx-target="#part" hx-swap="outerHTML">More ({0})</a></div>'
)
REGION = '<p id="announce"></p>'


def test_after_a_swap_the_twin_has_the_focus_and_the_result_is_announced(stage: Stage) -> None:
    page = stage.open("focus", PART.format(1) + REGION)
    stage.answers["/part/"] = PART.format(2)
    page.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#announce")).to_have_text("2 entries")
    expect(page.get_by_text("More (2)")).to_be_focused()


def test_after_a_change_of_page_the_table_has_it(stage: Stage) -> None:
    part = (
        '<div id="part"><div class="table-scroll" tabindex="0">{}</div><nav class="pager"><a '
        'href="/" hx-get="/part/" hx-target="#part" hx-swap="outerHTML">Next</a></nav></div>'
    )
    page = stage.open("focus", part.format(1))
    stage.answers["/part/"] = part.format(2)
    page.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".table-scroll")).to_have_text("2")
    expect(page.locator(".table-scroll")).to_be_focused()


@pytest.mark.parametrize(("trigger", "is_focused"), [("submit", True), ("input", False)])
def test_a_refused_part_takes_the_focus_unless_somebody_is_typing(
    stage: Stage, trigger: str, is_focused: bool
) -> None:
    config = """<meta name="htmx-config" content='{"responseHandling": [{"code": "422", "swap": true}]}'>"""
    form = (
        f'<form hx-post="/part/" hx-target="#part" hx-trigger="{trigger}"><input aria-label="Text">'
        "<button>Send</button></form>"
    )
    page = stage.open("focus", f'{config}{form}<div id="part"></div>')
    stage.answers["/part/"], stage.status["/part/"] = WRONG, 422
    page.evaluate("htmx.config.responseHandling = [{code: '422', swap: true}]")
    page.get_by_label("Text").fill("x")
    if trigger == "submit":
        page.get_by_role("button").click()
    expect(page.locator("#part details")).to_be_visible()
    page.wait_for_timeout(100)
    assert page.get_by_label("Name").evaluate("(field) => field === document.activeElement") is is_focused
