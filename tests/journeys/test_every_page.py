"""Every page that a person can reach: no axe violation in light and dark, wide and narrow, no CSP report, no script error."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.journeys.axe import violations
from tests.journeys.conftest import SignIn

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

ROLES = ("ines.duarte", "hana.sato", "elif.kaya", "tomas.lind", "amara.diallo")
MAX_PAGES = 60
SKIPPED = ("/sign-in/logout", "/export", ".csv", ".json", "/static/")


def shape(address: str) -> str:
    """An address with its numbers taken out: one page of each shape is looked at."""
    parts = urlsplit(address).path.split("/")
    return "/".join("#" if any(c.isdigit() for c in part) else part for part in parts)


def links(page: Page) -> list[str]:
    """The addresses of this console that the page links to."""
    found = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    return [h for h in found if h.startswith("/") and not any(s in h for s in SKIPPED)]


def reachable(page: Page) -> list[str]:
    """Addresses of distinct shape, found by following links from the start page."""
    queue, seen, result = ["/"], {"/"}, []
    while queue and len(result) < MAX_PAGES:
        address = queue.pop(0)
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, f"{address} answered {answer.status}"
        result.append(address)
        for link in links(page):
            if shape(link) not in seen:
                seen.add(shape(link))
                queue.append(link)
    return result


def look(page: Page, address: str) -> list[str]:
    """What is wrong with the page: all rules in light, the contrasts in dark, all rules and the width on a phone."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    page.goto(address)
    found = [f"light {address}: {line}" for line in violations(page)]
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)  # colours fade from one to the other
    found += [f"dark {address}: {line}" for line in violations(page, rules=("color-contrast",))]
    page.set_viewport_size({"width": 390, "height": 844})
    found += [f"narrow {address}: {line}" for line in violations(page)]
    width = page.evaluate("document.documentElement.scrollWidth")
    return found if width <= 391 else [*found, f"narrow {address}: the page is {width} px wide"]


@pytest.mark.parametrize("username", ROLES)
def test_every_page_passes_axe_in_light_and_dark(sign_in: SignIn, username: str, looked_at: set[str]) -> None:
    page = sign_in(username)
    found: list[str] = []
    for address in reachable(page):
        # The overview differs by role; a page that another role has shown already does not.
        if address == "/" or shape(address) not in looked_at:
            looked_at.add(shape(address))
            found += look(page, address)
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def looked_at() -> set[str]:
    """Shapes of the addresses that have been looked at."""
    return set()
