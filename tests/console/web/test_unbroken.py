"""Reference numbers and account IDs stay on one line, on every page and in sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.web.templatetags.ui import unbroken

WRITTEN = re.compile(r"\{\{ [a-z_.]*\b(?:reference|display_id|number_shown) \}\}")
"""A reference or an account ID in groups, written without the filter."""
TITLE = re.compile(r"\{% block title %\}.*?\{% endblock", re.DOTALL)


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("CHG-9DA136C6", '<span class="ref">CHG-9DA136C6</span>'),
        ("GRT-00000000, ends", '<span class="ref">GRT-00000000</span>, ends'),
        ("in 1111-2222-3333.", 'in <span class="ref">1111-2222-3333</span>.'),
        ("account 111122223333", 'account <span class="ref">111122223333</span>'),
        ("arn:aws:iam::111122223333:role/CHG-x", "arn:aws:iam::111122223333:role/CHG-x"),
        ("<b>CHG-9DA136C6</b>", '&lt;b&gt;<span class="ref">CHG-9DA136C6</span>&lt;/b&gt;'),
        ("2020-02-03", "2020-02-03"),
        ("", ""),
    ],
)
def test_a_reference_within_a_text_does_not_break(text: str, markup: str) -> None:
    assert unbroken(text) == markup


def breaking_in(text: str) -> list[str]:
    """References of a template that a line can break."""
    broken = []
    for match in WRITTEN.finditer(text):
        before = text[: match.start()]
        is_attribute = before.rfind("<") > before.rfind(">")
        tag = before[before.rfind("<") :]
        is_kept = re.match(r'<\w+[^>]*class="[^"]*\bref\b[^>]*>\s*$', tag) or tag.startswith("<option")
        if not is_attribute and not is_kept:
            broken.append(match[0])
    return broken


def test_no_template_lets_a_reference_break() -> None:
    broken = {}
    for path in Path("templates").rglob("*.html"):
        words = breaking_in(TITLE.sub("", path.read_text(encoding="utf-8")))
        if words:
            broken[str(path)] = words
    assert broken == {}


@pytest.mark.parametrize(
    ("markup", "breaks"),
    [
        ("<p>{{ change.reference }}</p>", True),
        ('<span class="id">{{ change.reference }}</span>', True),
        ('<span class="id ref">{{ change.reference }}</span>', False),
        ("<p>{{ change.reference|unbroken }}</p>", False),
        ('<input aria-label="Select {{ drift.reference }}">', False),
    ],
)
def test_the_rule_tells_what_breaks(markup: str, breaks: bool) -> None:
    assert bool(breaking_in(markup)) is breaks
