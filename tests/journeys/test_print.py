"""What people print: nothing that can only be clicked is on paper, and all else is, within the margins."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn

pytestmark = pytest.mark.journey
PAPER = 718
"""Pixels between the margins of A4."""
CLICKED = "nav, button, input, select, textarea, .btn, .side, .top, .bulkbar, .toasts, summary kbd"
VISIBLE = "(all) => all.filter((each) => each.checkVisibility()).map((each) => each.outerHTML.slice(0, 120))"
OUTSIDE = """(all) => all.filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
  .map((each) => each.textContent.trim().slice(0, 60))"""


def on_paper(page: Page, address: str) -> Page:
    """The page as it is printed by someone who works in the dark."""
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": PAPER, "height": 1000})
    page.goto(address)
    return page


def check(page: Page) -> None:
    expect(page.locator("h1")).to_be_visible()
    assert page.locator(CLICKED).evaluate_all(VISIBLE) == []
    assert page.locator("main td, main dd, main h1, main h2").evaluate_all(OUTSIDE) == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    # How long ago something was says nothing on paper: the whole moment is there instead.
    size = (
        "(all) => all.filter((each) => each.checkVisibility()).map((each) => getComputedStyle(each).fontSize)"
    )
    assert set(page.locator("main time[title]").evaluate_all(size)) <= {"0px"}


def test_a_finished_review_is_printed_whole_with_its_sign_off(sign_in: SignIn) -> None:
    page = sign_in("ines.duarte")
    page.goto("/reviews/?tab=ended")
    page.get_by_role("link", name="Data, first half of 2026").click()
    page.get_by_role("link", name="All on one page").click()
    on_paper(page, page.url)
    decided = page.locator("#review-progress").inner_text()
    rows = page.locator("tr[data-row]")
    assert decided == f"{rows.count()} of {rows.count()}"
    assert rows.evaluate_all("(all) => all.every((each) => each.checkVisibility())")
    assert rows.locator(".badge", has_text="Keep").count() >= rows.count()
    expect(page.get_by_text("Acknowledged by")).to_be_visible()
    check(page)


def test_what_is_not_decided_says_so_on_paper(sign_in: SignIn) -> None:
    page = sign_in("elif.kaya")
    page.goto("/reviews/")
    address = page.get_by_role("link", name="Payments, second half of 2026").get_attribute("href")
    on_paper(page, f"{address}?tab=all&print=1")
    row = page.locator("tr[data-row]", has_text="Not decided").first
    expect(row.get_by_text("Not decided. Reviewer: Elif Kaya")).to_be_visible()
    check(page)


def test_frameworks_and_findings_are_printed_without_their_buttons(sign_in: SignIn) -> None:
    page = sign_in("ines.duarte")
    for address in ("/compliance/pci-dss-4.0.1/", "/compliance/pci-dss-4.0.1/7.2.4/", "/findings/"):
        check(on_paper(page, address))
    finding = page.locator("main table a").first.get_attribute("href")
    assert finding
    check(on_paper(page, finding))
