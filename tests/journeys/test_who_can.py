"""Who can: asked with suggestions, answered in place, explained in a drawer; and nothing that axe finds."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.axe import violations
from tests.journeys.conftest import SignIn
from tests.journeys.test_every_page import look

pytestmark = pytest.mark.journey

STOPPED = "/access/who-can/?action=cloudtrail:StopLogging"
REACHED = "/access/who-can/?action=iam:CreateUser"


def test_somebody_asks_who_can_and_reads_why(sign_in: SignIn) -> None:
    page = sign_in("amara.diallo")
    page.goto("/access/who-can/")
    page.get_by_label("Action or service").fill("iam:createaccess")
    expect(page.locator("#acts option[value='iam:CreateAccessKey']")).to_have_count(1)
    page.get_by_label("Action or service").fill("iam:CreateAccessKey")
    page.get_by_label("Resource", exact=True).fill("tomas.lind")
    arn = page.locator("#ress option").first
    expect(arn).to_have_attribute("value", "arn:aws:iam::447109238816:user/people/tomas.lind")
    page.get_by_label("Resource", exact=True).fill(str(arn.get_attribute("value")))
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#sum-h")).to_contain_text("can")
    expect(page).to_have_url(re.compile("resource=arn"))
    details = page.get_by_role("link", name="Details of Ines Duarte")
    asked = page.url
    details.click()
    drawer = page.locator("dialog[open]")
    expect(drawer.get_by_text("Through group iam-admins").first).to_be_visible()
    assert violations(page) == []
    assert page.url == asked
    page.keyboard.press("Escape")
    expect(details).to_be_focused()
    expect(page.locator("#reach h2")).to_have_text("Escalation paths to this access")
    expect(page.locator("#reach .path").first).to_be_visible()
    page.get_by_label("Action or service").fill("nonsense")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#q-action-e")).to_contain_text("no service with the prefix nonsense")
    expect(page.get_by_label("Action or service")).to_be_focused()


def test_answers_pass_axe(sign_in: SignIn) -> None:
    page = sign_in("ines.duarte")
    page.goto(STOPPED)
    why = str(page.get_by_role("link", name="Details of").first.get_attribute("href"))
    problems: list[str] = []
    for address in (STOPPED, REACHED, why):
        problems += look(page, address)
    assert not problems, "\n".join(problems)
