"""A person adds an MFA device from the mail to the enabled device, on a phone, with real codes that the stand-in checks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from iam.people.enrolment import totp
from tests.journeys.axe import violations
from tests.journeys.conftest import Running, SignIn

pytestmark = pytest.mark.journey
PHONE = {"width": 390, "height": 844}
MOST_CLICKS = 6
PATIENCE = 60_000


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


def link_for(sign_in: SignIn, name: str) -> str:
    """An administrator asks somebody; the link as it is passed on."""
    page = sign_in("ines.duarte")
    page.set_default_timeout(PATIENCE)
    page.goto(f"/people/?q={name}")
    addresses = page.eval_on_selector_all("main a[href]", "all => all.map(a => a.getAttribute('href'))")
    (number, *_) = [found[1] for one in addresses if (found := re.match(r"/people/(\d+)/", one))]
    page.goto(f"/mfa/{number}/send/")
    assert violations(page) == []
    page.get_by_role("button", name="Show it to pass it on").click()
    shown = page.locator("#made-link").text_content()
    assert shown is not None
    assert violations(page) == []
    return shown


class Hand:
    """What a person does on the page; presses are counted."""

    def __init__(self, page: Page, *, by_key: bool = False) -> None:
        self.page, self.by_key, self.presses = page, by_key, 0
        page.set_default_timeout(PATIENCE)

    def press(self, name: str) -> None:
        """Press a button, by thumb or by key."""
        button = self.page.get_by_role("button", name=name)
        if self.by_key:
            button.focus()
            self.page.keyboard.press("Enter")
        else:
            button.click()
        self.presses += 1

    def type_codes(self) -> None:
        """Type two codes in a row, of the secret that the page shows."""
        text = self.page.locator("#seed").text_content()
        assert text is not None
        step = int(time.time() // totp.STEP)
        for field, at in (("#first", step - 1), ("#second", step)):
            self.page.locator(field).focus()
            self.page.keyboard.type(totp.code_at(text.replace(" ", ""), at))

    def wait_for(self, text: str) -> None:
        """Wait until the page says it; without scripts, by looking again."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.page.get_by_text(text).first.is_visible():
            assert time.monotonic() < deadline, self.page.locator("main").inner_text()
            again = self.page.get_by_role("link", name="Look again")
            if again.is_visible():
                again.click()
            self.page.wait_for_timeout(200)


def test_from_the_link_to_the_device_on_a_phone(sign_in: SignIn, phone: BrowserContext) -> None:
    address = link_for(sign_in, "tomas.lind")
    page = phone.new_page()
    hand = Hand(page, by_key=True)
    page.goto(address)
    assert violations(page) == []
    hand.press("Start")
    hand.wait_for("Show the QR code")
    assert violations(page) == []
    hand.press("Show the QR code")
    hand.wait_for("Or scan with another phone, or type")
    assert violations(page) == []
    page.reload()
    hand.type_codes()
    hand.press("Check the codes")
    hand.wait_for("is enrolled")
    assert violations(page) == []
    assert hand.presses <= MOST_CLICKS
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"] + 1

    page.goto(address)
    assert "What this link was for is done" in page.locator("main").inner_text() or "was used" in (
        page.locator("main").inner_text()
    )


def test_without_scripts_it_takes_looking_again(sign_in: SignIn, plain_phone: BrowserContext) -> None:
    address = link_for(sign_in, "elif.kaya")
    page = plain_phone.new_page()
    hand = Hand(page)
    page.goto(address)
    hand.press("Start")
    hand.press("Show the QR code")
    hand.wait_for("Or scan with another phone, or type")
    hand.type_codes()
    hand.press("Check the codes")
    hand.wait_for("is enrolled")
