"""Devices of one's own beside an app: a label, a hardware token by its serial number, and a token whose clock
has drifted.
"""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from console.demo.organisation.people import ACCOUNT_IDS
from iam.people.enrolment import totp
from tests.journeys.axe import in_every_look
from tests.journeys.conftest import Running, SignIn
from tests.journeys.test_enrolment import number_of
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.journey
SEED = base64.b32encode(b"a token from the factory").decode().rstrip("=")
SERIAL = "GAHT20261127"
ACCOUNT = ACCOUNT_IDS["staging"]


def comes_from_the_factory(console: Running) -> None:
    """AWS knows the token and its seed, and it is nobody's."""
    addresses = json.loads((console.var / "environment.json").read_text(encoding="utf-8"))
    token = json.dumps({"account": ACCOUNT, "serial": SERIAL, "seed": SEED}).encode()
    url = f"{addresses['AWS_ENDPOINT_URL']}/_standin/token"
    urllib.request.urlopen(url, data=token, timeout=PATIENCE_S).close()


def type_codes(page: Page, *, drift: int, button: str) -> None:
    """Two codes in a row of a token whose clock is so many steps ahead, and the button; by the keyboard
    alone.
    """
    step = int(time.time() // totp.STEP) + drift
    page.get_by_label("Code now").fill(totp.code_at(SEED, step - 1))
    page.keyboard.press("Tab")
    page.keyboard.type(totp.code_at(SEED, step))
    page.get_by_role("button", name=button).press("Enter")


def is_applied(page: Page) -> None:
    """The page of the change follows to its end."""
    expect(page.locator("main .badge").get_by_text("Done", exact=True)).to_be_visible()


def test_somebody_labels_a_device_adds_a_hardware_token_and_brings_it_into_step(
    sign_in: SignIn, console: Running
) -> None:
    comes_from_the_factory(console)
    hana = sign_in("hana.sato")
    devices = f"/people/{number_of(hana, f'hana.sato&account={ACCOUNT}')}/credentials/"
    hana.goto(devices)
    hana.get_by_role("link", name=re.compile("^Label ")).first.press("Enter")
    hana.get_by_role("textbox", name="Label").fill("Pixel 9 - private")
    hana.get_by_role("textbox", name="Label").press("Enter")
    is_applied(hana)

    hana.goto(devices)
    expect(hana.get_by_text("Pixel 9 - private")).to_be_visible()
    hana.get_by_role("link", name="Add a device").click()
    hana.get_by_role("link", name="a hardware token").press("Enter")
    hana.get_by_label("Serial number").fill(SERIAL)
    type_codes(hana, drift=20, button="Add the token")
    expect(hana.locator("main").get_by_text("Failed", exact=True).first).to_be_visible()
    hana.goto(devices)
    expect(hana.get_by_text(SERIAL)).to_have_count(0)

    hana.get_by_role("link", name="Add a device").click()
    hana.get_by_role("link", name="a hardware token").press("Enter")
    hana.get_by_label("Serial number").fill(SERIAL)
    assert in_every_look(hana) == []
    type_codes(hana, drift=0, button="Add the token")
    is_applied(hana)

    hana.goto(devices)
    expect(hana.get_by_text(SERIAL).first).to_be_visible()
    hana.get_by_role("link", name=f"Resync {SERIAL}").press("Enter")
    type_codes(hana, drift=20, button="Check the codes")
    is_applied(hana)
