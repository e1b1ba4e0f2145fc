"""axe-core in the page under test: the rules of WCAG 2.2 AA and the best practices."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

SOURCE = (Path(__file__).resolve().parent.parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
CONTEXT = {"include": [["html"]], "exclude": [["tbody > tr:nth-child(n + 13)"], ["li:nth-child(n + 25)"]]}
"""Of a long table or list the first rows: all others are made by the same lines, and to look at them takes
most of the time.
"""
OPTIONS = {"resultTypes": ["violations"], "preload": False}
OF_LAYOUT: Final = ("target-size", "scrollable-region-focusable")
"""What else than contrast may differ on a phone in an element that a wide window shows as well."""
OF_COLOUR: Final = ("color-contrast",)

WIDE: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}

STILL = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, ::before, ::after { transition: none !important; animation: none !important }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
"""Colours do not fade from one to the other, so that nothing has to be waited for."""

SHORTEN = """short => {
  if (!window.shortened) {
    window.shortened = new CSSStyleSheet();
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, window.shortened];
  }
  const rule = "tbody > tr:nth-child(n + 13), li:nth-child(n + 25) { display: none !important }";
  window.shortened.replaceSync(short ? rule : "");
}"""
"""Take the rows that are not looked at out of sight, or show them again: axe walks over all that is to be
seen.
"""

CONTRASTS = """() => {
  const known = new Map();
  const behind = one => {
    if (!one) return "";
    if (!known.has(one)) {
      const style = getComputedStyle(one), image = style.backgroundImage === "none" ? "" : style.backgroundImage;
      const own = style.backgroundColor === "rgba(0, 0, 0, 0)" ? "" : style.backgroundColor;
      const fades = style.opacity === "1" && style.filter === "none" ? "" : `${style.opacity} ${style.filter}`;
      known.set(one, own + image + fades + (own.startsWith("rgb(") ? "" : behind(one.parentElement)));
    }
    return known.get(one);
  };
  const text = one => [...one.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const shown = window.shownWide = [...document.body.querySelectorAll("*")].filter(one => one.checkVisibility());
  window.looked = shown.filter(one => text(one) || one.matches("input, select, textarea"));
  return window.looked.map(one => {
    const style = getComputedStyle(one);
    return [style.color, parseFloat(style.fontSize) < 24, style.fontWeight, style.textShadow, one.matches(":disabled"), behind(one)].join();
  });
}"""  # noqa: E501
"""All that a contrast is made of, for each element with text: its colour and size, and what lies behind
it.
"""

ON_PHONE = """() => {
  const before = new Set(window.shownWide);
  window.looked = [...document.body.querySelectorAll("*")].filter(one => one.checkVisibility() && !before.has(one));
  const chain = one => one ? `${chain(one.parentElement)}>${one.localName}.${one.className}` : "";
  return window.looked.map(chain);
}"""  # noqa: E501
"""The elements that a wide window does not show, by their classes."""

TWICE = """() => {
  const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
  return [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))];
}"""
"""The ids of several elements: a label, a hint or a link leads to the first of them. axe has no such rule any
more.
"""

_passed: dict[str, set[str]] = {"light": set(), "dark": set(), "phone": set()}
"""In each look what nothing was found in: its like is not looked at again."""


def violations(
    page: Page, *, only: tuple[str, ...] = (), but: tuple[str, ...] = (), of: list[int] | None = None
) -> list[str]:
    """One line per violation: the rule, and the first element that breaks it.

    `only` some or all `but` some rules are looked at; `of` counts the elements that `CONTRASTS` or `ON_PHONE`
    has left, and all are meant without it.
    """
    # evaluate() runs outside of the page's Content-Security-Policy, which rightly forbids a script tag.
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(SOURCE)
    options: dict[str, Any] = OPTIONS | ({"runOnly": {"type": "rule", "values": list(only)}} if only else {})
    options |= {"rules": {rule: {"enabled": False} for rule in but}} if but else {}
    axe_report: dict[str, Any] = page.evaluate(
        "([context, of, options]) => axe.run(of ? of.map(one => window.looked[one]) : context, options)",
        [CONTEXT, of, options],
    )
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]} ({len(v['nodes'])})" for v in axe_report["violations"]]


def _of_new(page: Page, look: str, *, script: str, only: tuple[str, ...] = ()) -> list[str]:
    """The violations in those elements of which no like has passed in this look."""
    like: list[str] = page.evaluate(script)
    new = {selector: number for number, selector in enumerate(like) if selector not in _passed[look]}
    problems = violations(page, only=only, of=list(new.values())) if new else []
    if not problems:
        _passed[look].update(new)
    return [f"{look}: {line}" for line in problems]


def in_light(page: Page) -> list[str]:
    """All rules as the page is shown, without the rows that are not looked at; a contrast where its like has
    not passed.
    """
    page.evaluate(SHORTEN, True)
    problems = [f"light: {line}" for line in violations(page, but=OF_COLOUR)]
    problems += [f"light: several elements have the id {name}" for name in page.evaluate(TWICE)]
    return problems + _of_new(page, "light", script=CONTRASTS, only=OF_COLOUR)


def in_every_look(page: Page, *, of_layout: tuple[str, ...] = OF_LAYOUT) -> list[str]:
    """All rules in light; the contrasts in dark; on a phone the width, the rules of layout, and all rules for
    what is shown there alone.

    A contrast, and what a phone alone shows, is looked at once, and not where its like has passed. The page
    stays on the phone and in dark.
    """
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.evaluate(STILL)
    problems = in_light(page)
    page.emulate_media(color_scheme="dark")
    problems += _of_new(page, "dark", script=CONTRASTS, only=OF_COLOUR)
    page.set_viewport_size(PHONE)
    problems += [f"phone: {line}" for line in violations(page, only=of_layout)]
    problems += _of_new(page, "phone", script=ON_PHONE)
    page.evaluate(SHORTEN, False)
    width = page.evaluate("document.documentElement.scrollWidth")
    return problems if width <= PHONE["width"] + 1 else [*problems, f"phone: the page is {width} px wide"]
