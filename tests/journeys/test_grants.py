"""Access is granted in the browser: approved by a second person, ended by time; to a partner; to twenty
people at once.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Running, SignIn, clicks_on

pytestmark = pytest.mark.journey
MAX_CLICKS, MAX_TO_APPROVE = 10, 2
DRAFT = re.compile(r"/grants/new/[0-9a-f-]{36}/(who|what|preview|done)/")


def begin(page: Page, *, kind: str = "People") -> None:
    """Open the wizard from the list, and choose who may be meant."""
    page.goto("/grants/")
    page.get_by_role("link", name="Grant access").first.click()
    page.wait_for_url(DRAFT)
    if kind != "People":
        page.get_by_role("button", name=kind).click()


def choose(page: Page, template: str, *, why: str, **parameters: str) -> None:
    """Fill in the second step, and look at the preview."""
    page.wait_for_url(re.compile("/what/"))
    page.get_by_role("radio", name=re.compile(f"^{template}")).click()
    # The choice replaces the step: the list of templates is folded, and the chosen one stands by itself.
    expect(page.get_by_role("region", name=template, exact=True)).to_be_visible()
    for name, value in parameters.items():
        field = page.locator(f'input[name$="-{name}"]')
        expect(field).to_be_visible()
        field.fill(value)
        field.press("Tab")
    page.get_by_role("textbox", name="Reason").fill(why)
    page.get_by_role("button", name="Preview").click()
    page.wait_for_url(re.compile("/preview/"))


def submit(page: Page) -> str:
    """Ask for it; the address of the grant."""
    page.get_by_role("button", name="Submit request").click()
    page.wait_for_url(re.compile("/done/"))
    expect(page.get_by_role("heading", name="waiting for approval")).to_be_visible()
    return page.get_by_role("link", name="Open the grant").get_attribute("href") or ""


def approve(grant: str, *approvers: Page) -> None:
    """As many agree as the rules ask for."""
    for approver in approvers:
        approver.goto(grant)
        decide = approver.get_by_role("link", name="Review and decide", exact=True)
        if decide.count():
            decide.click()
            approver.get_by_role("button", name="Approve").first.click()
            expect(approver.get_by_role("button", name="Approve")).to_have_count(0)


def see(page: Page, words: str) -> None:
    """The open page follows by itself, without a reload."""
    expect(page.get_by_role("heading", name=words)).to_be_visible()


def test_a_grant_is_approved_by_somebody_else_and_taken_away_at_its_end(
    sign_in: SignIn, console: Running
) -> None:
    admin, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    clicks, approving = clicks_on(admin), clicks_on(hana)
    begin(admin)
    admin.get_by_label("Find people").fill("aaron.blake")
    admin.get_by_role("checkbox", name="Aaron Blake, production").check()
    expect(admin.get_by_role("button", name="Remove Aaron Blake, production")).to_be_visible()
    admin.get_by_role("button", name="Continue").click()
    choose(admin, "Read an S3 bucket", bucket="pay-artifacts", why="Looks for the build of Friday")
    expect(admin.get_by_text("iam:AttachUserPolicy").first).to_be_visible()
    admin.go_back()
    expect(admin.get_by_role("textbox", name="Reason")).to_have_value("Looks for the build of Friday")
    admin.get_by_role("button", name="Preview").click()
    grant = submit(admin)
    assert 0 < len(clicks) <= MAX_CLICKS, clicks
    expect(admin.get_by_role("button", name="Approve")).to_have_count(0)
    approve(grant, hana, jonas)
    assert 0 < len(approving) <= MAX_TO_APPROVE, approving
    see(admin, "active")
    admin.goto("/people/?q=aaron.blake")
    admin.get_by_role("link", name="Aaron Blake").first.click()
    admin.get_by_role("link", name="Grants", exact=True).last.click()
    expect(admin.get_by_text("By grant").first).to_be_visible()

    run_out(console, grant)
    admin.goto(grant)
    see(admin, "Proof")
    expect(admin.get_by_text(re.compile("confirmed by [0-9]+ reading")).first).to_be_visible()
    expect(admin.get_by_text("The end date was reached")).to_be_visible()


def run_out(console: Running, grant: str) -> None:
    """Let the time of a grant be over."""
    key = grant.strip("/").rpartition("/")[2].replace("-", "")
    with console.database() as database, database:
        database.execute(
            "UPDATE grants_grant SET ends_at = datetime('now', '-1 second') WHERE id = ?", (key,)
        )


def people_of(console: Running, *, most: int) -> list[str]:
    """Logins of people in production."""
    query = (
        "SELECT e.name FROM mirror_entity e JOIN mirror_account a ON a.id = e.account_id WHERE e.kind = "
        "'user' "
        "AND e.gone_at IS NULL AND a.name = 'production' AND e.name LIKE '%.%' ORDER BY e.name LIMIT ?"
    )
    with console.database() as database:
        return [name for (name,) in database.execute(query, (most,))]


def test_a_partner_and_twenty_people_are_given_access(sign_in: SignIn, console: Running) -> None:
    admin, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    begin(admin, kind="A partner")
    admin.get_by_role("textbox", name="Partner").fill("Brightwater Audit")
    admin.get_by_label("Their AWS account").fill("3390-1127-6654")
    admin.get_by_label("Role or user there").fill("role/reader")
    admin.get_by_role("button", name="Create", exact=True).click()
    expect(admin.get_by_label("External ID", exact=True)).to_have_value(re.compile("^gh-brightwater-audit-"))
    admin.get_by_role("checkbox", name="production").check()
    admin.get_by_role("button", name="Continue").click()
    choose(admin, "Read an S3 bucket", bucket="pay-artifacts", why="The audit of the year")
    expect(admin.get_by_text("iam:CreateRole").first).to_be_visible()
    shared = submit(admin)
    approve(shared, hana, jonas)
    see(admin, "active")
    admin.goto("/roles/?q=brightwater")
    expect(admin.get_by_role("row", name=re.compile("brightwater")).first).to_be_visible()

    people = people_of(console, most=20)
    begin(admin)
    admin.get_by_label("Account", exact=True).select_option(label="production")
    expect(admin.get_by_role("checkbox", name=re.compile("staging$"))).to_have_count(0)
    admin.get_by_text("Paste a list of names or emails").click()
    admin.get_by_label("One name per line, or separated by commas").fill("\n".join([*people, "nobody.here"]))
    admin.get_by_role("button", name="Add to the list").click()
    names = admin.get_by_label("One name per line, or separated by commas")
    expect(names).to_have_accessible_description(re.compile("matches nobody.here"))
    expect(names).to_have_value("nobody.here")
    expect(names).to_be_focused()
    names.fill("")
    admin.get_by_role("button", name="Continue").click()
    choose(admin, "Support cases", why="On call for a month")
    many = submit(admin)
    approve(many, hana, jonas)
    see(admin, "active")
    admin.goto(many)
    admin.get_by_role("link", name=re.compile("^Show all 2[01]$")).first.click()
    expect(admin.get_by_text("has the policy")).to_have_count(20)
