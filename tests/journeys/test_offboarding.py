"""Somebody leaves at 17:00: their access ends in every account, is proved, certified, and given back with one
click; and a list of leavers is checked row by row.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.axe import violations
from tests.journeys.conftest import SignIn

pytestmark = pytest.mark.journey
UNTIL_DONE = 300_000
FILE = "E-Mail;Left\nsilje.nordby@northline.example;today\nnobody@northline.example;today\n"


def approve(address: str, *approvers: Page) -> None:
    """As many agree as the rules ask for."""
    for approver in approvers:
        approver.goto(address)
        decide = approver.get_by_role("button", name="Approve")
        if decide.count():
            decide.first.click()
            approver.wait_for_load_state()


def test_somebody_leaves_everywhere_and_comes_back_by_one_click(sign_in: SignIn) -> None:
    ines, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    ines.goto("/leaving/new/?q=yoko.tanabe@northline.example")
    ines.get_by_role("link", name=re.compile("^Offboard ")).click()
    expect(ines.get_by_role("heading", name="Offboard Yoko Tanabe")).to_be_visible()
    assert violations(ines) == []
    ines.get_by_label("Reason").fill("Her last day")
    ines.get_by_role("button", name="Submit request").click()
    expect(ines.locator("main .badge").get_by_text("Waiting for approval")).to_be_visible()

    approve(ines.get_by_role("link", name="View the request").get_attribute("href") or "", hana, jonas)
    ended = ines.locator("main .badge").get_by_text("Access removed", exact=True)
    expect(ended).to_be_visible(timeout=UNTIL_DONE)
    expect(ines.get_by_text("In force").first).to_be_visible()
    assert violations(ines) == []
    person = ines.url
    ines.get_by_role("link", name="Certificate").click()
    expect(ines.get_by_text("Matches the journal")).to_be_visible()
    assert violations(ines) == []

    ines.goto(person)
    ines.set_viewport_size({"width": 390, "height": 844})
    ines.emulate_media(color_scheme="dark")
    assert violations(ines) == []
    ines.get_by_role("link", name="Request restore").press("Enter")
    assert violations(ines) == []
    ines.get_by_label("Reason").fill("It was the wrong one")
    ines.get_by_role("button", name="Submit request").click()
    approve(ines.get_by_role("link", name="View the request").first.get_attribute("href") or "", hana, jonas)
    back = ines.locator("main .badge").get_by_text("Access restored", exact=True)
    expect(back).to_be_visible(timeout=UNTIL_DONE)


def test_a_suspension_takes_four_clicks_and_somebody_else_ends_it(sign_in: SignIn) -> None:
    ines, hana = sign_in("ines.duarte"), sign_in("hana.sato")
    ines.goto("/leaving/new/?q=silje nordby")
    ines.get_by_role("link", name=re.compile("^Offboard ")).click()
    ines.get_by_label("Reason").fill("A laptop was stolen")
    ines.get_by_role("button", name="Suspend now").click()
    suspended = ines.locator("main .badge").get_by_text("Suspended, waiting for confirmation", exact=True)
    expect(suspended).to_be_visible(timeout=UNTIL_DONE)
    assert violations(ines) == []
    hana.goto(ines.url)
    hana.get_by_label("Comment").fill("The laptop was found")
    hana.get_by_role("button", name="Restore access now").click()
    back = hana.locator("main .badge").get_by_text("Access restored", exact=True)
    expect(back).to_be_visible(timeout=UNTIL_DONE)
    assert violations(hana) == []


def test_a_list_of_leavers_is_checked_before_anybody_is_asked_for(sign_in: SignIn) -> None:
    ines = sign_in("ines.duarte")
    ines.goto("/leaving/file/")
    assert violations(ines) == []
    file = {"name": "leavers.csv", "mimeType": "text/csv", "buffer": FILE.encode("utf-16")}
    ines.get_by_label("CSV file").set_input_files(file)
    ines.get_by_role("button", name="Check file").click()
    expect(ines.get_by_role("heading", name="Offboard Silje Nordby")).to_be_visible()
    expect(
        ines.get_by_text("No one in your accounts or teams matches. Try a name, email or user name.")
    ).to_be_visible()
    assert violations(ines) == []
    ines.get_by_label("Reason").fill("Their last day")
    ines.get_by_role("button", name="Submit request").click()
    expect(ines.get_by_text("1 of 2 rows need fixing")).to_be_visible()
    ines.get_by_role("button", name="Discard").click()
    expect(ines.get_by_text("List discarded")).to_be_visible()
