"""Keys that lead to the search."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


FIELDS = (
    '<input id="global-search" aria-label="Search"><a class="search-link" '
    'href="#searched">Search</a><textarea></textarea>'
)


@pytest.mark.parametrize("key", ["/", "Control+k", "Meta+K"])
def test_keys_lead_to_the_search(stage: Stage, key: str) -> None:
    page = stage.open("shortcuts", FIELDS)
    page.keyboard.press(key.replace("+K", "+k"))
    expect(page.get_by_label("Search")).to_be_focused()
    expect(page.get_by_label("Search")).to_have_value("")


def test_where_the_field_is_hidden_they_open_the_page_of_the_search(stage: Stage) -> None:
    page = stage.open("shortcuts", FIELDS.replace("<input", "<input hidden"))
    page.keyboard.press("/")
    page.wait_for_url("**#searched")


@pytest.mark.parametrize("key", ["/", "k", "Control+/", "Alt+/", "Control+Shift+k", "Control+Alt+k"])
def test_other_keys_and_a_slash_in_a_text_do_nothing(stage: Stage, key: str) -> None:
    page = stage.open("shortcuts", FIELDS)
    page.locator("textarea").focus()
    page.keyboard.press(key)
    expect(page.locator("textarea")).to_be_focused()


def test_the_profile_turns_the_slash_off_and_not_the_command(stage: Stage) -> None:
    page = stage.open("shortcuts", FIELDS, root='data-shortcuts="off"')
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).not_to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Search")).to_be_focused()
