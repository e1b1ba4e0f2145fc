"""The lists in a real browser: with htmx, without JavaScript, by keyboard, and under axe in both themes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from iam.directory.models import Role
from iam.mirror.models import EdgeKind, Kind, Pull
from tests import factories
from tests.journeys.axe import in_every_look

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

LISTS = ["people", "groups", "roles", "policies", "instance-profiles", "providers"]
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _crowd() -> None:
    """Two accounts with something of every kind, and more users than fit on a page."""
    production, staging = factories.account(), factories.account("222222222222", name="staging")
    group = factories.group(production, "payments-dev")
    with factories.at_once():
        for number in range(70):
            user = factories.user(
                production if number % 5 else staging,
                f"user-{number:02d}",
                credentials={"mfa": ["none", "virtual", "several"][number % 3]},
            )
            factories.edge(EdgeKind.MEMBER, user, group, since=MARCH)
    factories.user(staging, "maya.okafor")
    factories.role(production, "maya-deploys", category="cross-account")
    factories.policy(production, "Deploy")
    factories.entity(production, Kind.INSTANCE_PROFILE, "web")
    factories.entity(production, Kind.SAML_PROVIDER, "sso", attrs={"ValidUntil": "2020-01-01T00:00:00Z"})
    Pull.objects.create(
        account=production, state="complete", began_at=factories.FIRST_READ, ended_at=factories.FIRST_READ
    )


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained of."""
    return []


