"""Line numbers, and levels that are chosen in part."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


EDITOR = (
    '<div class="editor"><ol class="gutter"><li>1</li></ol><textarea aria-label="Policy"></textarea></div>'
)


def test_the_editor_has_as_many_numbers_as_lines(stage: Stage) -> None:
    page = stage.open("editors", EDITOR)
    page.get_by_label("Policy").fill("a\nb\nc")
    expect(page.locator(".gutter li")).to_have_text(["1", "2", "3"])
    page.get_by_label("Policy").fill("a")
    expect(page.locator(".gutter li")).to_have_text(["1"])


LEVEL = '<label class="level" data-some><input type="checkbox"> Write</label>'
STATE = "(box) => box.indeterminate"


def test_a_level_that_is_chosen_in_part_looks_so_after_a_swap_too(stage: Stage) -> None:
    whole = LEVEL.replace(" data-some", "")
    page = stage.open(
        "editors",
        f'<div id="part">{LEVEL}</div>{whole}<button hx-get="/part/" hx-target="#part">Load</button>',
    )
    assert [box.evaluate(STATE) for box in page.get_by_role("checkbox").all()] == [True, False]
    stage.answers["/part/"] = LEVEL + LEVEL
    page.get_by_role("button").click()
    expect(page.get_by_role("checkbox")).to_have_count(3)
    page.wait_for_function("document.querySelectorAll(':indeterminate').length === 2")
