"""Every class of the stylesheet is used, and every class that a page uses is in the stylesheet."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings

ROOT: Final = settings.BASE_DIR
POLICY_TEXT: Final = "console/web/templatetags/policy_text.py"
DYNAMIC: Final = {
    (POLICY_TEXT, 'class="t-{}"'): ("t-key", "t-str", "t-num", "t-pun", "t-act", "t-allow", "t-deny"),
    (POLICY_TEXT, '<li class="{}">'): ("equal", "delete", "insert", "replace"),
    ("console/web/templatetags/ui.py", 'class="s-{}"'): ("s-ok", "s-warn", "s-bad", "s-info", "s-note"),
}
"""Classes whose name is put together: where, and what the names come to."""
OF_HTMX: Final = frozenset({"htmx-request", "htmx-indicator"})
"""What htmx sets itself, or looks for."""
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
TEXT = re.compile(r"\"[^\"]*\"|url\([^)]*\)|\d\.\d")
CLASS = re.compile(r"\.([A-Za-z][\w-]*)")
TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
ATTRIBUTE = re.compile(r"\bclass=\"((?:{%.*?%}|{{.*?}}|[^\"])*)\"", re.DOTALL)
QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
NAME = re.compile(r"[A-Za-z][\w-]*")
GLUED = "\x00"
"""Stands for what a template puts in, so that a part of a name isn't taken for a name."""


def _files(folder: str, ending: str) -> Iterator[Path]:
    yield from sorted(path for path in (ROOT / folder).rglob(f"*{ending}") if "migrations" not in path.parts)


def classes_of_css(text: str) -> set[str]:
    """The classes that a stylesheet speaks of."""
    return set(CLASS.findall(TEXT.sub("", COMMENT.sub("", text))))


def _names(words: str) -> set[str]:
    return {word for word in words.split() if NAME.fullmatch(word)}


def classes_of_markup(text: str) -> set[str]:
    """The names that stand in class attributes: of a template, or of a text in Python."""
    classes: set[str] = set()
    for value in ATTRIBUTE.findall(text):
        # What a variable puts in belongs to the word around it.
        words = re.sub(r"{{.*?}}|{\w*}", GLUED, re.sub(r"{%.*?%}|{#.*?#}", " ", value))
        classes |= _names(words)
    return classes


def _passed_on(text: str, known: set[str]) -> set[str]:
    """Names in a text that consists of known classes alone."""
    names = text.split()
    return set(names) if names and set(names) <= known else set()


def classes_of_template(text: str, known: set[str]) -> set[str]:
    """What its class attributes say, and what it passes on to tags and included templates."""
    used = classes_of_markup(text)
    for tag in TAG.findall(text):
        for quoted, other in QUOTED.findall(tag):
            used |= _passed_on(quoted or other, known)
    return used


def classes_of_python(text: str, known: set[str]) -> set[str]:
    """What its markup says, and texts that are classes and nothing else."""
    used: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            used |= classes_of_markup(node.value) | _passed_on(node.value, known)
    return used


def classes_of_script(text: str, known: set[str]) -> set[str]:
    """What it sets or looks for."""
    strings = re.findall(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`", text)
    return {name for string in strings for name in NAME.findall(string)} & known


@pytest.fixture(scope="module")
def known() -> set[str]:
    """The classes of the stylesheet."""
    return set().union(*(classes_of_css(path.read_text()) for path in _files("static/css", ".css")))


def test_every_class_of_the_stylesheet_is_used(known: set[str]) -> None:
    used = set(OF_HTMX)
    for path in _files("templates", ".html"):
        used |= classes_of_template(path.read_text(), known)
    for path in _files("console", ".py"):
        used |= classes_of_python(path.read_text(), known)
    for path in _files("static", ".js"):
        used |= classes_of_script(path.read_text(), known)
    used |= set(chain.from_iterable(DYNAMIC.values()))
    assert len(known) > 200
    assert sorted(known - used) == []


def test_every_class_of_a_page_is_in_the_stylesheet(known: set[str]) -> None:
    strangers = set()
    for path in _files("templates", ".html"):
        strangers |= {(name, path.name) for name in classes_of_markup(path.read_text()) - known}
    for path in _files("console", ".py"):
        used = {n for t in re.findall(r"class=\"[^\"]*\"", path.read_text()) for n in classes_of_markup(t)}
        strangers |= {(name, path.name) for name in used - known}
    assert sorted(pair for pair in strangers if pair[0] not in OF_HTMX) == []


def test_what_is_put_together_is_written_where_it_is_said_to_be() -> None:
    for file, markup in DYNAMIC:
        assert markup in (ROOT / file).read_text(), markup


@pytest.mark.parametrize(
    ("markup", "classes"),
    [
        ('<p class="a b-2">', {"a", "b-2"}),
        ('<p class="a{% if x == "y" %} b{% endif %}">', {"a", "b"}),
        ('<p class="a s-{{ tone }} {{ more }}">', {"a"}),
        ('<p class="{% if x %}a{% else %}b{% endif %}" id="c">', {"a", "b"}),
        ("<p data-class='x'>", set()),
    ],
)
def test_classes_are_read_from_markup(markup: str, classes: set[str]) -> None:
    assert classes_of_markup(markup) == classes


def test_classes_are_read_from_a_stylesheet_and_from_what_is_passed_on() -> None:
    assert classes_of_css('/* .no */ .a.b > .c:not(.d) { margin: .5rem; content: ".no" }') == set("abcd")
    known = {"a", "b"}
    assert classes_of_template('{% icon "x" "a b" %}{% url "a c" %}', known) == known
    assert classes_of_python('X = ("a", "a word", \'<i class="b {}">\')', known) == known
    assert classes_of_script('$(".a > b[data-c]"); /* b */', {"a", "c", "d"}) == {"a"}
