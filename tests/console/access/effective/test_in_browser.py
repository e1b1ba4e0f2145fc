"""Effective access in a real browser: bars that come after the list, filters that keep the focus, the drawer,
and all without scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.console.access.effective.conftest import Place
from tests.console.identities.lists.test_in_browser import focused, open_page
from tests.journeys.axe import violations

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, place: Place) -> Iterator[Page]:
    """An auditor's page; nothing may complain."""
    complaints: list[str] = []
    made = open_page(browser, live_server, complaints)
    yield made
    made.context.close()
    assert complaints == []


def test_from_the_bar_in_the_list_to_the_statement_that_decides(page: Page) -> None:
    page.goto("/people/")
    row = page.locator("tbody tr", has_text="maya.okafor")
    expect(row.locator(".lv li[data-l=write]")).to_have_attribute("data-f", "1")
    expect(page.locator("tbody tr .lv .lvl")).to_have_count(2)
    assert page.url.endswith("/people/")
    row.locator(".lv a").click()
    search = page.get_by_role("searchbox", name="Filter by service")
    search.press_sequentially("identity")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=identity"))
    assert focused(page) == "Filter by service, action or resource"
    page.get_by_role("link", name="AWS Identity and Access Management").click()
    why = page.get_by_role("link", name="Why iam:PassRole?")
    why.click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Only when the service that receives the role is lambda.amazonaws.com")
    expect(drawer).to_contain_text('"PassDeployRole"')
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    assert focused(page) == "Why iam:PassRole?"
    page.get_by_label("Scope").select_option("everywhere")
    expect(page.get_by_text("No action matches")).to_be_visible()
    expect(page).to_have_url(re.compile("how=everywhere"))


def test_a_phone_loads_no_access_levels_until_it_has_the_width_for_them(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "hx-request" in request.headers else None)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/people/")
    expect(page.locator("td.lv").first).to_be_hidden()
    page.wait_for_load_state("networkidle")
    assert asked == []
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.locator("tbody tr .lv .lvl")).to_have_count(2)
    page.mouse.wheel(0, 2_000)
    page.mouse.wheel(0, -2_000)
    page.wait_for_load_state("networkidle")
    assert [url.partition("/people/")[2] for url in asked] == ["access-levels/?"]


@pytest.mark.usefixtures("prompt_worker")
def test_without_scripts_each_step_is_a_page(browser: Browser, live_server: LiveServer, place: Place) -> None:
    complaints: list[str] = []
    page = open_page(browser, live_server, complaints, java_script_enabled=False)
    page.goto("/people/")
    expect(page.locator("td.lv").first).to_be_hidden()
    page.get_by_role("link", name="Show their access levels").click()
    page.get_by_role("link", name="maya.okafor").click()
    page.get_by_label("Access level", exact=True).select_option("write")
    page.get_by_role("searchbox", name="Filter by service").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Amazon SQS").click()
    page.get_by_role("link", name="Why sqs:SendMessage?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Why maya.okafor can do this conditionally")
    page.goto("/services/")
    page.get_by_role("link", name="Amazon DynamoDB").first.click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="pay-deploy").click()
    expect(page.get_by_text("dynamodb:GetItem", exact=True).first).to_be_visible()
    page.context.close()
    assert complaints == []
