"""A campaign for MFA from its form to its end in AWS: an invitation by mail, progress that follows, an
exception with an end, and what the rule asks for.
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from celery import Celery
from playwright.sync_api import Browser, Locator, Page, expect

from console.demo.organisation.people import ACCOUNT_IDS
from tests.journeys.axe import in_every_look, violations
from tests.journeys.conftest import Running, SignIn
from tests.journeys.test_enrolment import PHONE, Hand, number_of
from tests.journeys.test_first_write import approve
from tests.services.browser import TIMEOUT_MS

pytestmark = pytest.mark.journey
STAGING = ACCOUNT_IDS["staging"]
INVITED = "marcus.webb@northline.example"


def let_the_beat_come_by(
    console: Running, task: str = "iam.people.campaigns.tasks.reconcile_campaigns"
) -> None:
    """What happens every few minutes happens now."""
    broker = json.loads((console.var / "environment.json").read_text(encoding="utf-8"))["REDIS_URL"]
    if not broker.startswith("redis"):
        pytest.skip("Redis (no beat can be sent by hand without it)")
    with Celery("journey", broker=broker, set_as_current=False) as app:
        app.send_task(task, queue="gatehouse")


def let_days_pass(console: Running) -> None:
    """The campaign was due yesterday."""
    yesterday = (datetime.now(tz=UTC) - timedelta(days=1)).date().isoformat()
    with console.database() as database:
        database.execute("UPDATE people_campaigns_campaign SET due = ?", [yesterday])
        database.commit()


def invitation(console: Running) -> str:
    """The link in the mail to anyone who is invited, as soon as it is there."""
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while time.monotonic() < deadline:
        for file in sorted((console.var / "mail").iterdir()):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            body = mail.get_body(("plain",)) if mail["to"] == INVITED else None
            if body and (match := re.search(r"/link/\S+", body.get_content())):
                return match[0]
        time.sleep(0.2)
    raise AssertionError(f"no invitation was sent to {INVITED}")


def reload_until(page: Page, wanted: Locator) -> None:
    """Look again until the page shows it."""
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while not wanted.count():
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        page.wait_for_timeout(300)
        page.reload()


def begin(page: Page) -> None:
    """The form, by Tab and Enter where it is sent."""
    page.goto("/mfa/campaigns/new/")
    page.get_by_label("Name").fill("Staging by Friday")
    page.get_by_label("Who takes part").select_option(label="staging")
    page.get_by_label("Due date", exact=True).fill(f"{datetime.now(tz=UTC).date() + timedelta(days=3)}")
    page.get_by_label("Request deletion of their console passwords").check()
    page.get_by_label("Reason", exact=True).fill("PCI 8.4.2")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The mail")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Start campaign").click()
    expect(page.get_by_role("heading", name="Staging by Friday")).to_be_visible()


def excuse(page: Page, name: str) -> None:
    """Until tonight, for a reason."""
    row = page.get_by_role("row").filter(has_text=name)
    row.locator("summary").press("Enter")
    row.get_by_label("Exempt until").fill(f"{datetime.now(tz=UTC).date()}")
    row.get_by_label("Reason").fill("On leave")
    row.get_by_label("Reason").press("Enter")
    expect(row).to_contain_text("On leave")


def enrol(browser: Browser, console: Running) -> None:
    """Anyone who was invited adds a device on a phone, by the link of the mail alone."""
    context = browser.new_context(base_url=console.url, viewport=PHONE)
    hand = Hand(context.new_page())
    hand.page.goto(invitation(console))
    hand.press("Start")
    hand.press("Show the QR code")
    hand.wait_for("On a computer? Scan this code with the app, or type the secret")
    hand.type_codes()
    hand.press("Check the codes")
    hand.wait_for("Your phone is added")
    context.close()


def test_a_campaign_goes_from_its_form_to_its_end_in_aws(
    sign_in: SignIn, browser: Browser, console: Running
) -> None:
    ines = sign_in("ines.duarte")
    ines.goto(f"/people/{number_of(ines, f'marcus.webb&account={STAGING}')}/users/")
    ines.get_by_role("button", name="Add and link").click()
    begin(ines)
    locator = ines.get_by_role("status").get_by_text(re.compile(r"^\d+ of \d+$"))
    before, everybody = (int(number) for number in locator.inner_text().split(" of "))
    campaign = ines.url
    let_the_beat_come_by(console)
    enrol(browser, console)
    # The page is not touched meanwhile: its progress follows by itself.
    expect(locator).to_have_text(f"{before + 1} of {everybody}")
    ines.goto("/settings/notifications/")
    expect(ines.get_by_role("row").filter(has_text="Marcus Webb").first).to_contain_text("Sent")
    assert "/link/" not in ines.content()

    ines.goto(campaign)
    excuse(ines, "nadia.rossi")
    let_days_pass(console)
    let_the_beat_come_by(console)
    asked = ines.get_by_role("link", name=re.compile("^CHG-"))
    reload_until(ines, asked)
    rows = ines.get_by_role("row").filter(has=asked)
    assert everybody > rows.count() > 0
    assert in_every_look(ines) == []
    request, hana = asked.first.get_attribute("href") or "", sign_in("hana.sato")
    hana.goto(request)
    hana.locator("summary", has_text="Delete console password of joana.castro").press("Enter")
    expect(hana.get_by_text("iam:DeleteLoginProfile").filter(visible=True)).to_be_visible()
    assert violations(hana) == []
    approve(request, hana, sign_in("jonas.berg"))
    expect(ines.get_by_role("row").filter(has_text="nadia.rossi")).to_contain_text("Exempt")
    # Anyone who has no password any more comes last.
    ines.goto(f"{campaign}?page=2")
    reload_until(
        ines, ines.get_by_role("row").filter(has_text="joana.castro").filter(has_text="No longer included")
    )
