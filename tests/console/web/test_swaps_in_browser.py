"""Filters that swap a part of a page, in a real browser: one part, said aloud, and an address that says what
is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from iam.directory.models import Role
from iam.journal.services import record
from tests import factories

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """The page of an administrator; no script may fail."""
    client, problems = Client(), []
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    context = browser.new_context(base_url=live_server.url)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    made = context.new_page()
    made.on("pageerror", lambda error: problems.append(str(error)))
    yield made
    context.close()
    assert problems == []


def test_the_journal_is_filtered_in_place(page: Page) -> None:
    for kind in ("account.connect", "role.assign", "role.assign"):
        record(kind=kind, actor=None, subject="x")
    page.goto("/audit/journal/")
    page.get_by_label("Kind", exact=True).select_option("role")
    expect(page.locator("#entries tbody tr")).to_have_count(2)
    expect(page.locator("[id=entries]")).to_have_count(1)
    expect(page.locator("#announce")).to_have_text("2 entries")
    assert page.url.endswith("/audit/journal/?kind=role")


def test_pages_are_not_kept_in_the_browser_and_back_asks_for_them_again(page: Page) -> None:
    record(kind="account.connect", actor=None, subject="x")
    record(kind="role.assign", actor=None, subject="x")
    page.goto("/audit/journal/")
    page.get_by_label("Kind", exact=True).select_option("role")
    expect(page.locator("#entries tbody tr")).to_have_count(1)
    record(kind="account.connect", actor=None, subject="x")
    page.go_back()
    expect(page.locator("#entries tbody tr")).to_have_count(3)
    kept = page.evaluate("[...Object.keys(sessionStorage), ...Object.keys(localStorage)]")
    # The address of the page, which htmx needs to know where one comes from.
    assert set(kept) <= {"htmx-current-path-for-history"}


def test_the_operators_are_filtered_in_place(page: Page) -> None:
    factories.operator(Role.AUDITOR, name="Otto Audit")
    page.goto("/operators/")
    page.get_by_label("Role", exact=True).select_option("auditor")
    expect(page.locator("#people tbody tr")).to_have_count(1)
    expect(page.locator("[id=people]")).to_have_count(1)
    expect(page.locator("#announce")).to_have_text("1 person")
    assert page.url.endswith("/operators/?role=auditor")
