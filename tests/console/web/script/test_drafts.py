"""What somebody began stays when a part of the page is replaced."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


FORM = (
    '<div id="part"{}><input id="t" name="t" aria-label="Note" value="old"><input '
    'type="checkbox" name="c" aria-label="Sure">'
    '<select id="s" name="s" aria-label="Team"><option>A</option><option>B</option></select>'
    '<details id="d" data-keep><summary>More</summary><a href="#x" id="x">Link</a></details><b>{}</b></div>'
)
LOAD = '<button hx-get="/part/" hx-target="#part" hx-swap="outerHTML"{}>Load</button>'
POLL = """ hx-headers='{"Gatehouse-Poll": "1"}'"""


def test_a_part_that_refreshes_itself_keeps_all_that_was_begun(stage: Stage) -> None:
    page = stage.open("drafts", FORM.format("", 1) + LOAD.format(POLL))
    stage.answers["/part/"] = FORM.format("", 2)
    page.get_by_label("Note").fill("new")
    page.get_by_label("Sure").check()
    page.get_by_label("Team").select_option("B")
    page.get_by_role("button").click()
    expect(page.locator("b")).to_have_text("2")
    expect(page.get_by_label("Note")).to_have_value("new")
    expect(page.get_by_label("Sure")).to_be_checked()
    expect(page.get_by_label("Team")).to_have_value("B")


def test_an_answer_replaces_what_it_was_asked_with_and_not_what_was_typed_since(stage: Stage) -> None:
    page = stage.open("drafts", FORM.format("", 1) + LOAD.format(""))
    stage.answers["/part/"] = FORM.format("", 2).replace("old", "from the server")
    page.get_by_label("Note").fill("sent")
    page.get_by_role("button").click()
    expect(page.locator("b")).to_have_text("2")
    expect(page.get_by_label("Note")).to_have_value("from the server")

    def typed_meanwhile(route: object) -> None:
        page.evaluate("document.getElementById('t').value = 'typed'")
        stage.answer(route)  # type: ignore[arg-type]

    stage.answers["/part/"] = FORM.format("", 3)
    page.route("**/part/", typed_meanwhile)
    page.get_by_role("button").click()
    expect(page.locator("b")).to_have_text("3")
    expect(page.get_by_label("Note")).to_have_value("typed")


def test_a_message_at_a_field_comes_back_while_the_field_is_wrong(stage: Stage) -> None:
    field = (
        '<form id="f"><div class="field"><label for="t">Note</label><input id="t" name="t" '
        "required></div><button>Send</button></form>"
    )
    part = '<div id="part"><b>{}</b>' + field + "</div>"
    page = stage.open("drafts", part.format(1) + LOAD.format(POLL))
    page.get_by_role("button", name="Send").click()
    stage.answers["/part/"] = part.format(2)
    page.get_by_role("button", name="Load").click()
    expect(page.locator("b")).to_have_text("2")
    expect(page.locator(".error")).to_have_text("Note is required.")


def test_opened_details_stay_open_and_keep_the_focus(stage: Stage) -> None:
    page = stage.open("drafts", FORM.format(' hx-get="/part/" hx-trigger="go" hx-swap="outerHTML"', 1))
    stage.answers["/part/"] = FORM.format("", 2)
    page.get_by_text("More").click()
    page.locator("#x").focus()
    page.evaluate("document.getElementById('part').dispatchEvent(new Event('go'))")
    expect(page.locator("b")).to_have_text("2")
    expect(page.locator("#d")).to_have_attribute("open", "")
    expect(page.locator("#x")).to_be_focused()
