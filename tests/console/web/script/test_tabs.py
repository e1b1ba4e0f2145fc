"""The current tab can be seen."""

from __future__ import annotations

import pytest

from tests.console.web.script.conftest import Stage

pytestmark = pytest.mark.journey


TABS = """<link rel="stylesheet" href="/static/css/layout.css"><div class="tabs" id="tabs">{}</div>"""
LINKS = "".join(f'<a href="/{number}/">Tab number {number}</a> ' for number in range(12))
IS_SEEN = """() => {
  const bar = document.querySelector(".tabs"), own = document.querySelector((
      "[aria-current]"
  )).getBoundingClientRect();
  return own.left >= bar.getBoundingClientRect().left && own.right <= bar.getBoundingClientRect().right;
}"""
NARROW = (
    "() => { const s = document.querySelector('.tabs').style; s.width = '200px'; s.overflow = "
    "'auto'; s.whiteSpace = 'nowrap'; }"
)


def current(number: int) -> str:
    return LINKS.replace(f'href="/{number}/"', f'href="/{number}/" aria-current="page"')


def test_a_tab_beyond_the_edge_is_scrolled_to(stage: Stage) -> None:
    stage.page.add_init_script(
        f"addEventListener('DOMContentLoaded', () => {{ if (document.querySelector('.tabs')) "
        f"({NARROW})(); }}, true)"
    )
    page = stage.open("tabs", TABS.format(current(9)))
    assert page.evaluate(IS_SEEN)
    assert page.evaluate("document.querySelector('.tabs').scrollLeft") > 0


def test_the_first_tab_leaves_the_bar_where_it_is_and_a_swap_moves_it(stage: Stage) -> None:
    page = stage.open(
        "tabs", TABS.format(current(0)) + '<button hx-get="/part/" hx-target="#tabs">Load</button>'
    )
    page.evaluate(NARROW)
    assert page.evaluate("document.querySelector('.tabs').scrollLeft") == 0
    stage.answers["/part/"] = current(11)
    page.get_by_role("button").click()
    # The tab that was current before is seen too: what the swap moves is the bar.
    page.wait_for_function("document.querySelector('.tabs').scrollLeft > 0")
    assert page.evaluate(IS_SEEN)
