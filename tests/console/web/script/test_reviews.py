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
    bar = '<div class="bulkbar"><form action="/together/"><input name="reason" aria-label="Reason for all">'
    bar += '<button name="decision" value="keep">Keep all</button>'
    bar += '<button name="decision" value="revoke">Revoke all</button>'
    bar += '<button name="decision" value="">Undo all</button></form></div>'
    body = f'<div id="table">{table}{pager}</div>{bar}<input aria-label="Find">'
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


def test_keys_after_a_decision_are_about_the_next_row_before_the_answer_comes(stage: Stage) -> None:
    page = opened(stage)
    page.keyboard.press("j")
    for _ in range(3):
        page.keyboard.press("c")
    for number in (1, 2, 3):
        expect(page.locator(f"#row-{number}").get_by_role("button", name="Undo")).to_be_visible()
    assert sorted(stage.asked[1:]) == ["/decide-1/", "/decide-2/", "/decide-3/"]
    # After the last one it stays, and can be undone.
    expect(page.locator("#row-3")).to_be_focused()


def test_the_first_row_of_the_next_page_is_at_hand(stage: Stage) -> None:
    page = opened(stage)
    rest = f'<div id="table"><table data-review><tbody>{row(4)}{row(5)}</tbody></table></div>'
    stage.answers["/second/"] = rest
    target = 'hx-get="/second/" hx-target="#table" hx-swap="outerHTML"'
    script = f"document.querySelector('.pager').innerHTML = `<a rel=next href=/second/ {target}>Next</a>`"
    page.evaluate(f"{script}; htmx.process(document.body)")
    page.locator("#row-3").focus()
    # The answer to the decision still finds its row.
    page.keyboard.press("c")
    page.keyboard.press("j")
    expect(page.locator("#row-4")).to_be_focused()
    assert stage.asked[-2:] == ["/decide-3/", "/second/"]


def test_enter_decides_nothing_unless_a_decision_was_asked_for(stage: Stage) -> None:
    page = opened(stage)
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.type("needed")
    page.keyboard.press("Enter")
    expect(page.locator("#row-1")).to_be_focused()
    # Nor does a decision that was given up.
    page.get_by_label("Reason", exact=True).first.fill("")
    page.locator("#row-1").focus()
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    page.keyboard.type("needed")
    page.keyboard.press("Enter")
    expect(page.locator("#row-1")).to_be_focused()
    assert [path for path in stage.asked if "decide" in path] == []


def test_a_conflict_keeps_its_row_at_hand(stage: Stage) -> None:
    page = opened(stage)
    stage.answers["/decide-1/"] = row(1, is_decided=True).replace(
        "<td>", '<td><p role="alert">Too late</p>', 1
    )
    page.locator("#row-1").get_by_role("button", name="Keep").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#row-1")).to_be_focused()


@pytest.mark.parametrize(("key", "decision"), [("c", "keep"), ("r", "revoke")])
def test_while_rows_are_selected_a_decision_is_about_these_with_one_reason(
    stage: Stage, key: str, decision: str
) -> None:
    page = opened(stage)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press(key)
    expect(page.get_by_label("Reason for all")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#row-1")).to_be_focused()
    page.keyboard.press(key)
    page.keyboard.type("jack left")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/together/?reason=jack+left&decision={decision}")
    assert [path for path in stage.asked if "decide-" in path] == []


@pytest.mark.parametrize(("keys", "asked"), [("cku", 2), ("ckc", 1), ("ckukc", 1)])
def test_what_is_decided_before_the_answer_has_come_is_not_lost(stage: Stage, keys: str, asked: int) -> None:
    page = opened(stage)
    page.locator("#row-1").focus()
    page.evaluate(
        "window.answered = 0, document.addEventListener('htmx:afterSettle', () => window.answered++)"
    )
    script = "(keys) => [...keys].forEach((key) => document.activeElement.dispatchEvent("
    page.evaluate(f"{script}new KeyboardEvent('keydown', {{key, bubbles: true, cancelable: true}})))", keys)
    # Undo is sent when the row that has it has come; a last word that is the first is no other decision.
    page.wait_for_function("(asked) => window.answered >= asked", arg=asked)
    expect(page.locator("#row-1").get_by_role("button", name="Undo")).to_be_visible()
    assert stage.asked.count("/decide-1/") == asked
