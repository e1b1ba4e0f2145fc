"""Where the focus goes, in a real browser: to the field that is wrong, never to something that cannot be
seen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from iam.directory.models import Role
from tests import factories
from tests.patience import PATIENCE_S

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


LIVE = """<div id="live" hx-get="/trial-live/" hx-trigger="load delay:400ms" hx-swap="outerHTML" hx-headers='{"Gatehouse-Poll": "1"}'>
<b data-round="%d"></b><form action="/trial/" method="post">
  <div class="field"><label for="t1">Comment</label><textarea class="input" id="t1" name="comment" required></textarea></div>
  <div class="field"><label for="t2">Note</label><input class="input" id="t2" name="note" value="old"></div>
  <label><input type="radio" name="when" value="now" checked> Now</label>
  <label><input type="radio" name="when" value="later"> Later</label>
  <select id="t3" name="team"><option value="a">A</option><option value="b">B</option></select>
  <button>Send</button></form></div>"""  # noqa: E501


def test_a_part_that_refreshes_itself_keeps_what_was_begun_in_its_form(page: Page) -> None:
    rounds = iter(range(1, 1000))
    page.route(
        "**/trial-live/", lambda route: route.fulfill(content_type="text/html", body=LIVE % next(rounds))
    )
    page.goto("/")
    page.evaluate(
        "(h) => { document.querySelector('main').innerHTML = h; htmx.process(document.body); }", LIVE % 0
    )

    def refreshed() -> None:
        at = page.locator("[data-round]")
        now = int(at.get_attribute("data-round") or 0)
        deadline = time.monotonic() + PATIENCE_S
        # A slow machine can miss a round, so that it waits for this one or any later one.
        while int(at.get_attribute("data-round") or 0) < now + 2:
            assert time.monotonic() < deadline
            page.wait_for_timeout(50)

    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#t1-error")).to_have_text("Comment is required.")
    refreshed()
    expect(page.locator("#t1-error")).to_have_text("Comment is required.")
    page.locator("#t1").fill("I have called her")
    page.locator("#t2").fill("new")
    page.get_by_label("Later").check()
    page.locator("#t3").select_option("b")
    page.locator("#t1").focus()
    refreshed()
    assert page.locator("#t1").input_value() == "I have called her"
    assert page.locator("#t2").input_value() == "new"
    assert page.get_by_label("Later").is_checked()
    assert page.locator("#t3").input_value() == "b"
    expect(page.locator("#t1")).to_be_focused()
    assert page.locator("#t1-error").count() == 0


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


FIELDS = """
<form id="trial">
  <div class="field"><label for="t1">Due date</label><input class="input" id="t1" name="due" required></div>
  <div class="field"><label for="t2">Why is this right?</label><textarea class="input" id="t2" name="reason" required></textarea></div>
  <label><input type="checkbox" name="sure" required> I am sure</label>
  <fieldset class="field"><legend>Verdict</legend>
    <label><input type="radio" name="verdict" value="a" required> Accept</label>
    <label><input type="radio" name="verdict" value="b" required> Object</label></fieldset>
  <div class="field"><label for="t3">File</label><input type="file" id="t3" name="file" required></div>
  <div class="field"><label for="t4">Email</label><input class="input" type="email" id="t4" name="email" value="nope" required></div>
  <div class="field"><label for="t5">Team</label><select class="input" id="t5" name="team" required><option value=""></option></select></div>
  <details><summary>More</summary><div class="field"><label for="t6">Code</label><input class="input" id="t6" name="code" data-missing="Enter the code." required></div></details>
  <button>Send</button>
</form>
"""  # noqa: E501
SAID = [
    "Due date is required.",
    "Enter a reason.",
    "Select this box to continue.",
    "Choose one.",
    "Choose a file.",
    "“nope” isn’t a valid email address.",
    "Choose one.",
    "Enter the code.",
]


def test_what_is_missing_is_said_at_each_field_in_our_words(page: Page) -> None:
    page.goto("/operators/")
    page.evaluate("(html) => { document.querySelector('main').innerHTML = html; }", FIELDS)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#trial .error")).to_have_text(SAID)
    expect(page.locator("#t1")).to_be_focused()
    for field in page.locator("#trial [aria-invalid=true]").all():
        described = (field.get_attribute("aria-describedby") or "").split()
        assert page.locator(f"#{described[-1]}").count() == 1
    page.locator("#t1").fill("5 Dec")
    expect(page.locator("#trial .error")).to_have_text(SAID[1:])
    page.get_by_label("Object").check()
    expect(page.locator("#trial fieldset .error")).to_have_count(0)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#t2")).to_be_focused()
