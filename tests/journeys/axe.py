"""axe-core in the page under test: the rules of WCAG 2.2 AA and the best practices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = (Path(__file__).resolve().parent.parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
CONTEXT = {"include": [["html"]], "exclude": [["tbody > tr:nth-child(n + 13)"], ["li:nth-child(n + 25)"]]}
"""Of a long table or list the first rows: all others are made by the same lines, and to look at them takes most of the time."""
OPTIONS = {"resultTypes": ["violations"]}

STILL = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, ::before, ::after { transition: none !important; animation: none !important }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
"""Colours do not fade from one to the other, so that nothing has to be waited for."""


def violations(page: Page, *, only: str = "", but: str = "") -> list[str]:
    """One line per violation: the rule, and the first element that breaks it; `only` or all `but` one rule are looked at."""
    # evaluate() runs outside of the page's Content-Security-Policy, which rightly forbids a script tag.
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(SOURCE)
    options = OPTIONS | ({"runOnly": {"type": "rule", "values": [only]}} if only else {})
    options |= {"rules": {but: {"enabled": False}}} if but else {}
    found: dict[str, Any] = page.evaluate(
        "([context, options]) => axe.run(context, options)", [CONTEXT, options]
    )
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]} ({len(v['nodes'])})" for v in found["violations"]]


def in_every_look(page: Page) -> list[str]:
    """All rules in light, the contrasts in dark, on a phone the rules and the width; the page stays on the phone."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    page.evaluate(STILL)
    found = [f"light: {line}" for line in violations(page)]
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {line}" for line in violations(page, only="color-contrast")]
    page.set_viewport_size({"width": 390, "height": 844})
    found += [f"narrow: {line}" for line in violations(page, but="color-contrast")]
    width = page.evaluate("document.documentElement.scrollWidth")
    return found if width <= 391 else [*found, f"narrow: the page is {width} px wide"]
