"""A member rotates a key of their own on the running console: asked for, approved, the secret fetched once,
used, seen in use.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.axe import violations
from tests.journeys.conftest import SignIn
from tests.journeys.test_first_write import approve

pytestmark = pytest.mark.journey


def test_a_member_rotates_their_key_up_to_its_use(sign_in: SignIn) -> None:
    page = sign_in("tomas.lind", width=390, height=844)
    page.goto("/keys/mine/")
    assert violations(page) == []
    page.get_by_role("link", name=re.compile("^Rotate AKIA")).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Rotate an access key")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Reason").fill("Older than 90 days")
    page.get_by_role("button", name="Submit request").click()
    expect(page.get_by_role("heading", name=re.compile("^Rotation of AKIA"))).to_be_visible()
    assert violations(page) == []
    request = page.locator("#live a", has_text="CHG-").first.get_attribute("href") or ""
    approve(request, sign_in("hana.sato"), sign_in("jonas.berg"))

    expect(page.get_by_role("button", name="Show it once")).to_be_visible()
    page.get_by_role("button", name="Show it once").click()
    secret = page.locator("#row-secret").text_content() or ""
    assert len(secret) == 40
    assert violations(page) == []
    page.reload()
    expect(page.get_by_text("It can’t be shown")).to_be_visible()
    assert secret not in page.content()
    page.get_by_role("link", name="Back to the rotation").click()
    expect(page.get_by_role("heading", name=re.compile("^Rotation of AKIA"))).to_be_visible()
    assert secret not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= 391

    administrator = sign_in("ines.duarte")
    administrator.goto("/keys/rotations/")
    expect(administrator.get_by_text("Both keys active").first).to_be_visible()
    assert secret not in administrator.content()
    assert violations(administrator) == []
