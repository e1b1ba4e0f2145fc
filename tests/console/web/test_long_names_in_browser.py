"""The longest names that IAM takes, without a place to break them: no page is wider than its window."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from console.operators.models import Operator
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import EdgeKind, Entity, Kind, Section, TagSet
from tests import factories
from tests.console import onboarding

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

WIDTHS = (390, 1440)


@pytest.fixture
def admin() -> Operator:
    """An administrator with a name as long as the names that are administered."""
    operator = factories.operator(Role.ADMINISTRATOR)
    operator.person.name = "N" * 120
    operator.person.save(update_fields=["name"])
    return operator


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, admin: Operator) -> Iterator[Page]:
    client = Client()
    client.force_login(admin)
    context = browser.new_context(base_url=live_server.url)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def world() -> tuple[Entity, ...]:
    """One of each kind, each with the longest name, path or tag."""
    account = factories.account(
        "123456789012", name="A" * 64, write_role_arn="arn:aws:iam::123456789012:role/" + "w" * 64
    )
    user = factories.user(account, "W" * 64, path="/" + "p" * 510 + "/", credentials={"mfa": "none"})
    group, role, policy = (
        factories.group(account, "G" * 128),
        factories.role(account, "R" * 64),
        factories.policy(account, "P" * 128),
    )
    profile = factories.entity(account, Kind.INSTANCE_PROFILE, "I" * 128)
    provider = factories.entity(
        account, Kind.OIDC_PROVIDER, "o" * 250 + ".example", attrs={"ClientIDList": ["a" * 250]}
    )
    factories.edge(EdgeKind.MEMBER, user, group)
    factories.edge(EdgeKind.ATTACHED, group, policy)
    factories.edge(EdgeKind.ATTACHED, user, policy)
    factories.edge(EdgeKind.PROFILE_ROLE, profile, role)
    TagSet.objects.create(
        account=account,
        entity=user,
        tags={"K" * 128: "V" * 256},
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    Section.objects.create(
        account=account, name="users", state="denied", observed_at=factories.FIRST_READ, count=1
    )
    team = Team.objects.create(slug="t", name="T" * 120)
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=group.name)
    factories.operator(Role.TEAM_LEAD, name="lea", team=team)
    return user, group, role, policy, profile, provider


def test_no_page_is_wider_than_its_window(page: Page, admin: Operator) -> None:
    user, group, role, policy, profile, provider = world()
    other = factories.group(user.account, "H" * 128)
    client = Client()
    client.force_login(admin)
    ask = f"/changes/membership/?user={user.pk}&group={other.pk}"
    change = client.post(ask, {"reason": "r" * 400, "key": str(uuid.uuid4())})["Location"]
    paths = [
        *("/", "/people/", "/groups/", "/roles/", "/policies/", "/instance-profiles/", "/providers/"),
        *(
            "/accounts/",
            "/accounts/123456789012/",
            "/changes/",
            "/audit/journal/",
            "/operators/",
            "/search/?q=W",
        ),
        *(f"/people/{user.pk}/", f"/people/{user.pk}/credentials/", f"/people/{user.pk}/history/"),
        *(f"/groups/{group.pk}/", f"/roles/{role.pk}/", f"/policies/{policy.pk}/"),
        *(f"/instance-profiles/{profile.pk}/", f"/providers/{provider.pk}/"),
        *(change, ask, f"/changes/membership/?user={user.pk}&group={group.pk}&do=remove"),
    ]
    wide = []
    for path in paths:
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok, path
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            if (evaluate := page.evaluate("document.documentElement.scrollWidth")) > width:
                wide.append(f"{path} at {width}: {evaluate}")
    assert wide == []


def test_an_error_that_quotes_what_was_typed_is_no_wider_than_its_window(page: Page) -> None:
    world()
    page.goto("/grants/new/")
    page.locator("summary", has_text="Paste a list").click()
    page.locator("[name=names]").fill("x" * 300)
    page.locator("button[value=paste]").click()
    expect(page.locator(".error")).to_contain_text("x" * 300)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_steps_of_someone_with_many_accounts_fit_on_a_phone(page: Page, admin: Operator) -> None:
    account = factories.account("123456789012")
    team = Team.objects.create(slug="t", name="Payments")
    run = onboarding.asked(onboarding.blueprint(account, team), admin.person, account)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/onboarding/{run.pk}/")
    steps = page.locator(".ministeps").first
    assert steps.locator("li").count() > 1
    # As many steps as there are in ten accounts.
    steps.evaluate("list => { while (list.children.length < 80) list.append(list.children[0].cloneNode()) }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
