"""What a field says when it is empty or malformed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


NAME = (
    '<form><div class="field"><label for="n">Name</label><input id="n" name="n" required>'
    "</div>{}<button>Send</button></form>"
)
SPRITE = '<svg><use href="/icons.svg#x"></use></svg>'


def test_the_message_is_tied_to_its_field_and_goes_when_it_is_right(stage: Stage) -> None:
    page = stage.open("fields", SPRITE + NAME.format(""))
    page.get_by_role("button").click()
    expect(page.locator("#n-error")).to_have_text("Name is required.")
    expect(page.locator("#n")).to_have_attribute("aria-describedby", "n-error")
    expect(page.locator("#n-error use")).to_have_attribute("href", "/icons.svg#circle-alert")
    expect(page.locator("#n")).to_be_focused()
    page.locator("#n").fill("Maya")
    expect(page.locator(".error")).to_have_count(0)
    assert page.locator("#n").get_attribute("aria-invalid") is None


def test_a_message_of_the_server_stays_until_the_server_takes_it_away(stage: Stage) -> None:
    body = (
        '<div class="field"><input aria-label="Name" aria-invalid="true"><span '
        'class="error">Taken</span></div>'
    )
    page = stage.open("fields", body)
    page.get_by_label("Name").fill("Maya")
    expect(page.locator(".error")).to_have_text("Taken")


def test_the_first_of_several_fields_gets_the_focus_and_each_its_message(stage: Stage) -> None:
    page = stage.open("fields", NAME.format('<label>Mail <input type="email" name="m" value="x"></label>'))
    page.get_by_role("button").click()
    expect(page.locator(".error")).to_have_text(["Name is required.", "“x” isn’t a valid email address."])
    expect(page.locator("#n")).to_be_focused()


def test_a_file_beyond_the_limit_is_refused_before_it_is_sent(stage: Stage) -> None:
    page = stage.open(
        "fields", '<form><input type="file" name="f" aria-label="File" data-max-bytes="1048576"></form>'
    )
    page.get_by_label("File").set_input_files(
        {"name": "a.json", "mimeType": "application/json", "buffer": b"x" * 1048577}
    )
    expect(page.locator(".error")).to_have_text("This file is larger than 1 MB, the most that is taken here.")
    page.get_by_label("File").set_input_files(
        {"name": "a.json", "mimeType": "application/json", "buffer": b"x"}
    )
    expect(page.locator(".error")).to_have_count(0)
