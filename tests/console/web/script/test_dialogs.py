"""Dialogs and drawers open and close."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


DIALOG = (
    '<button data-open="more">Open</button><dialog id="more"><p>More</p><p class="banner">Note '
    "<button data-close>Dismiss</button></p><button data-close>Close</button></dialog>"
)


def test_a_dialog_opens_by_its_button_and_closes_by_its_own(stage: Stage) -> None:
    page = stage.open("dialogs", DIALOG)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_what_is_dismissed_is_the_nearest_part(stage: Stage) -> None:
    page = stage.open("dialogs", DIALOG)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_click_beside_a_dialog_closes_it(stage: Stage) -> None:
    page = stage.open("dialogs", DIALOG, at="/#more")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_text("More").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.mouse.click(3, 3)
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_an_address_that_names_no_dialog_opens_nothing(stage: Stage) -> None:
    page = stage.open("dialogs", DIALOG + '<p id="text">Text</p>', at="/#text")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_drawer_opens_when_its_content_has_come(stage: Stage) -> None:
    stage.answers["/part/"] = "<p>Details</p>"
    body = (
        '<button hx-get="/part/" hx-target="#drawer">Load</button><dialog data-auto><div '
        'id="drawer"></div></dialog>'
    )
    page = stage.open("dialogs", body)
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_role("dialog")).to_have_text("Details")
