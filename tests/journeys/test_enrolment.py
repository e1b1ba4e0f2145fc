"""A person adds an MFA device from the mail to the enabled device, on a phone, with real codes that the
stand-in checks.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from iam.people.enrolment import totp
from tests.iam.people.enrolment.test_no_seed_anywhere import in_redis
from tests.journeys.axe import OF_COLOUR, STILL, violations
from tests.journeys.conftest import Running, SignIn, send
from tests.services.browser import TIMEOUT_MS

pytestmark = pytest.mark.journey
PHONE = {"width": 390, "height": 844}
MAX_CLICKS = 6
MAX_TABS = 60
TOO_LATE = "The two codes are older than a minute"


@pytest.fixture
def phone(browser: Browser, console: Running) -> Iterator[BrowserContext]:
    """A phone that knows nothing of Gatehouse; scripts run or not, by the test."""
    context = browser.new_context(base_url=console.url, viewport=PHONE, has_touch=True)
    yield context
    context.close()


@pytest.fixture
def plain_phone(browser: Browser, console: Running) -> Iterator[BrowserContext]:
    """The same without JavaScript."""
    context = browser.new_context(base_url=console.url, viewport=PHONE, java_script_enabled=False)
    yield context
    context.close()


def number_of(page: Page, name: str) -> str:
    """The number of the first user of this name."""
    page.goto(f"/people/?q={name}")
    addresses = page.eval_on_selector_all("main a[href]", "all => all.map(a => a.getAttribute('href'))")
    (number, *_) = [match[1] for address in addresses if (match := re.match(r"/people/(\d+)/", address))]
    return number


def link_for(sign_in: SignIn, name: str) -> str:
    """An administrator asks somebody; the link as it is passed on."""
    page = sign_in("ines.duarte")
    page.goto(f"/mfa/{number_of(page, name)}/send/")
    assert violations(page) == []
    page.get_by_role("button", name="Show it to pass it on").click()
    shown = page.locator("#made-link").text_content()
    assert shown is not None
    assert violations(page) == []
    return shown


class Hand:
    """What a person does on the page; presses are counted. By key nothing is touched: Tab leads
    everywhere.
    """

    def __init__(self, page: Page, *, by_key: bool = False) -> None:
        self.page, self.by_key, self.presses, self.codes = page, by_key, 0, 0

    def press(self, name: str) -> None:
        """Press a button, by thumb or by key."""
        button = self.page.get_by_role("button", name=name)
        if self.by_key:
            self.go_to(button)
            self.page.keyboard.press("Enter")
        else:
            button.click()
        self.presses += 1

    def go_to(self, wanted: Locator) -> None:
        """Press Tab until it has the focus."""
        for _ in range(MAX_TABS):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{wanted} is not reached by {MAX_TABS} times Tab")

    def type_codes(self) -> str:
        """Type two codes in a row, of the secret that the page shows; the secret."""
        text = self.page.locator("#seed").text_content()
        assert text is not None
        seed, step = text.replace(" ", ""), int(time.time() // totp.STEP)
        for field, at in (("#first", step - 1), ("#second", step)):
            if self.by_key:
                self.go_to(self.page.locator(field))
            else:
                self.page.locator(field).click()
            self.page.keyboard.type(totp.code_at(seed, at))
            self.codes += 1
        return seed

    def type_again(self) -> None:
        """Type two new codes, because no worker took the first ones within a minute: the machine is busy.
        They aren't counted.
        """
        presses, codes = self.presses, self.codes
        self.type_codes()
        self.press("Check the codes")
        self.presses, self.codes = presses, codes

    def wait_for(self, text: str) -> None:
        """Wait until the page says it; without scripts, by looking again."""
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while not self.page.get_by_text(text).first.is_visible():
            assert time.monotonic() < deadline, self.page.locator("main").inner_text()
            if self.page.get_by_text(TOO_LATE).first.is_visible():
                self.type_again()
            again = self.page.get_by_role("link", name="Refresh")
            if again.is_visible():
                again.click()
            self.page.wait_for_timeout(200)


def is_fine(page: Page) -> None:
    """No violation in light, no contrast too weak in dark, and nothing wider than the phone."""
    page.evaluate(STILL)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, only=OF_COLOUR) == []
    page.emulate_media(color_scheme="light")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1


def left_behind(console: Running) -> dict[str, bytes]:
    """Everything that the console has written: database with its log, mails, lines of all processes, beat,
    and all that lies in Redis.

    The folder of the stand-in is AWS, which knows the secret; the pages that it answered with are nowhere.
    """
    files = [
        path
        for path in console.var.rglob("*")
        if path.is_file() and "aws" not in path.relative_to(console.var).parts
    ]
    left_behind = {str(path.relative_to(console.var)): path.read_bytes() for path in files}
    left_behind["output"] = console.output.read_bytes()
    redis_url = json.loads(left_behind["environment.json"])["REDIS_URL"]
    if redis_url.startswith("redis"):
        left_behind["redis"] = in_redis(redis_url).encode()
    return left_behind


def test_from_the_link_to_the_device_on_a_phone(
    sign_in: SignIn, phone: BrowserContext, console: Running
) -> None:
    address = link_for(sign_in, "tomas.lind")
    page = phone.new_page()
    hand = Hand(page, by_key=True)
    page.goto(address)
    is_fine(page)
    hand.press("Start")
    hand.wait_for("Show the QR code")
    is_fine(page)
    hand.press("Show the QR code")
    hand.wait_for("On a computer? Scan this code with the app, or type the secret")
    is_fine(page)
    page.reload()
    seed = hand.type_codes()
    hand.press("Check the codes")
    hand.wait_for("Your phone is added")
    is_fine(page)
    assert (hand.presses, hand.codes) == (3, 2), f"{MAX_CLICKS} clicks and two codes are the most"

    page.goto(address)
    inner_text = page.locator("main").inner_text()
    assert "You are done with this link" in inner_text or "was used" in inner_text

    (cookie,) = [cooky for cooky in phone.cookies() if "link" in cooky.get("name", "")]
    secrets = {"seed": seed, "link": address.split("/link/")[1].strip("/"), "cookie": cookie.get("value", "")}
    places = left_behind(console)
    assert {"gatehouse.sqlite3", "output"} <= places.keys()
    kept = [
        (what, where)
        for what, secret in secrets.items()
        for where, text in places.items()
        if secret.encode() in text
    ]
    assert kept == []


def test_a_lost_device_is_replaced_by_two_people_and_the_new_one_added_without_scripts(
    sign_in: SignIn, plain_phone: BrowserContext
) -> None:
    ines, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    ines.goto(f"/people/{number_of(ines, 'elif.kaya')}/credentials/")
    expect(ines.get_by_role("link", name="Send a link")).to_have_count(0)
    ines.get_by_role("link", name=re.compile("^Report as lost")).first.click()
    ines.get_by_label("How you heard of it").select_option("chat")
    ines.get_by_role("textbox", name="What happened").fill("Left in a train")
    assert violations(ines) == []
    ines.get_by_role("button", name="Request replacement").click()
    expect(ines.get_by_text("You requested it, so someone else has to confirm it.")).to_be_visible()

    hana.goto(ines.url)
    hana.get_by_label("How you contacted them").select_option("phone")
    hana.get_by_label("How you confirmed it").fill(
        "Called her at the number in the directory; I know her voice."
    )
    assert violations(hana) == []
    hana.get_by_role("button", name="This is Elif Kaya").click()
    removal = hana.get_by_role("link", name=re.compile("^CHG-")).get_attribute("href") or ""
    hana.get_by_role("button", name="Show a link").click()
    address = hana.locator("#made-link").text_content() or ""
    assert violations(hana) == []

    page = plain_phone.new_page()
    hand = Hand(page)
    page.goto(address)
    hand.press("Start")
    hand.press("Show the QR code")
    hand.wait_for("On a computer? Scan this code with the app, or type the secret")
    hand.type_codes()
    hand.press("Check the codes")
    hand.wait_for("Your phone is added")
    assert (hand.presses, hand.codes) == (3, 2)

    # What it would do has changed with the new device, so that the first press shows it anew.
    for approver in (hana, hana, jonas):
        approver.goto(removal)
        if (decide := approver.get_by_role("button", name="Approve")).count():
            send(decide.first)
    expect(jonas.locator("main .badge").get_by_text("Done", exact=True)).to_be_visible()
    ines.goto(f"/people/{number_of(ines, 'elif.kaya')}/credentials/")
    expect(ines.get_by_role("link", name=re.compile("^Report as lost"))).to_have_count(1)
