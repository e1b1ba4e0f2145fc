"""Templates are loaded without their indentation, and what a browser shows is the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from console.web.compact_loader import compact

PAGES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<ul>\n  <li>One</li>\n  <li>Two</li>\n</ul>\n", "<ul><li>One</li><li>Two</li></ul>"),
        ("<p>\n  one\n  two\n</p>", "<p>one two</p>"),
        ("<p>a <b>b</b>\n  <i>c</i></p>", "<p>a <b>b</b> <i>c</i></p>"),
        ("<p>a <b>b</b>, c</p>", "<p>a <b>b</b>, c</p>"),
        ("<pre>\n a\n  b\n</pre>\n", "<pre>\n a\n  b\n</pre>"),
        ("<textarea>\n a\n</textarea>", "<textarea>\n a\n</textarea>"),
        ('<p title="a > b">\n  x\n</p>', '<p title="a > b">x</p>'),
        ("{% if a %}\n  <b>x</b>\n{% endif %}", "{% if a %} <b>x</b> {% endif %}"),
        ("<col>\n<colgroup>\n<p>", "<col><colgroup><p>"),
        ("<label>\n  a\n</label>", "<label> a </label>"),
    ],
)
def test_white_space_goes_only_where_it_does_not_show(source: str, expected: str) -> None:
    assert compact(source) == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(settings.BASE_DIR)))
def test_no_word_of_a_template_is_lost_or_glued_to_another(page: Path) -> None:
    source = page.read_text(encoding="utf-8")
    assert re.sub(r"\s+", "", compact(source)) == re.sub(r"\s+", "", source)
    words = re.compile(r"(?<=[\w.,;:])\s+(?=\w)")
    assert len(words.findall(compact(source))) == len(words.findall(source))
