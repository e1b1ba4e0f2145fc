"""Messages at the edge of the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


PLACE = '<div class="toasts"></div>'


def test_a_message_of_the_server_is_shown_as_text_and_goes_after_a_while(stage: Stage) -> None:
    stage.page.clock.install()
    page = stage.open("toasts", PLACE)
    stage.tell("toast", {"tone": "ok", "text": "<b>Saved</b>"})
    expect(page.locator(".toast[data-tone=ok]")).to_have_text("<b>Saved</b>")
    page.clock.fast_forward(7000)
    expect(page.locator(".toast")).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "text"),
    [(500, "That did not go through. Nothing was changed."), (0, "No connection. Nothing was sent.")],
)
def test_a_request_that_failed_says_so_and_stays(stage: Stage, status: int, text: str) -> None:
    stage.page.clock.install()
    page = stage.open("toasts", PLACE + '<button hx-get="/part/">Load</button>')
    stage.status["/part/"] = status
    if status == 0:
        page.route("**/part/", lambda route: route.abort())
    page.get_by_role("button").click()
    expect(page.locator(".toast[data-tone=bad]")).to_have_text(text)
    page.clock.fast_forward(60_000)
    expect(page.locator(".toast")).to_have_count(1)


def test_a_page_without_a_place_for_messages_stays_as_it_is(stage: Stage) -> None:
    page = stage.open("toasts", "<p>Text</p>")
    stage.tell("toast", {"text": "Saved"})
    assert page.locator("body").inner_text() == "Text"
