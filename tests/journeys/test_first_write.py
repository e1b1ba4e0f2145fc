"""A person is added to a group: asked for by one operator, approved by two others in turn, applied in AWS,
undone.
"""

from __future__ import annotations

import json
import os
import re
import signal

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from tests.journeys.conftest import Running, SignIn
from tests.journeys.processes import command_line, descendants

pytestmark = pytest.mark.journey

CHANGE = re.compile(r"/changes/[0-9a-f-]{36}/$")


def approve(address: str, *approvers: Page) -> None:
    """As many approve a change on its own page as the rules ask for."""
    for approver in approvers:
        approver.goto(address)
        if approver.get_by_role("button", name="Approve").count():
            approver.get_by_role("button", name="Approve").click()
            expect(approver.get_by_role("button", name="Approve")).to_have_count(0)


def see_applied(requester: Page) -> None:
    """The requester's open page follows by itself, without a reload."""
    expect(requester.locator(".page-head").get_by_text("Done", exact=True)).to_be_visible()
    expect(requester.locator("#live")).not_to_have_attribute("hx-get", re.compile("."))


def ask_for(requester: Page, *, person: str, group: str, why: str) -> str:
    """Ask that a person joins a group, from their page; the address of the change."""
    requester.goto(f"/people/?q={person.lower().replace(' ', '.')}")
    requester.get_by_role("link", name=person).first.click()
    requester.get_by_role("link", name="Add to group").first.click()
    requester.get_by_role("link", name=re.compile(group)).first.click()
    requester.get_by_label("Why is this needed?").fill(why)
    requester.get_by_role("button", name="Submit request").click()
    requester.wait_for_url(CHANGE)
    return requester.url


def test_a_membership_is_requested_approved_applied_and_undone(sign_in: SignIn) -> None:
    admin, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    admin.goto("/people/?q=aaron.blake")
    admin.get_by_role("link", name="Aaron Blake").first.click()
    admin.get_by_role("link", name="Add to group").first.click()
    admin.get_by_role("link", name=re.compile("deployers")).first.click()
    expect(admin.get_by_text("iam:AddUserToGroup").first).to_be_visible()
    expect(admin.get_by_text("PaymentsDeploy").first).to_be_visible()
    admin.get_by_label("Why is this needed?").fill("Covers the release on Friday")
    admin.get_by_role("button", name="Submit request").click()
    admin.wait_for_url(CHANGE)
    change = admin.url
    expect(admin.get_by_role("button", name="Approve")).to_have_count(0)

    hana.goto("/changes/approvals/")
    expect(hana.get_by_text("Add aaron.blake to deployers").first).to_be_visible()
    approve(change, hana)
    expect(admin.get_by_text("Hana Sato approved").first).to_be_visible()
    expect(admin.locator("main").get_by_text("Waiting for approval").first).to_be_visible()
    approve(change, hana, jonas)
    see_applied(admin)
    admin.goto("/people/?q=aaron.blake")
    expect(admin.get_by_role("row", name=re.compile("Aaron Blake"))).to_contain_text("deployers")

    admin.goto(change)
    admin.get_by_role("link", name=re.compile("Undo")).first.click()
    admin.get_by_label("Why undo it?").fill("The release is out")
    admin.get_by_role("button", name="Submit request").click()
    admin.wait_for_url(lambda url: bool(CHANGE.search(url)) and url != change)
    approve(admin.url, hana, jonas)
    see_applied(admin)
    admin.goto("/people/?q=aaron.blake")
    expect(admin.get_by_role("row", name=re.compile("Aaron Blake"))).not_to_contain_text("deployers")


def test_an_emptied_broker_and_killed_workers_only_delay_a_change(sign_in: SignIn, console: Running) -> None:
    admin, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    change = ask_for(admin, person="Agnieszka Wrona", group="deployers", why="Helps with the release")
    worker = next(pid for pid in descendants(console.process.pid) if b"celery" in command_line(pid))
    os.kill(worker, signal.SIGKILL)
    broker = Redis.from_url(json.loads((console.var / "environment.json").read_text())["REDIS_URL"])
    approve(change, hana, jonas)
    broker.flushall()
    broker.close()
    see_applied(admin)
