"""What is looked at in each look finds what is wrong in it alone, and also beside what has passed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys import axe

pytestmark = pytest.mark.journey

PLANTED = """<!DOCTYPE html><html lang="en"><head><title>Planted</title><style>
body { background: #fff; color: #111; font-size: 16px; margin: 0 }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } .weak { color: #333 } }
.phone { display: none }
@media (max-width: 500px) {
  .small { display: inline-block; width: 9px; height: 9px; overflow: hidden }
  .phone { display: block }
  .wide { width: 700px }
}
</style></head><body><main><h1>Planted</h1>%s</main></body></html>"""
CLEAN = "<p>Nothing is wrong</p>"


@pytest.fixture
def page(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """An empty page, in front of which nothing has passed."""
    monkeypatch.setattr(axe, "_passed", {"light": set(), "dark": set(), "phone": set()})
    made = browser.new_page()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param('<p style="color: #bbb">Pale</p>', "light: color-contrast", id="pale"),
        pytest.param('<p class="weak">Weak</p>', "dark: color-contrast", id="weak in the dark"),
        pytest.param("<p><input></p>", "light: label", id="without a label"),
        pytest.param(
            '<p id="until">1</p><p id="until">2</p>',
            "light: several elements have the id until",
            id="an id of two",
        ),
        pytest.param(
            '<p><button class="small">a</button><button class="small">b</button></p>',
            "phone: target-size",
            id="small on a phone",
        ),
        pytest.param(
            '<div class="phone"><img src="data:,"></div>', "phone: image-alt", id="without a text on a phone"
        ),
        pytest.param('<p class="wide">Wide</p>', "phone: the page is 700 px wide", id="wider than a phone"),
    ],
)
def test_what_is_wrong_in_one_look_is_found_after_a_page_that_passed(
    page: Page, body: str, text: str
) -> None:
    for content, expected in ((CLEAN, []), (CLEAN + body, [text]), (CLEAN + body, [text])):
        page.set_content(PLANTED % content)
        lines = axe.in_every_look(page)
        assert [line.partition(": <")[0] for line in lines] == expected, lines


def test_a_row_below_those_that_are_looked_at_is_as_wide_as_it_is(page: Page) -> None:
    rows = "<tr><td>short</td></tr>" * 12 + '<tr><td><div class="wide">long</div></td></tr>'
    page.set_content(PLANTED % f"<table><tbody>{rows}</tbody></table>")
    assert any("px wide" in line for line in axe.in_every_look(page))
