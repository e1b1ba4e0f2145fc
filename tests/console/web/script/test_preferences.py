"""The theme and the time zone, kept by the browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


BUTTON = "<button data-theme-toggle><span>Theme</span></button>"


def cookies_of(stage: Stage) -> dict[str, str]:
    return {cookie["name"]: cookie["value"] for cookie in stage.page.context.cookies()}


@pytest.mark.parametrize(("scheme", "first"), [("light", "dark"), ("dark", "light")])
def test_the_theme_changes_from_that_of_the_system_and_back(stage: Stage, scheme: str, first: str) -> None:
    stage.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page = stage.open("preferences", BUTTON)
    page.get_by_text("Theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", first)
    assert cookies_of(stage)["theme"] == first
    page.get_by_text("Theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", scheme)


def test_the_zone_is_kept_for_the_next_page(stage: Stage) -> None:
    zone = stage.open("preferences", "").evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert cookies_of(stage) == {"zone": zone}


def test_cookies_of_production_are_tied_to_the_host(stage: Stage) -> None:
    stage.open("preferences", BUTTON, root='data-cookies="__Host-"')
    stage.page.get_by_role("button").click()
    assert set(cookies_of(stage)) <= {"__Host-zone", "__Host-theme"}
