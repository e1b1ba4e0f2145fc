"""Rows that are selected, and what the page says of them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


ROWS = "".join(f'<tr><td><input type="checkbox" aria-label="Row {n}"></td></tr>' for n in range(3))
TABLE = (
    '<table data-select><thead><tr><th><input type="checkbox" aria-label="All"></th></tr></thead>'
    f'<tbody>{ROWS}</tbody></table><div class="bulkbar" hidden><output></output> selected</div>'
)


def test_the_bar_says_how_many_rows_are_selected(stage: Stage) -> None:
    page = stage.open("selection", TABLE)
    everything, bar = page.get_by_label("All"), page.locator(".bulkbar")
    expect(bar).to_be_hidden()
    page.get_by_label("Row 1").check()
    expect(bar).to_have_text("1 selected")
    assert everything.evaluate("(box) => [box.checked, box.indeterminate]") == [
        True,
        True,
    ] or everything.evaluate("(box) => [box.checked, box.indeterminate]") == [False, True]
    everything.click()
    expect(bar).to_have_text("3 selected")
    expect(page.get_by_label("Row 2")).to_be_checked()
    everything.click()
    expect(bar).to_be_hidden()


def test_a_selection_that_the_browser_remembers_is_counted(stage: Stage) -> None:
    page = stage.open("selection", TABLE.replace('"Row 0"', '"Row 0" checked'))
    expect(page.locator("output")).to_have_text("1")


def test_numbers_over_all_pages_follow_what_is_changed_on_this_page(stage: Stage) -> None:
    """A selected row, one that is not, and a choice between two people and no one."""
    choices = "".join(
        f'<input type="radio" name="who" value="{value}" aria-label="{label}"{checked}>'
        for value, label, checked in (("1", "Maya", ""), ("2", "Yuki", ""), ("", "No one", " checked"))
    )
    page = stage.open(
        "selection",
        '<p>Elsewhere <b data-selected="1199">1,199</b>, here <i data-selected="1">1</i>, never <u>7</u></p>'
        '<div id="rows"><table data-select><thead><tr><th><input type="checkbox" aria-label="All"></th></tr>'
        '</thead><tbody><tr><td><input type="checkbox" aria-label="First" checked></td></tr>'
        f'<tr><td><input type="checkbox" aria-label="Second"></td></tr><tr><td>{choices}</td></tr></tbody>'
        "</table></div>",
    )
    numbers = page.locator("p")
    expect(numbers).to_have_text("Elsewhere 1,199, here 1, never 7")
    page.get_by_label("Second").check()
    expect(numbers).to_have_text("Elsewhere 1,200, here 2, never 7")
    page.get_by_label("Maya").check()
    page.get_by_label("Yuki").check()
    expect(numbers).to_have_text("Elsewhere 1,201, here 3, never 7")
    page.get_by_label("No one").check()
    page.get_by_label("All").click()
    expect(numbers).to_have_text("Elsewhere 1,198, here 0, never 7")
