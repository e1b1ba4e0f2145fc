"""Pages of the mirror as of a past moment: axe finds nothing in light and dark, wide and narrow, and nothing
on them can be changed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page

from tests.journeys.axe import in_light
from tests.journeys.conftest import SignIn
from tests.journeys.test_every_page import look, wide_and_light

pytestmark = pytest.mark.journey

LISTS = ("/people/", "/groups/", "/roles/", "/policies/", "/instance-profiles/", "/providers/", "/accounts/")


def _of_each(page: Page, at: str) -> list[str]:
    """The lists, and the first that each of them leads to, with its history where it has one."""
    of_each = ["/", "/search/?q=an"]
    for address in LISTS:
        page.goto(f"{address}?as-of={at}")
        of_each.append(address)
        if (link := page.locator("table .who a").first).count():
            get_attribute = str(link.get_attribute("href")).split("?")[0]
            of_each += [get_attribute, f"{get_attribute}{'pulls' if address == '/accounts/' else 'history'}/"]
    return of_each


@pytest.mark.parametrize("ago", [timedelta(seconds=1), timedelta(days=400)], ids=["known", "unknown"])
def test_pages_of_the_past_are_marked_and_pass_axe(sign_in: SignIn, ago: timedelta) -> None:
    at = f"{datetime.now(tz=UTC) - ago:%Y-%m-%dT%H:%M:%S}"
    page = sign_in("ines.duarte")
    problems: list[str] = []
    for address in _of_each(page, at):
        past = f"{address}{'&' if '?' in address else '?'}as-of={at}"
        wide_and_light(page, past)
        # The bar of the past is the same on all of them; how it looks in the dark and on a phone is seen on
        # two.
        problems += (
            look(page, past)
            if address in ("/", "/people/")
            else [f"{past}: {line}" for line in in_light(page)]
        )
        assert page.locator(".pastbar").is_visible(), past
        assert page.locator("main form[method=post], main [hx-post]").count() == 0, past
    assert not problems, "\n".join(problems)
