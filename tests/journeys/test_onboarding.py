"""A team lead onboards five people before lunch, from a file; approvers agree; everything but MFA is followed
as it comes true.
"""

from __future__ import annotations

import re
import time
from email import message_from_bytes, policy

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.axe import violations
from tests.journeys.conftest import Running, SignIn

pytestmark = pytest.mark.journey
UNTIL_DONE = 300_000
FILE = """\
Name;E-Mail;User name
Zoë Łukasz;zoe.lukasz@northline.example;
Bo O'Brien;bo.obrien@northline.example;
Mia Mora;mia.mora@northline.example;
Ada Adler;ada.adler@northline.example;
Jo Jung;jo.jung@northline.example;jo.jung.dev
"""


def write_blueprint(page: Page, name: str, *, account: str, groups: str = "") -> None:
    """By its lead, for one account."""
    page.goto("/onboarding/blueprints/")
    page.get_by_role("link", name="New blueprint").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label(account).check()
    page.get_by_label("Path").fill("/payments/")
    page.get_by_label("Groups").fill(groups)
    assert violations(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def let_them_change_their_password(page: Page) -> None:
    """Nothing lets new people do so; the page says it, and one click puts it right."""
    expect(page.get_by_text("New people can’t change their first password")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Add “Change your own password”").click()
    expect(page.get_by_text("New people can’t change their first password")).to_have_count(0)


def approve(address: str, *approvers: Page) -> None:
    """As many agree as the rules ask for."""
    for approver in approvers:
        approver.goto(address)
        decide = approver.get_by_role("button", name="Approve")
        if decide.count():
            decide.first.click()
            approver.wait_for_load_state()


def invitation_of(console: Running, address: str) -> str:
    """The link in the mail to this address, as soon as it is there."""
    deadline = time.monotonic() + UNTIL_DONE / 1000
    while time.monotonic() < deadline:
        for file in sorted((console.var / "mail").iterdir()):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            if mail["to"] == address and "access to AWS" in mail["subject"]:
                body = mail.get_body(("plain",))
                match = re.search(r"/link/\S+", body.get_content() if body else "")
                assert match
                return match[0]
        time.sleep(0.2)
    raise AssertionError(f"no invitation was sent to {address}")


def take_password(browser: Browser, console: Running) -> None:
    """On a phone, without signing in: open the link, see the password, reload and see it again, and go on to
    the second factor.
    """
    context = browser.new_context(base_url=console.url, viewport={"width": 390, "height": 844})
    phone = context.new_page()
    phone.goto(invitation_of(console, "zoe.lukasz@northline.example"))
    phone.get_by_role("button", name="Start").click()
    expect(phone.get_by_role("heading", name="Welcome, Zoë Łukasz")).to_be_visible()
    phone.get_by_role("button", name="Show my first password").click()
    expect(phone.get_by_role("button", name="Copy password")).to_be_visible()
    assert violations(phone) == []
    password = phone.get_by_role("button", name="Copy password").get_attribute("data-copy")
    phone.goto("/invitation/")
    expect(phone.get_by_role("button", name="Copy password")).to_have_count(0)
    phone.get_by_role("button", name="Show my first password again").click()
    assert phone.get_by_role("button", name="Copy password").get_attribute("data-copy") == password
    assert violations(phone) == []
    phone.get_by_role("link", name="Next: add my phone").click()
    phone.wait_for_url("**/enrol/")
    context.close()


def test_a_lead_onboards_five_people_before_lunch(
    sign_in: SignIn, console: Running, browser: Browser
) -> None:
    lead, hana, jonas = sign_in("elif.kaya"), sign_in("hana.sato"), sign_in("jonas.berg")
    write_blueprint(lead, "Sandbox", account="sandbox")
    let_them_change_their_password(lead)
    write_blueprint(lead, "Developers", account="production", groups="payments-dev")
    # The password policy of this account lets its users change their passwords.
    expect(lead.get_by_text("New people can’t change their first password")).to_have_count(0)
    lead.get_by_role("link", name="Onboard people").click()
    lead.wait_for_url("**/people/")
    assert violations(lead) == []
    file = {"name": "joiners.csv", "mimeType": "text/csv", "buffer": FILE.encode("utf-16")}
    lead.get_by_label("CSV file").set_input_files(file)
    lead.get_by_role("button", name="Continue").last.click()
    expect(lead.get_by_role("heading", name="Onboard 5 people to Payments")).to_be_visible()
    expect(lead.get_by_text("zoe.lukasz", exact=True)).to_be_visible()
    assert violations(lead) == []
    lead.get_by_label("Reason").fill("The new squad begins today")
    lead.get_by_role("button", name="Submit request").click()
    expect(lead.get_by_text("Waiting for approval").first).to_be_visible()
    request = lead.get_by_role("link", name="View the request").get_attribute("href") or ""

    approve(request, hana, jonas)
    expect(lead.get_by_text("15 of 15 changes done").first).to_be_visible(timeout=UNTIL_DONE)
    expect(lead.get_by_text("Waiting for the person").first).to_be_visible()
    assert violations(lead) == []
    expect(lead.locator(".page-head").get_by_text("Done", exact=True)).to_be_visible(timeout=UNTIL_DONE)
    take_password(browser, console)
    lead.set_viewport_size({"width": 390, "height": 844})
    lead.emulate_media(color_scheme="dark")
    # Colours that change while the page is open are looked at half-way.
    lead.reload()
    lead.locator("summary", has_text="Zoë").press("Enter")
    expect(lead.get_by_text(re.compile("IAM user zoe.lukasz created")).first).to_be_visible()
    assert violations(lead) == []


def test_five_people_take_four_clicks_besides_their_names(sign_in: SignIn) -> None:
    """From the page of onboarding to the submitted request: onboard, continue, submit; the fields are
    typed.
    """
    lead = sign_in("elif.kaya")
    lead.goto("/onboarding/")
    clicks = 0

    def click(name: str, role: str = "button") -> None:
        nonlocal clicks
        lead.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]
        clicks += 1

    click("Onboard people with Developer of Payments", "link")
    lead.wait_for_url("**/people/")
    for number in range(5):
        lead.locator(f"#r{number}-name").fill(f"Nova Person{'abcde'[number]}")
        lead.locator(f"#r{number}-email").fill(f"nova.{number}@northline.example")
    click("Continue")
    expect(lead.get_by_role("heading", name="Onboard 5 people to Payments")).to_be_visible()
    lead.get_by_label("Reason").fill("The new squad begins today")
    click("Submit request")
    expect(lead.get_by_text("Waiting for approval").first).to_be_visible()
    assert clicks <= 4
