"""A review by keyboard: moving, deciding with a reason, undoing, and the next row after a decision."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


def row(number: int, *, is_decided: bool = False) -> str:
    """A row as the page has it."""
    buttons = '<button name="decision" value="">Undo</button>'
    if not is_decided:
        buttons = (
            '<input name="reason" aria-label="Reason"><button name="decision" value="keep">Keep</button>'
        )
        buttons += '<button name="decision" value="revoke">Revoke</button>'
        buttons += '<button name="decision" value="reduce">Reduce</button>'
    target = f'hx-post="/decide-{number}/" hx-target="#row-{number}" hx-swap="outerHTML"'
    return (
        f'<tr id="row-{number}" data-row="{number}" tabindex="-1"><td><input type="checkbox"></td>'
        f"<td><form {target}>{buttons}</form></td></tr>"
    )


def opened(stage: Stage, *, root: str = "") -> Page:
    rows = row(1) + row(2) + row(3)
    for number in (1, 2, 3):
        stage.answers[f"/decide-{number}/"] = row(number, is_decided=True)
    pager = '<nav class="pager"><a rel="next" href="#second">Next</a></nav>'
    table = f"<table data-review><tbody>{rows}</tbody></table>"
    body = f'<div id="table">{table}{pager}</div><input aria-label="Find">'
    return stage.open("reviews", body, root=root)


def test_j_and_k_move_and_the_end_leads_to_the_next_page(stage: Stage) -> None:
    page = opened(stage)
    for key, number in (("j", 1), ("j", 2), ("k", 1), ("k", 1), ("j", 2), ("j", 3)):
        page.keyboard.press(key)
        expect(page.locator(f"#row-{number}")).to_be_focused()
    page.keyboard.press("j")
    page.wait_for_url("**#second")


def test_c_keeps_and_the_next_row_is_at_hand(stage: Stage) -> None:
    page = opened(stage)
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.locator("#row-1").get_by_role("button", name="Undo")).to_be_visible()
    expect(page.locator("#row-2")).to_be_focused()
    assert stage.asked[-1] == "/decide-1/"


@pytest.mark.parametrize("key", ["r", "s"])
def test_a_removal_asks_for_its_reason_first_and_enter_decides(stage: Stage, key: str) -> None:
    page = opened(stage)
    page.keyboard.press("j")
    page.keyboard.press(key)
    expect(page.locator("#row-1").get_by_label("Reason")).to_be_focused()
    assert "/decide-1/" not in stage.asked
    page.keyboard.type("jack left")
    page.keyboard.press("Enter")
    expect(page.locator("#row-2")).to_be_focused()


def test_u_undoes_and_the_row_stays_at_hand(stage: Stage) -> None:
    page = opened(stage)
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.locator("#row-2")).to_be_focused()
    stage.answers["/decide-1/"] = row(1)
    page.keyboard.press("k")
    page.keyboard.press("u")
    expect(page.locator("#row-1").get_by_role("button", name="Keep")).to_be_visible()
    expect(page.locator("#row-1")).to_be_focused()


def test_x_selects_e_is_the_reason_and_escape_leads_back(stage: Stage) -> None:
    page = opened(stage)
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#row-1 input[type=checkbox]")).to_be_checked()
    page.keyboard.press("e")
    expect(page.locator("#row-1").get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#row-1")).to_be_focused()


def test_keys_do_nothing_in_a_field_with_the_profile_off_or_with_a_modifier(stage: Stage) -> None:
    page = opened(stage)
    page.get_by_label("Find").focus()
    page.keyboard.press("j")
    expect(page.get_by_label("Find")).to_have_value("j")
    off = opened(stage, root='data-shortcuts="off"')
    off.keyboard.press("j")
    expect(off.locator("body")).to_be_focused()
    page = opened(stage)
    page.keyboard.press("Alt+j")
    expect(page.locator("body")).to_be_focused()