def open_page(browser: Browser, server: LiveServer, complaints: list[str], **options: object) -> Page:
    """A page of an auditor who is signed in."""
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR, name="Jonas Berg"))
    context: BrowserContext = browser.new_context(base_url=server.url, **options)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": server.url}])
    page = context.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    return page


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, complaints: list[str]) -> Iterator[Page]:
    """The auditor's page; nothing may complain."""
    made = open_page(browser, live_server, complaints)
    yield made
    made.context.close()
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_loads_only_what_it_shows(page: Page, name: str, width: int) -> None:
    """Nothing after the page itself, but for the access levels of people, where their column is shown."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "hx-request" in request.headers else None)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/{name}/")
    page.wait_for_load_state("networkidle")
    is_loaded = name == "people" and width == 1440
    if is_loaded:
        expect(page.locator("tbody .lv .lvl").first).to_be_visible()
    assert len(asked) == int(is_loaded)


def rows(page: Page) -> int:
    return page.locator("tbody tr").count()


def test_typing_filters_the_table_and_the_address_and_keeps_the_focus(page: Page) -> None:
    page.goto("/people/?account=222222222222")
    page.get_by_role("searchbox", name="Filter by name").press_sequentially("okafor", delay=10)
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("#list-status")).to_have_text("1 to 1 of 1")
    assert page.url.endswith("/people/?q=okafor&account=222222222222")
    assert page.evaluate("document.activeElement.id") == "list-q"
    page.get_by_role("searchbox", name="Filter by name").fill("")
    expect(page.locator("tbody tr")).to_have_count(15)


def test_filters_chips_views_orders_and_pages_swap_the_table_and_can_be_gone_back(page: Page) -> None:
    page.goto("/people/")
    page.locator("summary", has_text="MFA").click()
    page.get_by_label("None", exact=True).check()
    page.get_by_role("button", name="Apply").and_(page.locator(":visible")).click()
    expect(page.locator(".chip")).to_have_text(re.compile("MFA: *None"))
    assert page.url.endswith("/people/?mfa=none")
    assert page.get_by_role("link", name="Export CSV").get_attribute("href") == "/people/export.csv?mfa=none"
    page.get_by_role("link", name="Name").click()
    expect(page.locator("th[aria-sort=descending]")).to_be_visible()
    page.get_by_role("link", name="Remove filter: MFA None").click()
    expect(page.locator(".chip")).to_have_count(0)
    assert page.url.endswith("/people/?sort=-name")
    first = page.locator("tbody a").first.inner_text()
    page.get_by_role("link", name="Next page").click()
    expect(page.locator(".card-foot")).to_contain_text("51–71 of 71")
    page.go_back()
    expect(page.locator(".card-foot")).to_contain_text("1–50 of 71")
    assert page.locator("tbody a").first.inner_text() == first
    expect(page.locator("h1")).to_have_count(1)


def test_the_frame_keeps_the_filters_that_the_address_has_by_then(page: Page) -> None:
    page.goto("/people/?account=111111111111")
    page.get_by_role("link", name=re.compile("^No MFA")).click()
    expect(page.locator("nav[aria-label='Saved views'] [aria-current]")).to_contain_text("No MFA")
    switch = [a.get_attribute("href") for a in page.locator(".acct a").all()]
    assert switch == [
        "?view=no-mfa",
        "?view=no-mfa&account=111111111111",
        "?view=no-mfa&account=222222222222",
    ]
    page.locator(".asof summary").click()
    page.locator("#asof-t").fill("2026-02-01T00:00:00")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".pastbar")).to_be_visible()
    assert "view=no-mfa" in page.url
    assert "account=111111111111" in page.url
    expect(page.locator("nav[aria-label='Saved views'] [aria-current]")).to_contain_text("No MFA")


def test_chosen_rows_become_a_file(page: Page) -> None:
    page.goto("/people/?q=user-0")
    expect(page.locator(".bulkbar")).to_be_hidden()
    page.get_by_label("Select user-03").check()
    page.get_by_label("Select user-07").check()
    expect(page.locator(".bulkbar output")).to_have_text("2")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export selection").click()
    text = Path(download.value.path()).read_text()
    assert [line.split(",")[2] for line in text.splitlines()] == ["login", "user-03", "user-07"]


def test_the_search_suggests_and_is_walked_by_keyboard(page: Page) -> None:
    page.goto("/roles/")
    page.keyboard.press("/")
    page.keyboard.type("maya", delay=10)
    expect(page.locator("#found a")).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert "maya.okafor" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Escape")
    expect(page.locator("#found a")).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "global-search"
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Search")
    expect(page.get_by_role("link", name="maya-deploys")).to_be_visible()


def test_no_list_breaks_a_rule_of_axe_or_the_width(page: Page) -> None:
    past = f"as-of={MARCH - timedelta(days=9):%Y-%m-%dT%H:%M:%S}"
    for address in (
        *(f"/{name}/" for name in LISTS),
        f"/people/?{past}",
        "/people/?q=zzz&mfa=none",
        "/search/?q=ma",
    ):
        page.goto(address)
        if "q=" not in address:
            page.locator("tbody input").first.check()
            if page.locator(".filters details").count():
                page.locator(".filters summary").first.click()
        # An open menu lies over what could be touched below it.
        assert in_every_look(page, of_layout=("scrollable-region-focusable",)) == [], address


def test_without_javascript_everything_is_a_link_or_a_form(
    browser: Browser, live_server: LiveServer, complaints: list[str]
) -> None:
    page = open_page(browser, live_server, complaints, java_script_enabled=False)
    page.goto("/people/")
    page.get_by_role("searchbox", name="Filter by name").fill("user-")
    page.locator("summary", has_text="MFA").click()
    page.get_by_label("Authenticator app").check()
    page.get_by_role("button", name="Apply").and_(page.locator(":visible")).click()
    expect(page.locator("tbody tr")).to_have_count(23)
    page.get_by_role("link", name="Name").click()
    expect(page.locator("th[aria-sort=descending]")).to_be_visible()
    page.locator("tbody input").nth(1).check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export selection").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 2
    page.goto("/people/")
    page.get_by_role("link", name="Next page").click()
    expect(page.locator(".card-foot")).to_contain_text("51–71 of 71")
    page.get_by_role("searchbox", name="Search everything").fill("maya-dep")
    page.get_by_role("searchbox", name="Search everything").press("Enter")
    expect(page.get_by_role("link", name="maya-deploys")).to_be_visible()
    page.context.close()


def focused(page: Page) -> str:
    """What has the focus, in words."""
    return str(
        page.evaluate(
            "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()"
        )
    )


def test_the_focus_outlives_a_swap_and_a_menu_does_not_outlive_the_focus(page: Page) -> None:
    page.goto("/people/")
    page.locator("thead a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort=descending]")).to_be_visible()
    expect(page.locator("thead a").first).to_be_focused()
    page.get_by_role("link", name="Next page").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".card-foot")).to_contain_text("51–71 of 71")
    expect(page.locator(".table-scroll")).to_be_focused()
    page.get_by_role("link", name=re.compile("^No MFA")).focus()
    page.keyboard.press("Enter")
    expect(page.locator("nav[aria-label='Saved views'] [aria-current]")).to_contain_text("No MFA")
    expect(page.locator("nav[aria-label='Saved views'] [aria-current]")).to_be_focused()
    summary = page.locator("summary", has_text="MFA")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".filters details[open]")).to_have_count(1)
    page.locator("#list-q").focus()
    expect(page.locator(".filters details[open]")).to_have_count(0)
    assert focused(page) == "Filter by name, user name, ARN or key ID"
