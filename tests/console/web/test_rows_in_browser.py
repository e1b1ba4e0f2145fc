"""How a row breaks on a phone: a text stays on the line of its icon."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from console.web.stylesheet import joined

pytestmark = pytest.mark.journey

ROW = """
<style>%s</style>
<main class="main"><div class="row">
  <svg class="icon sm"></svg>
  <p class="grow small"><b>Fix:</b> Remove iam:PassRole on every role from the policy deploy-everything</p>
  <a class="btn sm" href="#">Fix and details</a>
</div></main>
"""
PLACES = """[...document.querySelectorAll(".row > *")].map((part) => {
  const box = part.getBoundingClientRect();
  return [box.left, box.right, box.top, box.bottom];
})"""


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_a_long_text_stays_beside_its_icon(browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 600})
    page.set_content(ROW % joined())
    icon, text, button = page.evaluate(PLACES)
    page.close()
    assert text[0] >= icon[1], "the text begins after the icon"
    assert text[2] < icon[3], "and on its line"
    assert text[3] > icon[2]
    assert max(icon[1], text[1], button[1]) <= width


FACTS = """
<style>%s</style>
<main class="main"><dl class="kv">
  <dt>Permissions boundaries of new roles</dt>
  <dd>arn:aws:iam::111111111111:policy/permission_boundary/trackside</dd>
</dl></main>
"""


def test_a_long_label_leaves_its_value_half_of_a_phone(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 600})
    page.set_content(FACTS % joined())
    value, facts = page.evaluate("['dd', 'dl'].map((s) => document.querySelector(s).clientWidth)")
    page.close()
    assert value > facts / 2
