"""Somebody asks for what AWS denied and gets less; a template gets a new version, and its living grants
follow as one set that can be undone.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Running, SignIn, clicks_on
from tests.journeys.test_grants import approve, see, submit

pytestmark = pytest.mark.journey
CHANGE = re.compile(r"/changes/[0-9a-f-]{36}/(request/)?$")
MAX_CLICKS = 4


def arn_of(console: Running, name: str) -> str:
    """The user of this name in production."""
    query = (
        "SELECT e.arn FROM mirror_entity e JOIN mirror_account a ON a.id = e.account_id "
        "WHERE e.kind = 'user' AND e.gone_at IS NULL AND a.name = 'production' AND e.name = ?"
    )
    with console.database() as database:
        return str(database.execute(query, (name,)).fetchone()[0])


def test_who_was_denied_asks_and_is_given_less(sign_in: SignIn, console: Running) -> None:
    tomas, hana, jonas = sign_in("tomas.lind"), sign_in("hana.sato"), sign_in("jonas.berg")
    arn, clicks = arn_of(console, "tomas.lind"), clicks_on(tomas)
    tomas.goto("/")
    tomas.get_by_label("Main").get_by_role("link", name="Request access").click()
    tomas.get_by_label("Error message from AWS").fill(
        f"An error occurred (AccessDenied) when calling the GetObject operation: User: {arn} is not "
        "authorized to perform: "
        's3:GetObject on resource: "arn:aws:s3:::pay-artifacts/build.zip" because no identity-based policy '
        "allows the s3:GetObject action"
    )
    tomas.get_by_role("button", name="Analyze").click()
    expect(tomas.get_by_text("Nothing that you hold allows it")).to_be_visible()
    tomas.get_by_role("textbox", name="Reason").fill("Looks at the build of Friday")
    tomas.get_by_role("button", name="Preview").click()
    tomas.wait_for_url(re.compile("/preview/"))
    grant = submit(tomas)
    assert 0 < len(clicks) <= MAX_CLICKS, clicks

    hana.goto(grant)
    hana.get_by_role("link", name="Reduce", exact=True).click()
    hana.get_by_text("1 hour", exact=True).click()
    hana.get_by_role("textbox", name="Why less").fill("An hour is enough for one file")
    hana.get_by_role("button", name="Preview").click()
    hana.get_by_role("button", name="Give this instead").click()
    hana.wait_for_url(re.compile(re.escape(grant)))
    approve(grant, hana, jonas)
    see(tomas, "active")
    tomas.goto(grant)
    expect(tomas.get_by_text("Hana Sato reduced it")).to_be_visible()
    expect(tomas.get_by_text("An hour is enough for one file").first).to_be_visible()


def test_grants_follow_a_new_version_of_their_template_and_go_back(sign_in: SignIn) -> None:
    admin, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    admin.goto("/templates/support-cases/edit/")
    statements = admin.get_by_role("textbox", name="Statements", exact=True)
    body: list[dict[str, Any]] = json.loads(statements.input_value())
    body[0]["Action"] = [
        *body[0]["Action"],
        "support:DescribeSeverityLevels",
        "support:RateCaseCommunication",
    ]
    statements.fill(json.dumps(body))
    expect(
        admin.get_by_role("heading", name="What this changes, if all its grants are updated")
    ).to_be_visible()
    expect(admin.locator("#checked").get_by_text("Tomas Lind").first).to_be_visible()
    admin.get_by_role("textbox", name="What’s new").fill("Rating an answer")
    admin.get_by_role("button", name="Save as a new version").click()
    admin.locator("main").get_by_role("link", name="Compare").click()
    expect(admin.get_by_text("support:RateCaseCommunication").first).to_be_visible()
    update = admin.get_by_role("link", name=re.compile("^Update grants to version"))
    number = update.inner_text().rpartition(" ")[2]
    update.click()
    expect(admin.get_by_text("Tomas Lind").first).to_be_visible()
    admin.get_by_label("Why is this needed?").fill("Answers are rated from now on")
    admin.get_by_role("button", name="Submit request").click()
    admin.wait_for_url(CHANGE)
    rollout = admin.url
    decide(rollout, hana, jonas)
    expect(admin.locator(".page-head").get_by_text("Done", exact=True)).to_be_visible()
    follows(admin, f"Version {number}, active")

    admin.goto(rollout)
    admin.get_by_role("link", name="Undo").first.click()
    admin.get_by_label("Why undo it?").fill("Nobody rates them after all")
    admin.get_by_role("button", name="Submit request").click()
    admin.wait_for_url(CHANGE)
    decide(admin.url, hana, jonas)
    expect(admin.locator(".page-head").get_by_text("Done", exact=True)).to_be_visible()
    follows(admin, "Version 1, active")


def follows(page: Page, version: str) -> None:
    """The grant of Tomas says that it has this version, beside those that other journeys may have given."""
    grant = page.get_by_role("listitem").filter(has_text="Support cases for Tomas Lind")
    for _ in range(30):
        page.goto("/templates/support-cases/")
        if version in grant.first.inner_text():
            return
        page.wait_for_timeout(1000)
    raise AssertionError(f"it does not say {version}")


def decide(change: str, *approvers: Page) -> None:
    """As many agree as the rules ask for."""
    for approver in approvers:
        approver.goto(change)
        button = approver.get_by_role("button", name="Approve")
        if button.count():
            button.first.click()
            expect(button).to_have_count(0)
