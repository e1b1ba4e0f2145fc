"""Permissions are built in the browser: each change is answered with the whole part, and nothing that was
opened closes.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.journeys.axe import violations
from tests.journeys.conftest import SignIn

pytestmark = pytest.mark.journey


def test_a_template_goes_on_in_the_builder_part_by_part(sign_in: SignIn) -> None:
    page = sign_in("ines.duarte")
    page.goto("/templates/read-bucket/")
    page.get_by_role("button", name="Grant access").click()
    page.locator("#choice input[type=checkbox]").first.check()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(re.compile("/what/$"))
    page.get_by_label("Bucket", exact=True).fill("pay-artifacts")
    page.keyboard.press("Tab")
    words = page.get_by_role("region", name=re.compile("^What .+ can do$"))
    expect(words).to_contain_text("List and read objects in s3://pay-artifacts")

    page.get_by_role("button", name="Edit in the builder").click()
    page.locator("#part-0").click()
    page.locator("#acts-0-write summary").click()
    page.locator("#act-PutObject").check()
    expect(words).to_contain_text("List, read and write objects in s3://pay-artifacts")
    expect(page.locator("#act-PutObject")).to_be_focused()
    expect(page.locator("#lv-write")).to_have_js_property("indeterminate", True)

    routes: list[Route] = []
    page.route("**/*", lambda route: routes.append(route))
    page.locator("#c-ip").check()
    page.get_by_label("Networks").fill("10.0.0.5/8")
    for route in routes:
        route.continue_()
    page.unroute("**/*")
    expect(page.get_by_text("Enter a network, such as").first).to_be_visible()
    # The answer brings the field anew, and knows nothing of what was written meanwhile.
    expect(page.get_by_label("Networks")).to_have_value("10.0.0.5/8")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Did you mean 10.0.0.0/8?").first).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Networks").fill("10.0.0.0/8")
    page.keyboard.press("Tab")
    expect(words).to_contain_text("only from 10.0.0.0/8")


def test_a_template_is_checked_while_it_is_written(sign_in: SignIn) -> None:
    page = sign_in("ines.duarte")
    page.goto("/templates/read-bucket/edit/")
    statements = page.get_by_role("textbox", name="Statements", exact=True)
    before = statements.input_value()
    statements.fill(before.replace('"s3:ListBucket"', '"s3:ListBukket"'))
    expect(page.get_by_role("status").filter(has_text="Checked: 1 error")).to_be_visible()
    statements.fill(before.replace("{{bucket}}/*", "{{bukket}}/*"))
    expect(page.get_by_text("No parameter is named “bukket”.")).to_be_visible()
    expect(statements).to_be_focused()
