"""Menus close by themselves."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


MENUS = (
    '<details class="menu"><summary>One</summary><button>In</button></details><button id="out">Out</button>'
    '<details class="note"><summary>Two</summary>Text</details>'
)


@pytest.fixture
def opened(stage: Stage) -> Stage:
    """Both are open."""
    page = stage.open("menus", MENUS)
    page.get_by_text("Two").click()
    page.get_by_text("One").click()
    expect(page.locator("details[open]")).to_have_count(2)
    return stage


def test_a_click_elsewhere_closes_a_menu_only(opened: Stage) -> None:
    opened.page.get_by_role("button", name="In").click()
    expect(opened.page.locator(".menu[open]")).to_have_count(1)
    opened.page.get_by_text("Out").click()
    expect(opened.page.locator(".menu[open]")).to_have_count(0)
    expect(opened.page.locator(".note[open]")).to_have_count(1)


def test_escape_closes_a_menu_and_returns_to_its_button(opened: Stage) -> None:
    opened.page.get_by_role("button", name="In").focus()
    opened.page.keyboard.press("Escape")
    expect(opened.page.locator(".menu[open]")).to_have_count(0)
    expect(opened.page.get_by_text("One")).to_be_focused()


def test_a_menu_closes_when_the_focus_leaves_it(opened: Stage) -> None:
    opened.page.keyboard.press("Tab")
    expect(opened.page.locator(".menu[open]")).to_have_count(1)
    opened.page.keyboard.press("Tab")
    expect(opened.page.locator("#out")).to_be_focused()
    expect(opened.page.locator(".menu[open]")).to_have_count(0)
