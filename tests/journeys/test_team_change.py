"""Somebody changes teams: a user is made with an invitation where only the new blueprint leads, and the one
of before ends with a grace period.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.axe import violations
from tests.journeys.conftest import SignIn
from tests.journeys.test_offboarding import UNTIL_DONE, approve

pytestmark = pytest.mark.journey


def test_an_analyst_moves_to_payments_in_one_request(sign_in: SignIn) -> None:
    ines, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    ines.goto("/onboarding/")
    ines.get_by_role("link", name="Onboard 3 people to Analysts").click()
    expect(ines.locator("main .badge").get_by_text("Done", exact=True)).to_be_visible(timeout=UNTIL_DONE)
    ines.get_by_text("Mateo Silva", exact=True).click()
    mateo = ines.locator("details", has_text="Mateo Silva")
    mateo.get_by_role("link", name="IAM user in data").click()
    ines.get_by_role("link", name="Change team", exact=True).click()
    ines.get_by_label("To", exact=True).select_option("Developer, Payments")
    ines.get_by_role("button", name="Show what changes").press("Enter")
    expect(ines.get_by_text("Loses 3, gains 8.")).to_be_visible()
    assert violations(ines) == []

    ines.get_by_label("Reason").fill("Builds payment reports from December on")
    ines.get_by_role("button", name="Submit request").click()
    approve(ines.get_by_role("link", name="View the request").get_attribute("href") or "", hana, jonas)
    moved = ines.locator("main .badge").get_by_text("Done", exact=True)
    expect(moved).to_be_visible(timeout=UNTIL_DONE)
    ines.set_viewport_size({"width": 390, "height": 844})
    ines.emulate_media(color_scheme="dark")
    assert violations(ines) == []
    ines.get_by_role("link", name="Access that ends").click()
    expect(ines.get_by_text("This person changes team and keeps working.")).to_be_visible()
    ended = ines.locator("main .badge").get_by_text("Access removed", exact=True)
    expect(ended).to_be_visible(timeout=UNTIL_DONE)
