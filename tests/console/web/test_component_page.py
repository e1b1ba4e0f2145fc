"""The page of components: in development only, with every component, in light and in dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.template import Template
from django.test import Client
from django.test.utils import override_settings
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from console.web.templatetags import cached_include
from iam.directory.models import Role
from tests import factories
from tests.journeys.axe import PHONE, STILL, WIDE, violations

ADDRESS = "/development/components/"
SEVERAL = ("landmark-unique",)
"""The page shows several of what a page has one of."""


@pytest.fixture
def development(settings: Any) -> None:
    settings.DEVELOPMENT = True


@pytest.fixture
def administrator() -> Client:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    return client


@pytest.mark.django_db
def test_without_development_there_is_no_such_page(administrator: Client) -> None:
    assert not settings.DEVELOPMENT
    assert administrator.get(ADDRESS).status_code == 404
    with override_settings(DEBUG=True):
        assert administrator.get(ADDRESS).status_code == 404


@pytest.mark.django_db
@pytest.mark.usefixtures("development")
def test_every_component_is_drawn(administrator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.account()
    # What a page of this process has drawn before would be kept.
    cached_include._rendered.cache_clear()
    drawn = set()
    render = Template._render

    def note(self: Template, context: Any) -> Any:
        drawn.add(self.name)
        return render(self, context)

    monkeypatch.setattr(Template, "_render", note)
    page = administrator.get(ADDRESS)
    folder = settings.BASE_DIR / "templates" / "components"
    components = {f"components/{path.name}" for path in folder.glob("*.html")}
    assert len(components) > 40
    assert components - drawn == set()
    assert page.content.decode().count('<section class="stack" data-sample=') > 25


@pytest.mark.django_db
@pytest.mark.usefixtures("development")
@pytest.mark.parametrize(("query", "theme"), [("", "light"), ("?theme=dark", "dark"), ("?theme=x", "light")])
def test_the_address_says_the_theme(administrator: Client, query: str, theme: str) -> None:
    assert f'data-theme="{theme}"' in administrator.get(ADDRESS + query).content.decode()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, administrator: Client) -> Iterator[Page]:
    name = settings.SESSION_COOKIE_NAME
    context = browser.new_context(base_url=live_server.url, bypass_csp=False)
    context.add_cookies([{"name": name, "value": administrator.cookies[name].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


@pytest.mark.journey
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("development")
def test_axe_finds_nothing_in_light_dark_and_on_a_phone(page: Page) -> None:
    problems = []
    for theme, size in (("light", WIDE), ("dark", WIDE), ("dark", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(f"{ADDRESS}?theme={theme}")
        page.evaluate(STILL)
        problems += [f"{theme} {size['width']}: {line}" for line in violations(page, but=SEVERAL)]
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert problems == []
