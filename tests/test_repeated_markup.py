"""The rule on repeated markup finds copies however they are laid out, and lets short likenesses pass."""

from __future__ import annotations

import re

import pytest

from tests.house_rules import ROOT, tracked
from tests.repeated_markup import MAX_RUN_LENGTH, pieces, repeated_markup


def _list_of(entries: int, *, joint: str = "\n") -> str:
    """A list of twice as many tags and as many texts as entries, and its own two tags."""
    return "<ul>" + joint.join(f"<li>Entry {number}</li>" for number in range(entries)) + "</ul>"


def test_no_markup_is_written_twice() -> None:
    sources = {
        str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in tracked("templates/*.html")
    }
    assert sources
    assert not list(repeated_markup(sources))


def test_a_copy_with_other_indentation_is_one_breach() -> None:
    copy = "<h1>Other page</h1>\n" + _list_of(9, joint="\n      ")
    assert list(repeated_markup({"one.html": _list_of(9), "two.html": copy})) == [
        "two.html:2: the same markup as one.html:1; include a component"
    ]


def test_a_copy_in_the_same_template_is_a_breach() -> None:
    twice = _list_of(9) + "\n<p>between</p>\n" + _list_of(9)
    assert len(list(repeated_markup({"one.html": twice}))) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("<ul>" + "<li>" * (MAX_RUN_LENGTH - 1), "<ul>" + "<li>" * (MAX_RUN_LENGTH - 1)),
        (_list_of(9), _list_of(9).replace("Entry 4", "Another")),
        ("{# " + _list_of(9) + " #}", "{% comment %}" + _list_of(9) + "{% endcomment %}"),
    ],
    ids=["short", "changed in the middle", "commented out"],
)
def test_what_is_not_the_same_for_long_passes(first: str, second: str) -> None:
    assert not list(repeated_markup({"one.html": first, "two.html": second}))


def test_a_tag_with_template_tags_in_it_is_one_piece() -> None:
    source = '{% load ui %}<a {% if x > 1 %}class="a"{% endif %}\n   href="{{ url }}">Open</a>'
    assert [piece.text for piece in pieces(source)] == [
        '<a {% if x > 1 %}class="a"{% endif %} href="{{ url }}">',
        "Open",
        "</a>",
    ]


def test_the_index_of_components_names_each_of_them() -> None:
    folder = ROOT / "templates" / "components"
    index = (folder / "README.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", index))
    names = {file.stem for file in folder.glob("*.html")}
    assert not names - words
