"""Simulate and Compare in a browser: asked in place, kept in the address, and nothing that axe finds in their
answers.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.axe import OF_COLOUR, violations
from tests.journeys.conftest import SignIn

pytestmark = pytest.mark.journey

REQUEST = (
    "/access/simulate/?principal=kwame.boateng&action=s3:GetObject"
    "&resource=arn:aws:s3:::pay-ledger/x.csv&ip=10"
)
ANSWER = REQUEST.replace("&ip=10", "&mfa=yes&ctx=aws:RequestedRegoin=eu-west-1")
SIDES = "/access/compare/?a=kwame.boateng&b=arn:aws:iam::447109238816:role/workloads/pay-settle"


def test_somebody_simulates_a_request_and_changes_its_circumstances(sign_in: SignIn) -> None:
    page = sign_in("amara.diallo")
    page.goto("/access/simulate/")
    page.get_by_label("Principal", exact=True).fill("kwame")
    expect(page.locator("#whos option").first).to_have_attribute(
        "value", "arn:aws:iam::447109238816:user/people/kwame.boateng"
    )
    page.get_by_label("Principal", exact=True).fill("kwame.boateng")
    page.get_by_label("Action", exact=True).fill("s3:GetObject")
    page.get_by_label("Resource", exact=True).fill("arn:aws:s3:::pay-ledger/exports/x.csv")
    page.get_by_role("button", name="Simulate").click()
    expect(page.locator("#an-h")).to_contain_text("DenyLedgerExport of group payments-dev")
    expect(page).to_have_url(re.compile("principal=kwame.boateng"))
    page.get_by_text("Conditions of the request").click()
    page.get_by_label("MFA", exact=True).select_option("yes")
    page.get_by_role("button", name="Add condition").click()
    expect(page.get_by_role("button", name="Remove condition: MFA present")).to_be_visible()
    expect(page).to_have_url(re.compile("mfa=yes"))
    page.get_by_role("button", name="Remove condition: MFA present").click()
    expect(page.get_by_role("button", name="Remove condition: MFA present")).to_have_count(0)
    page.get_by_text("Policies that Gatehouse hasn’t synced").click()
    page.get_by_label("Resource-based policy").fill('{"Version": ')
    page.get_by_role("button", name="Simulate").click()
    expect(page.locator("#s-resource-policy-e")).to_contain_text("Line 1, column 12")
    expect(page.get_by_label("Resource-based policy")).to_be_focused()


def test_answers_pass_axe(sign_in: SignIn) -> None:
    page = sign_in("ines.duarte")
    problems: list[str] = []
    for address in (REQUEST, ANSWER, SIDES):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="dark")
        page.goto(address)
        problems += [f"dark {address}: {line}" for line in violations(page, only=OF_COLOUR)]
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(address)
        problems += [f"narrow {address}: {line}" for line in violations(page)]
        assert page.evaluate("document.documentElement.scrollWidth") <= 391, address
    assert not problems, "\n".join(problems)
