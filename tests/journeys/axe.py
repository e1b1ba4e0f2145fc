"""axe-core in the page under test: the rules of WCAG 2.2 AA and the best practices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = (Path(__file__).resolve().parent.parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
CONTEXT = {"include": [["html"]], "exclude": [["tbody > tr:nth-child(n + 13)"], ["li:nth-child(n + 25)"]]}
"""Of a long table or list the first rows: all others are made by the same lines, and to look at them takes most of the time."""
OPTIONS = {"resultTypes": ["violations"]}


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
