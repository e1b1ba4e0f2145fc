"""Search suggestions, by keys."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


FORM = (
    '<form class="search menu"><input type="search" aria-label="Search">'
    '<div class="found"><a href="#1">One</a><a href="#2">Two</a></div></form>'
)


def test_arrows_walk_through_and_stop_at_both_ends(stage: Stage) -> None:
    page = stage.open("suggestions", FORM)
    page.get_by_label("Search").focus()
    for key, text in (
        ("ArrowUp", ""),
        ("ArrowDown", "One"),
        ("ArrowDown", "Two"),
        ("ArrowDown", "Two"),
        ("ArrowUp", "One"),
    ):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.textContent") == text
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Search")).to_be_focused()


def test_escape_closes_them_and_returns_to_the_field(stage: Stage) -> None:
    page = stage.open("suggestions", FORM)
    page.get_by_text("Two").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".found a")).to_have_count(0)
    expect(page.get_by_label("Search")).to_be_focused()
