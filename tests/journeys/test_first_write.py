"""A person is added to a group: asked for by one operator, approved by another, applied in AWS, undone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import SignIn

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]


def test_a_membership_is_requested_approved_applied_and_undone(sign_in: SignIn) -> None:
    admin = sign_in("ines.duarte")
    admin.goto("/people/?q=priya.raman")
    admin.get_by_role("link", name=re.compile("Priya Raman")).first.click()
    admin.get_by_role("link", name="Add to group").first.click()
    admin.get_by_role("link", name=re.compile("deployers")).first.click()
    expect(admin.get_by_text("AddUserToGroup").first).to_be_visible()
    admin.get_by_label("Reason").fill("Covers the release on Friday")
    admin.get_by_role("button", name=re.compile("Ask for approval|Request|Submit")).click()
    admin.wait_for_url(re.compile("/changes/[0-9a-f-]{36}/"))
    change = admin.url

    approver = sign_in("hana.sato")
    approver.goto("/changes/approvals/")
    approver.goto(change)
    approver.get_by_role("button", name="Approve").click()
    expect(admin.get_by_text(re.compile("Applied")).first).to_be_visible(timeout=20_000)

    admin.goto("/people/?q=priya.raman")
    expect(admin.get_by_role("row", name=re.compile("Priya Raman"))).to_contain_text("deployers")

    admin.goto(change)
    admin.get_by_role("button", name=re.compile("Undo")).first.click()
    admin.wait_for_url(lambda url: url != change and "/changes/" in url)
    undo = admin.url
    approver.goto(undo)
    approver.get_by_role("button", name="Approve").click()
    expect(admin.get_by_text(re.compile("Applied")).first).to_be_visible(timeout=20_000)
    admin.goto("/people/?q=priya.raman")
    expect(admin.get_by_role("row", name=re.compile("Priya Raman"))).not_to_contain_text("deployers")
