"""A policy is edited: an error is told while one types, then whom it concerns; asked for, approved by
another, applied in AWS, undone.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.axe import violations
from tests.journeys.conftest import SignIn
from tests.journeys.test_first_write import CHANGE, approve, see_applied

pytestmark = pytest.mark.journey


def test_a_policy_is_edited_checked_approved_applied_and_undone(sign_in: SignIn) -> None:
    admin, approver, second = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    admin.goto("/policies/?q=PaymentsDeploy")
    admin.get_by_role("link", name="PaymentsDeploy").first.click()
    policy = admin.url
    admin.get_by_role("link", name="Edit").click()
    editor = admin.get_by_role("textbox", name="Document")
    before = editor.input_value()

    editor.fill(before.replace('"lambda:InvokeFunction"', '"lambda:InvokeFunction",'))
    expect(admin.get_by_role("status").filter(has_text="Checked: 1 error")).to_be_visible()
    expect(admin.locator("#gutter li[data-tone=bad]")).to_have_count(1)
    expect(admin.locator("#first")).to_have_text(re.compile(r"Fix line \d+ first"))
    editor.fill(
        before.replace('"lambda:InvokeFunction"', '"lambda:InvokeFunction",\n        "lambda:AddPermission"')
    )
    affected = admin.get_by_role("region", name="What this changes")
    expect(affected.get_by_text("lambda:AddPermission").first).to_be_visible()
    expect(affected.get_by_text("through deployers").first).to_be_visible()
    lines = before.count("\n") + 2
    expect(admin.locator("#gutter li")).to_have_count(lines)
    assert violations(admin) == []

    admin.get_by_label("Why is this needed?").fill("Deployments share their functions")
    admin.get_by_role("button", name="Submit request").click()
    admin.wait_for_url(CHANGE)
    change = admin.url
    approver.goto(change)
    expect(approver.get_by_text("Sensitive").first).to_be_visible()
    expect(approver.get_by_role("region", name="Policy text")).to_contain_text("lambda:AddPermission")
    approve(change, approver, second)
    see_applied(admin)
    admin.goto(policy)
    expect(admin.locator("#doc")).to_contain_text("lambda:AddPermission")

    admin.goto(change)
    admin.get_by_role("link", name=re.compile("Undo")).first.click()
    admin.get_by_label("Why undo it?").fill("They do not, after all")
    admin.get_by_role("button", name="Submit request").click()
    admin.wait_for_url(lambda url: bool(CHANGE.search(url)) and url != change)
    approve(admin.url, approver, second)
    see_applied(admin)
    admin.goto(policy)
    expect(admin.locator("#doc")).not_to_contain_text("lambda:AddPermission")


def test_without_scripts_the_buttons_of_the_editor_do_it(sign_in: SignIn) -> None:
    page = sign_in("ines.duarte", java_script_enabled=False)
    page.goto("/policies/?q=PaymentsDeploy")
    page.get_by_role("link", name="PaymentsDeploy").first.click()
    page.get_by_role("link", name="Edit").click()
    editor = page.get_by_role("textbox", name="Document")
    before = editor.input_value()

    editor.fill(" ".join(before.split()).replace("lambda:InvokeFunction", "lambda:InvokeFunktion"))
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("Did you mean lambda:InvokeFunction")).to_be_visible()
    page.get_by_role("button", name="Format").click()
    expect(editor).to_have_value(before.replace("InvokeFunction", "InvokeFunktion"))
    expect(page.get_by_role("region", name="What this changes")).to_contain_text("Fix the errors")
    page.get_by_role("button", name="Fix line").click()
    expect(editor).to_have_value(before)
    expect(page.get_by_role("region", name="What this changes")).to_contain_text("already has this text")
