"""Where the focus goes, in a real browser: to the field that is wrong, never to something that cannot be seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from iam.directory.models import Role
from tests import factories

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """The page of an administrator; no script may fail."""
    client, problems = Client(), []
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    context = browser.new_context(base_url=live_server.url)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    made = context.new_page()
    made.on("pageerror", lambda error: problems.append(str(error)))
    yield made
    context.close()
    assert problems == []


UNSEEN = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect();
  const isSkip = e.classList.contains("skip");
  return !isSkip && e !== document.body && (box.width < 4 || box.height < 4) ? e.outerHTML.slice(0, 120) : "";
}"""


def test_a_refused_form_leads_to_its_first_wrong_field(page: Page) -> None:
    page.goto("/operators/set-up/")
    page.evaluate("document.querySelectorAll('form').forEach((f) => (f.noValidate = true))")
    page.locator("main form button").last.click()
    expect(page.locator("[aria-invalid=true]").first).to_be_focused()


@pytest.mark.parametrize(
    "address", ["/", "/people/", "/services/", "/escalation/", "/operators/", "/audit/journal/"]
)
def test_no_tab_stop_is_out_of_sight(page: Page, address: str) -> None:
    factories.user(factories.account(), "maya.okafor")
    page.goto(address)
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate(UNSEEN) == ""
        if page.evaluate("document.activeElement === document.body"):
            break


def test_a_part_that_a_script_focuses_is_not_outlined(page: Page) -> None:
    page.goto("/operators/")
    page.keyboard.press("Tab")
    page.evaluate("document.querySelector('main').focus()")
    page.evaluate("(() => { const p = document.querySelector('main .card'); p.tabIndex = -1; p.focus(); })()")
    style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "none"
