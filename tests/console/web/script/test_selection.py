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
