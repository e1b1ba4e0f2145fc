"""Approval in the browser: a request is talked about and rejected, one is asked again on a new receipt, one
goes around approval and is reviewed.
"""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.journeys.axe import violations
from tests.journeys.conftest import Running, SignIn, open_when
from tests.journeys.test_drift import READS, by_hand, read_now
from tests.journeys.test_first_write import CHANGE, approve, ask_for, see_applied

pytestmark = pytest.mark.journey


def test_a_request_is_talked_about_and_rejected_with_a_reason(sign_in: SignIn) -> None:
    admin, hana, lead = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("elif.kaya")
    change = ask_for(admin, person="Aaron Blake", group="deployers", why="Wants to look around")

    lead.goto(change)
    assert lead.get_by_role("button", name="Approve").count() == 0
    hana.goto(f"{change}request/")
    hana.get_by_label("Comment or question").fill("For how long?")
    hana.get_by_role("button", name="Add comment").click()
    expect(admin.get_by_text("For how long?")).to_be_visible()

    hana.get_by_role("button", name="Reject").click()
    expect(hana.get_by_role("alert")).to_contain_text("Write why you reject it")
    assert violations(hana) == []
    hana.get_by_label("Comment", exact=True).fill("Ask the owner first")
    hana.get_by_role("button", name="Reject").click()
    expect(hana.get_by_text("Hana Sato rejected it")).to_be_visible()
    expect(admin.locator("main").get_by_text("Rejected", exact=True).first).to_be_visible()
    expect(admin.get_by_text("Ask the owner first").first).to_be_visible()
    expect(admin.locator("#live")).not_to_have_attribute("hx-get", re.compile("."))
    hana.goto("/changes/approvals/?tab=decided")
    expect(hana.get_by_role("row", name=re.compile("Add aaron.blake")).first).to_contain_text("Rejected")


def test_a_new_receipt_is_asked_about_again_and_break_glass_is_reviewed(
    sign_in: SignIn, console: Running
) -> None:
    iam = by_hand(console)
    for name in ("casey.hub", "devon.hub"):
        iam.create_user(UserName=name)
    iam.create_group(GroupName="hub-readers")
    admin, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    read_now(admin)
    open_when(admin, "/people/?q=casey.hub", says="casey.hub")
    change = ask_for(admin, person="casey.hub", group="hub-readers", why="Reads the reports")

    hana.goto(f"{change}request/")
    iam.put_group_policy(GroupName="hub-readers", PolicyName="reports", PolicyDocument=json.dumps(READS))
    read_now(admin)
    admin.goto("/groups/?q=hub-readers")
    admin.get_by_role("link", name="hub-readers").first.click()
    admin.wait_for_url(re.compile("/groups/[0-9]+/"))
    open_when(admin, admin.url, says="reports")
    hana.get_by_role("button", name="Approve").click()
    expect(hana.get_by_role("alert")).to_contain_text("has changed since you opened the page")
    expect(hana.get_by_text("reports").first).to_be_visible()
    approve(change, hana, jonas)
    admin.goto(change)
    see_applied(admin)

    around = ask_for(admin, person="devon.hub", group="hub-readers", why="Looks for the lost report")
    admin.get_by_role("link", name="Apply without approval").click()
    admin.wait_for_url("**/break-glass/")
    assert violations(admin) == []
    admin.get_by_label("The emergency").fill("The auditor is at the door")
    admin.get_by_role("button", name="Apply without approval").click()
    admin.wait_for_url(CHANGE)
    see_applied(admin)
    expect(admin.get_by_text("You used it, so someone else reviews it.")).to_be_visible()

    hana.goto("/")
    expect(hana.get_by_text("Ines Duarte changed AWS without approval")).to_be_visible()
    hana.goto(around)
    hana.locator("main").get_by_role("link", name="Review", exact=True).last.click()
    hana.wait_for_url(re.compile("/review/"))
    assert violations(hana) == []
    hana.get_by_label("Undo it").check()
    hana.get_by_label("What you found").fill("The report was in the mail")
    hana.get_by_role("button", name="Submit review").click()
    hana.wait_for_url(lambda url: bool(CHANGE.search(url)) and url != around)
    expect(hana.get_by_text("Ines Duarte changed AWS without approval")).to_have_count(0)
    assert hana.get_by_role("button", name="Approve").count() == 0, "who has it undone does not approve that"
    approve(hana.url, jonas, admin)
    see_applied(hana)
    assert iam.list_groups_for_user(UserName="devon.hub")["Groups"] == []
