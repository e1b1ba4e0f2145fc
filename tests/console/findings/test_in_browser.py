"""Warnings and errors that appear at a field while it is filled in, and the history of a finding."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from iam.audit.findings.models import AuditFinding
from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind
from tests import factories
from tests.console.findings.test_history import join
from tests.console.findings.test_pages import FULL
from tests.journeys.axe import in_every_look

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    factories.role(account, "BreakGlass")
    return account


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, account: Account) -> Iterator[Page]:
    """The page of an administrator; nothing may complain."""
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    context = browser.new_context(base_url=live_server.url)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    complaints: list[str] = []
    made = context.new_page()
    made.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
    made.on("pageerror", lambda e: complaints.append(str(e)))
    yield made
    context.close()
    assert complaints == []


def test_a_name_that_matches_no_one_is_said_when_the_field_is_left(page: Page) -> None:
    page.goto("/findings/assertions/new/")
    roles, warning = page.get_by_label("Roles"), page.locator("#id_allowed_role_warning")
    roles.fill("BreakGlas")
    roles.press("Tab")
    expect(warning).to_contain_text("No synced IAM user or role matches role BreakGlas.")
    expect(roles).to_have_value("BreakGlas")
    roles.fill("BreakGlass")
    roles.press("Tab")
    expect(warning).to_have_text("")
    roles.fill("BreakGlas")
    roles.press("Tab")
    expect(warning).to_contain_text("BreakGlas")
    assert in_every_look(page) == []


def test_a_last_day_before_the_first_is_said_and_taken_back(page: Page) -> None:
    page.goto("/activity/")
    first, last = page.locator("#act-from"), page.locator("#act-to")
    with page.expect_response("**/activity/?*"):
        first.fill("2026-11-20")
    last.fill("2026-11-02")
    error = page.locator("#act-dates-error")
    expect(error).to_have_text("The last day must not be before the first.")
    last.fill("2026-11-22")
    expect(error).to_have_count(0)
    page.goto("/activity/?since=2026-11-20&until=2026-11-02")
    assert in_every_look(page) == []


def test_the_history_of_a_finding_names_whom_it_also_affects(page: Page, account: Account) -> None:
    policy = factories.policy(account, "Everything", body=FULL)
    factories.edge(EdgeKind.ATTACHED, factories.group(account, "admins"), policy)
    join(account, "maya")
    join(account, *(f"user-{number:02}" for number in range(8)))
    finding = AuditFinding.objects.get(kind="full-administrator-customer-managed")
    page.goto(f"/findings/{finding.pk}/")
    line = page.locator(".timeline li").first
    expect(line).to_contain_text("Also affects user-00, user-01, user-02, user-03, user-04 and 3 more")
    assert in_every_look(page) == []
    page.goto("/findings/?tab=changed")
    expect(page.get_by_text("Also affects user-00")).to_be_visible()
